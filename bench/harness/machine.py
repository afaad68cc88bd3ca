# SPDX-License-Identifier: MIT
"""The machine below the benchmark: what it is, how busy it is, what a process takes of it."""

import os
import platform
import re
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
AVAILABLE = "/proc/sys/net/ipv4/tcp_available_congestion_control"
ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def busy_seconds():
    """CPU seconds that all processors together have spent on anything since boot."""
    user, nice, system, _idle, _iowait, irq, softirq = map(
        int, read("/proc/stat").split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / TICKS


def load(seconds=1.0):
    """The share of all processors that is in use now, 0 to 1."""
    before, start = busy_seconds(), time.monotonic()
    time.sleep(seconds)
    took = (time.monotonic() - start) * os.cpu_count()
    return min(1.0, (busy_seconds() - before) / took)


def describe():
    model = re.search(r"^model name\s*: (.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", read("/proc/meminfo"), re.MULTILINE)
    return {
        "processors": os.cpu_count(),
        "processor": model.group(1) if model else platform.machine(),
        "virtual": "hypervisor" in read("/proc/cpuinfo"),
        "memory_mb": int(memory.group(1)) // 1024,
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "congestion": default_congestion(),
    }


def default_congestion():
    return read(CONGESTION).strip()


class Congestion:
    """While it is open, namespaces made on this machine may choose any of `names` for TCP. What
    that takes is one list that is the machine's; it is put back in the end.

    The list is kept open because only the first network namespace finds it by its name, and the
    process leaves that."""

    def __init__(self, names):
        self._list = self._before = None
        try:
            allowed = read(ALLOWED)
            available = read(AVAILABLE).split()
            missing = [n for n in names if n in available and n not in allowed.split()]
            if missing:
                self._list = os.open(ALLOWED, os.O_WRONLY | os.O_CLOEXEC)
                os.pwrite(self._list, f"{allowed.strip()} {' '.join(missing)}\n".encode(), 0)
                self._before = allowed
        except OSError:
            pass  # a series that needs it says so when a namespace refuses it

    def close(self):
        if self._before is not None:
            os.pwrite(self._list, self._before.encode(), 0)
            self._before = None
        if self._list is not None:
            os.close(self._list)
            self._list = None


class Memory:
    """The memory of one process: its proportional share at the largest of some moments, and its
    largest resident set ever."""

    def __init__(self, pids):
        self._pids = pids
        self.pss_mb = None

    def look(self):
        for pid in self._pids:
            kib = _field(f"/proc/{pid}/smaps_rollup", "Pss")
            if kib is not None:
                self.pss_mb = max(self.pss_mb or 0, kib / 1024)

    def peak_rss_mb(self):
        peaks = [_field(f"/proc/{pid}/status", "VmHWM") for pid in self._pids]
        peaks = [kib / 1024 for kib in peaks if kib is not None]
        return max(peaks) if peaks else None


def _field(path, name):
    """KiB from a file of /proc, or None when the process is gone."""
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", read(path), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) if found else None


def first_line(*command):
    """The first line that a command prints, such as its version."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout.partition("\n")[0].strip()
