# SPDX-License-Identifier: MIT
"""A cable between two hosts that misbehaves on command, packet by packet, so that TCP and UDP get
the same treatment: tests/e2e/packet_relay, in a namespace of its own.

Every command is one line, answered once it is in force. DIR is "up" (from the first host to the
second), "down" or "both"; PERCENT may have decimals. Nothing happens by chance to what kernels say
to their link at times of their own choice (neighbour discovery, listener reports, ARP) and what is
not IP.

  lose DIR PERCENT            of the packets
  repeat DIR PERCENT          send it twice
  late DIR PERCENT MS         hold it back that much longer than the others: they overtake it
  corrupt DIR PERCENT         flip a bit of the payload of TCP or UDP, the checksum still right
  delay DIR MS                of every packet; their order stays
  limit DIR BYTES             lose IP packets longer than that; 0: none
  nat ADDRESS PORT, nat off   UDP from the first host leaves with this source, and what comes to it
                              is for whoever of that host sent last; all else that comes is lost.
                              The second host needs a route to ADDRESS. Again: another place
  honest                      forget all of the above but nat
  wait DIR COUNT TOTAL        answered when that count is reached, or "late" after 30 s
  counts                      "up.lost=3 ...": struct way_counts in way.h says what they are
"""

import shutil
import subprocess
import threading
import unittest

from .network import link
from .sandbox import PREFIX

DEVICE = "out"
# What a host would leave to the device. A veth passes it on as it is, and the relay with it.
OFFLOADS = ("tx", "tso", "tx-udp-segmentation")


class PacketRelay:
    """The process between two devices of a namespace. relay("lose both 1") returns when it is in
    force. A seed makes the same choices for the same sequence of packets."""

    def __init__(self, ns, first, second, seed=1, packets=None):
        self._lock = threading.Lock()
        room = ("--packets", str(packets)) if packets else ()
        self.process = subprocess.Popen(
            ns.command(f"{PREFIX}/packet_relay", "--seed", str(seed), *room, first, second),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._answer("start", "ready")
        self._checked = {}

    def __call__(self, *commands):
        for command in commands:
            with self._lock:
                self.process.stdin.write(command + "\n")
                self._answer(command, "ok")

    def counts(self):
        """{"up.lost": 3, ...}"""
        with self._lock:
            self.process.stdin.write("counts\n")
            words = self._answer("counts").split()
        pairs = (word.partition("=") for word in words)
        return {name: int(value) for name, _, value in pairs}

    def check(self):
        """AssertionError if it lost, since the last check, what it was not told to lose: then its
        user measured that."""
        names = ("full", "overrun", "refused", "unfinished", "unsegmented")
        before, self._checked = self._checked, self.counts()
        lost = {
            name: count - before.get(name, 0)
            for name, count in self._checked.items()
            if name.partition(".")[2] in names and count > before.get(name, 0)
        }
        if lost:
            raise AssertionError(f"the packet relay lost more than it should: {lost}")

    def _answer(self, command, wanted=None):
        answer = self.process.stdout.readline().strip()
        if not answer or (wanted and answer != wanted):
            raise RuntimeError(f"packet relay: {command}: {answer or 'it has ended'}")
        return answer

    def release(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def between(middle, first, second, first_addresses, second_addresses, **options):
    """Joins two hosts, each with a device "out", by a relay that lives in `middle`."""
    if not shutil.which("ethtool"):
        raise unittest.SkipTest("not installed: ethtool (scripts/install-deps test)")
    middle.sysctl("net.ipv6.conf.default.disable_ipv6", 1)  # it says nothing of its own
    for ns, leg, addresses in (
        (first, "first", first_addresses),
        (second, "second", second_addresses),
    ):
        link(middle, ns, leg, DEVICE, (), addresses)
        words = [word for name in OFFLOADS for word in (name, "off")]
        subprocess.run(
            ns.command("ethtool", "-K", DEVICE, *words), check=True, stdout=subprocess.DEVNULL
        )
    return PacketRelay(middle, "first", "second", **options)
