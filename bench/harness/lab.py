# SPDX-License-Identifier: MIT
"""The two hosts of the benchmark: a namespace each, and between them one veth pair, or a packet
relay that loses and delays."""

import subprocess

from tests.e2e.harness.network import Namespace, link
from tests.e2e.harness.packet_relay import between

DEVICE = "out"
SERVER, CLIENT = "10.9.0.1", "10.9.0.2"  # outside, on the veth
SERVER_IN, CLIENT_IN = "10.8.0.1", "10.8.0.2"  # inside, on a tunnel
OFFLOADS = ("tso", "gso", "tx-udp-segmentation")


class Refused(Exception):
    """The kernel does not allow what a series needs; the text says what."""


class Lab:
    def __init__(self):
        self.server, self.client = Namespace("server"), Namespace("client")
        self._middle = self._relay = None
        link(self.server, self.client, DEVICE, DEVICE, (f"{SERVER}/24",), (f"{CLIENT}/24",))

    def set_way(self, way):
        """What is between the hosts from now on; None: the veth pair, with its offloads."""
        for ns in (self.server, self.client):
            if ns.has_link(DEVICE):
                ns.ip(f"link del {DEVICE}")
        if self._relay:
            self._relay.release()
            self._middle.delete()
            self._middle = self._relay = None
        if way is None:
            link(self.server, self.client, DEVICE, DEVICE, (f"{SERVER}/24",), (f"{CLIENT}/24",))
            return
        self._middle = Namespace("middle")
        self._relay = between(
            self._middle, self.client, self.server, (f"{CLIENT}/24",), (f"{SERVER}/24",)
        )
        self._relay(f"lose both {way.loss_percent}", f"delay both {way.round_trip_ms / 2}")

    def check_way(self):
        """AssertionError if the way lost more than it was told since the last check."""
        if self._relay:
            self._relay.check()

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
