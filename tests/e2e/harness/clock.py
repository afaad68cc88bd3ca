# SPDX-License-Identifier: MIT
"""Wrong wall clocks: a library preloaded into one process shifts its CLOCK_REALTIME.

Time namespaces do not cover that clock, and the daemon has no hook for tests; this is what an
administrator who sets the clock does to it, and can be done again while it runs.
"""

import os
import struct

from .daemon import write_file
from .sandbox import PREFIX, SCRATCH


def write_shift(name, seconds):
    """Takes effect at once, also in a process that runs. Returns the environment that puts a
    process under the shift of this name."""
    path = f"{SCRATCH}/{name}.shift"
    if not os.path.exists(path):
        write_file(f"{name}.shift", "\0" * 8)
    with open(path, "r+b", buffering=0) as file:
        file.write(struct.pack("=q", seconds))
    return {"LD_PRELOAD": f"{PREFIX}/wt_clock_shift.so", "WT_CLOCK_SHIFT": path}
