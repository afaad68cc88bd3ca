# SPDX-License-Identifier: MIT
"""One world for one test file: its own network, mount and process namespaces.

Everything a test makes lives in here: namespaces, devices, processes, and the scratch directory
on a private tmpfs. The kernel takes all of it away when the first process of the world ends, so
nothing is left behind whatever ends it: success, a failure, Ctrl-C, SIGTERM or SIGKILL.

Root is not needed where unprivileged user namespaces and /dev/net/tun are open to everyone.
"""

import ctypes
import glob
import os
import select
import shutil
import signal
import subprocess
import sys
import time

SKIP = 77  # what ctest reads as "skipped"
SCRATCH = "/run/scratch"
PREFIX = "/run/whispertunnel"

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

GRACE_S = 15  # for the tests to end after SIGTERM, before SIGKILL

libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """The machine does not allow a sandbox; the text says why."""


def enter():
    """Returns in the first process of a new world; the caller's process stays outside, passes
    signals on and exits with the code of the inner one."""
    outer = os.pidfd_open(os.getpid())
    try:
        _check_tools()
        _unshare()
    except Unavailable as reason:
        print(f"1..0 # SKIP {reason}")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(SKIP)
    sys.stdout.flush()
    inner = os.fork()
    if inner:
        sys.exit(_watch(inner))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if select.select([outer], [], [], 0)[0]:  # it ended before we asked to be told
        os._exit(1)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        _furnish()
    except (Unavailable, OSError) as reason:
        print(f"1..0 # SKIP {reason}")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(SKIP)


def _interrupt(signum, _frame):
    raise KeyboardInterrupt(signal.Signals(signum).name)


def _check_tools():
    missing = [t for t in ("ip", "mount", "nsenter", "ping", "setpriv") if not shutil.which(t)]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)} (scripts/install-deps test)")
    if not os.path.exists("/dev/net/tun"):
        raise Unavailable("no /dev/net/tun on this machine")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise Unavailable("/dev/net/tun may not be opened by this user; run as root")


def _unshare():
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET
    if uid != 0:
        flags |= CLONE_NEWUSER
    if libc.unshare(flags) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise Unavailable(f"namespaces are not allowed here ({reason}); run as root")
    if uid != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)


def _watch(inner):
    """The outside: hands SIGTERM in, waits, and returns the exit code."""
    deadline = [None]

    def hand_in(_signum, _frame):
        if deadline[0] is None:
            deadline[0] = time.monotonic() + GRACE_S
            os.kill(inner, signal.SIGTERM)

    signal.signal(signal.SIGTERM, hand_in)
    signal.signal(signal.SIGHUP, hand_in)
    signal.signal(signal.SIGINT, hand_in)
    fd = os.pidfd_open(inner)
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while not poll.poll(1000):
            if deadline[0] is not None and time.monotonic() > deadline[0]:
                os.kill(inner, signal.SIGKILL)
    finally:
        os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])


def _furnish():
    """Private mounts: /proc of this world, and a /run that vanishes with it."""
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "proc", "proc", "/proc"],
        ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
        ["ip", "link", "set", "lo", "up"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(command)}: {done.stderr.strip()}")
    os.mkdir(SCRATCH, 0o700)


def install(build_dir):
    """Copies `wtcore` and its plugins from a build tree to PREFIX, because the loader refuses a
    plugin below a directory of a foreign owner, and a checkout may well be one."""
    binary = os.path.join(build_dir, "tools/wtcore/wtcore")
    plugins = os.path.join(build_dir, "plugins/lib")
    if not os.path.exists(binary):
        raise FileNotFoundError(f"{binary} is missing: build first, or set WT_BUILD_DIR")
    os.makedirs(PREFIX, 0o755)
    tools = glob.glob(os.path.join(build_dir, "tests/e2e/*.so"))
    for tool in (*tools, os.path.join(build_dir, "tests/e2e/packet_relay")):
        shutil.copy(tool, PREFIX)
    shutil.copy(binary, f"{PREFIX}/wtcore")
    os.mkdir(f"{PREFIX}/plugins", 0o755)
    if os.path.isdir(plugins):
        for name in os.listdir(plugins):
            if name.endswith(".so"):
                install_plugin(os.path.join(plugins, name))


def install_plugin(path):
    """Copies one more plugin, which is none of the build's own, to the others."""
    name = os.path.basename(path)
    shutil.copy(path, f"{PREFIX}/plugins/{name}")
    os.chmod(f"{PREFIX}/plugins/{name}", 0o644)
