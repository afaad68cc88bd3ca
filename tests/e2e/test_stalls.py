# SPDX-License-Identifier: MIT
"""A plugin that keeps the daemon from its work is named in the log."""

import glob
import os
import shutil

from harness import case, runner
from harness.daemon import write_key
from harness.sandbox import PREFIX, SCRATCH

FIXTURES = os.path.join(os.environ["WT_BUILD_DIR"], "tests", "fixtures", "lib")


def plugins(*fixtures):
    """A plugin directory with the built plugins and these fixtures."""
    directory = os.path.join(SCRATCH, "lib")
    os.mkdir(directory, 0o755)
    for path in glob.glob(f"{PREFIX}/plugins/*.so") + [f"{FIXTURES}/{x}.so" for x in fixtures]:
        shutil.copyfile(path, os.path.join(directory, os.path.basename(path)))
    return directory


class Stalls(case.TunnelTest):
    def test_a_plugin_that_blocks_is_named(self):
        host = self.namespace("host")
        fifo = os.path.join(SCRATCH, "fifo")
        os.mkfifo(fifo)
        text = case.client_ini(
            write_key("alice.psk"), kinds=("blocks",), tunnel={"plugin_dir": plugins("transport-blocks")}
        )
        daemon = self.daemon(host, "client", text, env={"WT_FIXTURE_FIFO": fifo})
        place = r'dial\(\) of transport plugin "blocks"'
        # It is said from 1 s on, and from twice that; when, is up to how busy the machine is.
        stands = rf"warning: worker 0 stands still for (\d+\.\d) s: it is blocked in {place}; "
        for times in (1, 2):
            lasted = daemon.expect(stands, times=times).group(1)
            self.assertGreaterEqual(float(lasted), times)
        # The first dial ends with this, and all that follow do not wait.
        held = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, held)
        daemon.expect(rf"warning: worker 0 goes on, after \d+\.\d s in {place}$")
        self.assertEqual(daemon.stop(), 0)


runner.main()
