# SPDX-License-Identifier: MIT
"""Over UDP: how large a datagram may be on its way, and where the dialling end is; both change."""

import signal
import time

from harness import case, runner
from harness.daemon import write_key
from harness.traffic import Ping, Transfer, ping, transfer

ELSEWHERE = "10.9.0.77"
UDP4 = 28  # what IPv4 and UDP add to a record
OVERHEAD = 33  # what a record adds to a packet
CLEAR = 1419 + OVERHEAD  # `mtu = auto` is ready for IPv6 outside
STEP = 8  # sizes nearer than this are not told apart
SEARCH_S = 40
BLACK_HOLE_S = 5
MARGIN_S = 10  # for a busy machine
BACK_S = 10


class Path(case.TunnelTest):
    kinds = ("udp",)

    def start(self, *commands):
        self.hosts_apart()
        self.cable(*commands)
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key)
        self.both_up()

    def sizes(self, since=(0, 0)):
        """What each end found, of records: the client, the server."""
        wanted = r"peer \w+: the path takes records of (\d+) bytes, inner mtu (\d+)"
        found = []
        for daemon, mark in zip((self.far, self.near), since):
            record, mtu = map(int, daemon.expect(wanted, mark, timeout=SEARCH_S).groups())
            self.assertEqual(mtu, record - OVERHEAD)
            found.append(record)
        return tuple(found)

    def fits(self, ns, address, mtu):
        """A packet of so many bytes passes, and its answer; of one more not."""
        self.assertEqual(ping(ns, address, size=mtu - 28, fragment=False), 3)
        self.assertEqual(ping(ns, address, count=1, size=mtu - 27, fragment=False, wait=1), 0)


class Size(Path):
    def test_a_clear_path_is_used_whole(self):
        self.start()
        self.assertEqual(self.sizes(), (CLEAR, CLEAR))
        self.fits(self.client, case.SERVER_IN, CLEAR - OVERHEAD)
        self.fits(self.server, case.CLIENT_IN, CLEAR - OVERHEAD)

    def test_a_smaller_path_is_found_without_icmp(self):
        self.start("limit both 1400")
        for size in self.sizes():
            self.assertIn(size, range(1400 - UDP4 - STEP + 1, 1400 - UDP4 + 1))
        transfer(self.client, self.server, case.SERVER_IN)
        transfer(self.server, self.client, case.CLIENT_IN6)

    def test_below_1280_ipv6_is_refused(self):
        self.start("limit both 1250")
        self.far.expect("peer office: not even records of 1313 bytes arrive")
        self.near.expect("peer alice: not even records of 1313 bytes arrive")
        self.sizes()
        self.assertEqual(ping(self.client, case.SERVER_IN6, count=1, wait=1), 0)
        self.assertGreater(self.far.counters()[1]["office"]["drop_small_path"], 0)
        transfer(self.client, self.server, case.SERVER_IN, size=1 << 20)

    def test_a_black_hole_in_the_middle_of_a_transfer(self):
        self.start()
        self.sizes()
        marks = self.far.mark(), self.near.mark()
        running = (
            Transfer(self.client, self.server, case.SERVER_IN, seconds=20, gently=True),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=20, gently=True),
        )
        time.sleep(1)
        self.cable("limit both 1400")
        for daemon, mark in zip((self.far, self.near), marks):
            daemon.expect(
                f"records of {CLEAR} bytes do not arrive any more",
                mark,
                timeout=BLACK_HOLE_S + MARGIN_S,
            )
        for one in running:
            one.finish()
        for size in self.sizes(marks):
            self.assertIn(size, range(1400 - UDP4 - STEP + 1, 1400 - UDP4 + 1))


class Place(Path):
    def stays_and_moved_to(self, place, marks):
        self.near.expect(f"peer alice moved: endpoint {place}", marks[1])
        self.assertEqual(self.near.count("peer alice down", marks[1]), 0)
        self.assertEqual(self.far.count("peer office down", marks[0]), 0)
        self.assertEqual(self.near.counters()[1]["alice"]["handshakes"], 1)

    def moves(self, change, place):
        marks = self.far.mark(), self.near.mark()
        running = (
            Transfer(self.client, self.server, case.SERVER_IN, seconds=4, gently=True),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=4, gently=True),
        )
        time.sleep(1)
        change()
        for one in running:
            one.finish()
        self.stays_and_moved_to(place, marks)

    def test_the_address_changes_during_transfers(self):
        self.start()
        self.moves(
            lambda: self.client.ip(
                f"addr del {case.CLIENT}/24 dev out", f"addr add {ELSEWHERE}/24 dev out"
            ),
            ELSEWHERE,
        )

    def test_a_translator_forgets_during_transfers(self):
        self.hosts_apart()
        self.server.ip(f"route add 10.66.0.0/16 via {case.CLIENT}")
        self.cable("nat 10.66.0.1 5000")
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key)
        self.both_up()
        self.moves(lambda: self.cable("nat 10.66.0.2 6000"), "10.66.0.2:6000")

    def test_an_idle_dialler_tells_its_new_address_at_once(self):
        """Nothing is sent inside; the server's first packet already finds it."""
        self.start()
        self.sizes()
        since = self.near.mark()
        self.client.ip(f"addr del {case.CLIENT}/24 dev out", f"addr add {ELSEWHERE}/24 dev out")
        self.near.expect(f"peer alice moved: endpoint {ELSEWHERE}", since, timeout=MARGIN_S)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)


class Asleep(Path):
    """An end that does not run for a while, as a machine that sleeps."""

    def setUp(self):
        super().setUp()
        self.start()
        self.sizes()

    def sleeps(self, daemon):
        daemon.signal(signal.SIGSTOP)
        time.sleep(20)
        daemon.signal(signal.SIGCONT)
        tries = [
            Ping(ns, address, count=4 * BACK_S, interval=0.25, wait=1)
            for ns, address in ((self.client, case.SERVER_IN), (self.server, case.CLIENT_IN))
        ]
        for one in tries:
            self.assertGreater(one.result()[1], 0)
        transfer(self.client, self.server, case.SERVER_IN, size=1 << 20)
        self.assertEqual(self.near.count("do not arrive"), 0)
        self.assertEqual(self.far.count("do not arrive"), 0)

    def test_the_dialler(self):
        self.sleeps(self.far)

    def test_the_other_end(self):
        self.sleeps(self.near)


runner.main()
