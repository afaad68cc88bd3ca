# SPDX-License-Identifier: MIT
"""A tunnel over UDP on a bad way: what is lost, late, repeated or altered on it never takes the
tunnel down, and what comes out of it is what went in."""

import time

from harness import case, runner
from harness.daemon import EVENT_S, write_key
from harness.flows import Flows
from harness.traffic import Ping, Transfer, ping, transfer

SIZE = 1 << 20
SMALL = 64 << 10  # for ways on which TCP crawls
SECONDS = 2
WINDOW = 400  # datagrams, some of them twice, which a daemon's socket holds while it does not run
FOUND_S = 15  # after a change of the dialler's place
UP_S = 120  # where half of all packets is lost, in either direction


class Bad(case.TunnelTest):
    kinds = ("udp",)

    def start(self, *commands, tunnel=None):
        """The tunnel comes up over a way that is bad already."""
        self.hosts_apart()
        self.cable(*commands)
        key = write_key("alice.psk")
        self.start_server(key, tunnel=tunnel)
        self.start_client(key, tunnel=tunnel)
        self.far.peer_up("office", timeout=UP_S)
        self.near.peer_up("alice", timeout=UP_S)
        self.patient(self.server, self.client)
        self.marks = self.near.mark(), self.far.mark()

    def stays_up(self):
        self.assertEqual(self.near.count("peer alice down", self.marks[0]), 0)
        self.assertEqual(self.far.count("peer office down", self.marks[1]), 0)

    def carries(self, size):
        transfer(self.client, self.server, case.SERVER_IN, size=size)
        transfer(self.server, self.client, case.CLIENT_IN6, size=size)

    def flows(self):
        """Datagrams both ways, as many as the daemons can carry without loss; those that come are
        whole. Returns the two Flows."""
        slow = self.near.sanitized("libtsan.so")
        gently = {"pause_s": 0.02 if slow else 0.002, "window": WINDOW}
        both = (
            Flows(self.client, self.server, case.SERVER_IN, SECONDS, **gently),
            Flows(self.server, self.client, case.CLIENT_IN6, SECONDS, runs=True, **gently),
        )
        for one in both:
            self.assertGreater(one.finish()[1], 0)
        return both

    def drops(self, daemon, name):
        return daemon.counters()[0].get(f"drop_{name}", 0)


class Lost(Bad):
    def test_one_in_a_hundred(self):
        self.start("lose both 1")
        self.carries(SIZE)
        self.flows()
        self.stays_up()

    def test_one_in_ten(self):
        self.start("lose both 10")
        self.carries(SMALL)
        self.flows()
        self.stays_up()

    def test_every_other(self):
        self.start("lose both 50")
        self.flows()
        self.assertGreater(ping(self.client, case.SERVER_IN, count=40, wait=1), 0)
        self.stays_up()

    def test_nothing_is_lost_beyond_what_the_way_lost(self):
        self.start("lose up 10")
        before = self.cable.counts()["up.lost"]
        flows = Flows(self.client, self.server, case.SERVER_IN, SECONDS, window=WINDOW)
        sent, arrived = flows.finish()
        lost = self.cable.counts()["up.lost"] - before  # keepalives and probes among them
        self.assertLessEqual(sent - arrived, lost)
        self.assertGreater(sent - arrived, 0)


class Shuffled(Bad):
    def test_late_ones(self):
        self.start("late both 20 5")
        self.carries(SIZE)
        for one in self.flows():
            self.assertEqual(one.repeated(), 0)
            self.assertEqual(sum(one.sent), sum(map(len, one.arrived)))
        self.assertEqual(self.drops(self.near, "old"), 0)
        self.stays_up()

    def test_repeated_ones_come_once(self):
        self.start("repeat both 50")
        self.carries(SIZE)
        for one in self.flows():
            self.assertEqual(one.repeated(), 0)
            self.assertEqual(sum(one.sent), sum(map(len, one.arrived)))
            self.assertEqual(one.out_of_order(), 0)
        for daemon in (self.near, self.far):
            self.assertGreater(self.drops(daemon, "replay"), 0)
        self.stays_up()

    def test_later_than_the_window(self):
        """Held back for a second behind what fills the smallest window many times."""
        self.start("late up 5 1000", tunnel={"replay_window": 64})
        _, _ = Flows(self.client, self.server, case.SERVER_IN, SECONDS).finish()
        self.assertGreater(self.drops(self.near, "old"), 0)
        self.stays_up()

    def test_delayed(self):
        self.start("delay both 50")
        self.carries(SIZE)
        self.flows()
        self.stays_up()

    def test_all_of_it_at_once(self):
        self.start(
            "lose both 2", "repeat both 5", "late both 5 20", "corrupt both 2", "delay both 10"
        )
        self.carries(SMALL)
        for one in self.flows():
            self.assertEqual(one.repeated(), 0)
        self.stays_up()


class Altered(Bad):
    def test_altered_ones_are_lost_and_nothing_else(self):
        self.start("corrupt both 10")
        self.carries(SMALL)
        self.flows()
        for daemon in (self.near, self.far):
            self.assertGreater(self.drops(daemon, "tag"), 0)
        self.stays_up()

    def test_all_altered(self):
        """Nothing comes through, nothing ends; an honest way is taken up by itself."""
        self.start()
        self.cable("corrupt both 100")
        self.assertEqual(ping(self.client, case.SERVER_IN, count=5, wait=0.5), 0)
        self.cable("honest")
        far = Ping(self.client, case.SERVER_IN, count=40, interval=0.25, wait=2)
        self.assertGreater(far.result()[1], 0)
        self.carries(SMALL)


class NewKeys(Bad):
    """A handshake each second, on a way that loses its messages as well."""

    def rekeys(self, *commands):
        self.start(*commands, tunnel={"rekey_after": 1})
        before = self.far.counters()[1]["office"]["handshakes"]
        running = (
            Transfer(self.client, self.server, case.SERVER_IN, seconds=SECONDS, gently=True),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=SECONDS, gently=True),
        )
        deadline = time.monotonic() + EVENT_S
        while True:
            for one in self.flows():
                self.assertEqual(one.repeated(), 0)
            if self.far.counters()[1]["office"]["handshakes"] > before:
                break
            self.assertLess(time.monotonic(), deadline, "no new keys")
        for one in running:
            one.finish()
        self.stays_up()

    def test_loss(self):
        self.rekeys("lose both 5")

    def test_shuffled(self):
        self.rekeys("late both 20 20", "repeat both 20")

    def test_delay(self):
        self.rekeys("delay both 100")

    def test_no_packet_is_lost_to_a_rekey(self):
        """Those under the old keys that new ones have overtaken are still opened."""
        self.start("late both 30 30", tunnel={"rekey_after": 1})
        for one in self.flows():
            self.assertEqual(sum(one.sent), sum(map(len, one.arrived)))
        self.stays_up()


class Translated(Bad):
    """The dialler behind an address translator that forgets."""

    PLACES = ("10.66.0.1 5001", "10.66.0.1 5002", "10.66.7.7 5002", "10.66.7.8 40000")

    def hosts_apart(self, **options):
        super().hosts_apart(**options)
        self.server.ip(f"route add 10.66.0.0/16 via {case.CLIENT}")

    def test_both_ends_reach_each_other(self):
        self.start("nat 10.66.0.1 5000")
        self.assertIn("10.66.0.1:5000", self.near.peer_up("alice").group(1))
        self.carries(SIZE)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        self.stays_up()

    def found_again(self):
        """The server answers to the new place."""
        for _ in range(FOUND_S):
            if ping(self.client, case.SERVER_IN, count=1, wait=1):
                return
        self.fail(f"the server still answers to the old place after {FOUND_S} s")

    def moves(self, **tunnel):
        self.start("nat 10.66.0.1 5000", tunnel=tunnel)
        running = (
            Transfer(self.client, self.server, case.SERVER_IN, seconds=2 * SECONDS, gently=True),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=2 * SECONDS, gently=True),
        )
        for one in running:
            one.begun()
        for place in self.PLACES:
            self.cable(f"nat {place}")
            self.found_again()
        for one in running:
            one.finish()
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        self.stays_up()

    def test_the_place_changes_during_transfers(self):
        self.moves()

    def test_the_place_changes_between_new_keys(self):
        self.moves(rekey_after=1)

    def test_the_place_changes_in_silence(self):
        """The dialler speaks first, and is found again."""
        self.start("nat 10.66.0.1 5000")
        self.cable("nat 10.66.0.2 6000")
        self.found_again()
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        self.stays_up()


runner.main()
