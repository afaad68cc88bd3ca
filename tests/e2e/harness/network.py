# SPDX-License-Identifier: MIT
"""Network namespaces, the veth links between them, and sockets opened inside of them."""

import contextlib
import os
import socket
import subprocess

from .sandbox import CLONE_NEWNET, libc


class Namespace:
    """A network namespace by name. Lives until delete()."""

    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"
        _run(["ip", "netns", "add", name])
        self.ip("link set lo up")

    def delete(self):
        _run(["ip", "netns", "del", self.name])

    def ip(self, *lines):
        """Runs `ip` command lines, without the leading `ip`, in one go; returns their output."""
        return _run(["ip", "-n", self.name, "-force", "-batch", "-"], "\n".join(lines) + "\n")

    def command(self, *command):
        """The command line that runs `command` in here; one process, no wrapper stays."""
        return ["nsenter", f"--net={self.path}", *command]

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in here for the length of the block."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self.path)
            yield self
        finally:
            if libc.setns(back, CLONE_NEWNET) != 0:
                os.abort()  # a thread lost in a foreign namespace would test the wrong thing
            os.close(back)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        """A socket stays in the namespace it was made in, whoever uses it."""
        with self.inside():
            return socket.socket(family, kind, protocol)

    def sysctl(self, key, value):
        with self.inside(), open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as f:
            f.write(str(value))

    def has_link(self, name):
        with self.inside():
            return name in (entry for _, entry in socket.if_nameindex())

    def routes(self):
        """All routes of both families, as sorted lines; without those of multicast, which the kernel
        adds to a link of its own some time after it is up."""
        text = _run(["ip", "-n", self.name, "route", "show", "table", "all"])
        text += _run(["ip", "-n", self.name, "-6", "route", "show", "table", "all"])
        return sorted(line.strip() for line in text.splitlines() if "ff00::/8" not in line)


def link(left, right, left_name, right_name, left_addresses, right_addresses):
    """A veth pair between two namespaces, up, with addresses ("10.9.0.1/24", "fd09::1/64")."""
    left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.name}")
    for ns, name, addresses in (
        (left, left_name, left_addresses),
        (right, right_name, right_addresses),
    ):
        ns.ip(
            f"link set {name} addrgenmode none",  # no link-local address that comes a second later
            *(f"addr add {a} dev {name}" + (" nodad" if ":" in a else "") for a in addresses),
            f"link set {name} up",
        )


def _setns(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(f"setns {path}")
    finally:
        os.close(fd)


def _run(command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {stdin or ''}{done.stderr.strip()}")
    return done.stdout
