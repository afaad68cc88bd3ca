# SPDX-License-Identifier: MIT
"""The two hosts of the benchmark: a namespace each, one veth pair between them."""

import subprocess

from tests.e2e.harness.network import Namespace, link

DEVICE = "out"
SERVER, CLIENT = "10.9.0.1", "10.9.0.2"  # outside, on the veth
SERVER_IN, CLIENT_IN = "10.8.0.1", "10.8.0.2"  # inside, on a tunnel
OFFLOADS = ("tso", "gso", "tx-udp-segmentation")


class Refused(Exception):
    """The kernel does not allow what a series needs; the text says what."""


class Lab:
    def __init__(self):
        self.server, self.client = Namespace("server"), Namespace("client")
        link(self.server, self.client, DEVICE, DEVICE, (f"{SERVER}/24",), (f"{CLIENT}/24",))

    def set_congestion(self, name):
        """For all TCP connections from now on that do not choose themselves."""
        for ns in (self.server, self.client):
            try:
                ns.sysctl("net.ipv4.tcp_congestion_control", name)
            except OSError as error:
                raise Refused(
                    f"a namespace may not use {name} for TCP ({error.strerror}); run as root on "
                    f"a machine that lists it in net.ipv4.tcp_available_congestion_control"
                ) from error

    def set_offloads(self, on):
        """Whether the veth pair takes what the kernel has not cut into packets yet."""
        words = [word for name in OFFLOADS for word in (name, "on" if on else "off")]
        for ns in (self.server, self.client):
            done = subprocess.run(
                ns.command("ethtool", "-K", DEVICE, *words),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise Refused(f"ethtool -K {DEVICE} {' '.join(words)}: {done.stderr.strip()}")
