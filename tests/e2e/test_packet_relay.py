# SPDX-License-Identifier: MIT
"""The packet relay itself: what it is told to do happens, is counted, and nothing else happens. No
tunnel here: two hosts and the cable."""

import select
import socket
import struct
import time

from harness import case, runner
from harness.flows import BUFFER, SO_RCVBUFFORCE
from harness.gateways import run_in
from harness.traffic import Ping, transfer

COUNT = 1000
SETTLE_S = 30  # for the last packet, if it does not come
LOSSES = ("lost", "large", "full", "unknown", "unsegmented", "unfinished", "refused")


class Relayed(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.start()

    def start(self, **options):
        """Both hosts know each other's link address, so that only what a test sends is counted."""
        self.hosts_apart(**options)
        for address in (case.SERVER, case.SERVER6):
            self.assertEqual(Ping(self.client, address, count=1).result(), (1, 1))

    def again(self, **options):
        self.doCleanups()
        case.TunnelTest.setUp(self)
        self.start(**options)

    def datagrams(self, count=COUNT, size=100, family=socket.AF_INET):
        """Sends numbered datagrams up; returns (number, source) of those that arrive whole, in the
        order in which they do, and how many did not look as they were sent."""
        address = case.SERVER6 if family == socket.AF_INET6 else case.SERVER
        with self.server.socket(family, socket.SOCK_DGRAM) as end, self.client.socket(
            family, socket.SOCK_DGRAM
        ) as out:
            end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            end.bind((address, 0))
            end.setblocking(False)
            out.connect(end.getsockname())
            expected = count + self.missing()
            for number in range(count):
                out.send(struct.pack(">I", number) * (size // 4))
            return self.collect(end, size, lambda: expected - self.missing())

    def missing(self):
        """How many packets fewer than it was given the relay sends up."""
        counts = self.cable.counts()
        return sum(counts[f"up.{n}"] for n in LOSSES) - counts["up.repeated"]

    def collect(self, end, size, expected):
        arrived, altered = [], 0
        deadline = time.monotonic() + SETTLE_S
        while len(arrived) + altered < expected() and time.monotonic() < deadline:
            while select.select([end], [], [], 0.01)[0]:
                data, source = end.recvfrom(65536)
                numbers = set(struct.unpack(f">{size // 4}I", data))
                altered += len(numbers) > 1
                if len(numbers) == 1:
                    arrived.append((numbers.pop(), source[:2]))
        return arrived, altered

    def numbers(self, **options):
        arrived, altered = self.datagrams(**options)
        self.assertEqual(altered, 0)
        return [number for number, _ in arrived]

    def counted(self, name):
        return self.cable.counts()[name]


class Rules(Relayed):
    def test_honest_is_a_cable(self):
        self.assertEqual(self.numbers(), list(range(COUNT)))
        self.assertEqual(self.numbers(family=socket.AF_INET6), list(range(COUNT)))
        transfer(self.client, self.server, case.SERVER)
        transfer(self.server, self.client, case.CLIENT6)
        self.cable.check()

    def test_lost_are_as_many_as_told_and_counted(self):
        self.cable("lose up 10")
        arrived = self.numbers()
        lost = self.counted("up.lost")
        self.assertEqual(len(arrived) + lost, COUNT)
        self.assertTrue(60 <= lost <= 140, lost)
        self.assertEqual(self.counted("down.lost"), 0)

    def test_what_a_kernel_says_to_its_link_passes(self):
        """It does so at random times; no test is to depend on them."""
        self.cable("lose both 100")
        before = self.counted("up.received")
        with self.client.socket(socket.AF_INET6, socket.SOCK_DGRAM) as member:
            with self.client.inside():
                device = socket.if_nametoindex("out")
            group = socket.inet_pton(socket.AF_INET6, "ff02::1234") + struct.pack("@I", device)
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            self.cable(f"wait up received {before + 1}")
        self.assertEqual(self.counted("up.lost"), 0)

    def test_one_in_a_thousand(self):
        self.cable("lose up 0.1")
        arrived = self.numbers(count=10 * COUNT)
        lost = self.counted("up.lost")
        self.assertEqual(len(arrived) + lost, 10 * COUNT)
        self.assertTrue(1 <= lost <= 30, lost)

    def test_all(self):
        self.cable("lose both 100")
        self.assertEqual(Ping(self.client, case.SERVER, count=3, wait=0.2).result(), (3, 0))
        self.cable("honest")
        self.assertEqual(Ping(self.client, case.SERVER, count=3).result(), (3, 3))

    def test_the_same_seed_loses_the_same(self):
        self.cable("lose up 10")
        first = self.numbers()
        self.again()
        self.cable("lose up 10", "corrupt down 50")
        self.assertEqual(self.numbers(), first)
        self.again(seed=2)
        self.cable("lose up 10")
        self.assertNotEqual(self.numbers(), first)

    def test_repeated(self):
        self.cable("repeat up 10")
        arrived = self.numbers()
        self.assertEqual(len(arrived) - COUNT, self.counted("up.repeated"))
        self.assertTrue(60 <= self.counted("up.repeated") <= 140)
        self.assertEqual(sorted(set(arrived)), list(range(COUNT)))

    def test_late_ones_are_overtaken(self):
        self.cable("late up 10 50")
        arrived = self.numbers()
        self.assertEqual(sorted(arrived), list(range(COUNT)))
        self.assertNotEqual(arrived, sorted(arrived))
        self.assertTrue(60 <= self.counted("up.late") <= 140)

    def test_corrupted_ones_arrive(self):
        for family in (socket.AF_INET, socket.AF_INET6):
            self.cable("corrupt up 10")
            before = self.counted("up.corrupted")
            arrived, altered = self.datagrams(family=family)
            self.assertEqual(len(arrived) + altered, COUNT, "a kernel dropped some of them")
            self.assertEqual(altered, self.counted("up.corrupted") - before)
            self.assertTrue(60 <= altered <= 140, altered)

    def test_delayed_and_in_order(self):
        self.cable("delay up 30", "delay down 20")
        start = time.monotonic()
        self.assertEqual(Ping(self.client, case.SERVER, count=1).result(), (1, 1))
        self.assertGreaterEqual(time.monotonic() - start, 0.05)
        self.assertEqual(self.numbers(), list(range(COUNT)))
        transfer(self.client, self.server, case.SERVER)
        self.cable.check()

    def test_a_shorter_delay_does_not_reorder(self):
        self.cable("delay up 300")
        with self.server.socket(kind=socket.SOCK_DGRAM) as end, self.client.socket(
            kind=socket.SOCK_DGRAM
        ) as out:
            end.settimeout(10)
            end.bind((case.SERVER, 0))
            out.sendto(b"first", end.getsockname())
            self.cable("wait up received 1", "delay up 0")
            out.sendto(b"second", end.getsockname())
            self.assertEqual([end.recv(10), end.recv(10)], [b"first", b"second"])

    def test_longer_ones_lost(self):
        self.cable("limit up 528")
        self.assertEqual(len(self.numbers(size=500)), COUNT)
        self.assertEqual(len(self.numbers(size=504)), 0)
        self.assertEqual(self.counted("up.large"), COUNT)

    def test_a_full_queue_loses_the_rest(self):
        self.again(packets=64)
        self.cable("delay up 500")
        self.assertLessEqual(len(self.numbers()), 64)
        self.assertGreaterEqual(self.counted("up.full"), COUNT - 64)

    def test_what_a_device_should_have_finished_is_counted(self):
        self.client_offload("tx", "on")
        self.assertEqual(self.numbers(), [])
        self.assertEqual(self.counted("up.unfinished"), COUNT)
        with self.assertRaises(AssertionError):
            self.cable.check()

    def client_offload(self, name, state):
        run_in(self.client, "ethtool", "-K", "out", name, state)

    def test_nonsense_is_refused(self):
        for command in (
            "lose up",
            "lose up x",
            "lose sideways 1",
            "lose up 101",
            "late up 1",
            "lose up -1",
            "delay up",
            "nat",
            "nat x 1",
            "nat 10.0.0.1",
            "fly",
            "",
            "wait up nothing 1",
            "wait both lost 1",
        ):
            with self.assertRaisesRegex(RuntimeError, "no command", msg=command):
                self.cable(command)
        self.assertEqual(len(self.numbers()), COUNT)


class Translation(Relayed):
    """The client behind the cable's address translation."""

    def setUp(self):
        super().setUp()
        self.server.ip(
            f"route add 10.66.0.0/16 via {case.CLIENT}", f"route add fd66::/64 via {case.CLIENT6}"
        )
        self.end = self.server.socket(kind=socket.SOCK_DGRAM)
        self.addCleanup(self.end.close)
        self.end.settimeout(10)
        self.end.bind((case.SERVER, 0))
        self.out = self.client.socket(kind=socket.SOCK_DGRAM)
        self.addCleanup(self.out.close)
        self.out.settimeout(10)
        self.out.connect(self.end.getsockname())

    def asks_and_is_answered(self):
        self.out.send(b"question")
        data, source = self.end.recvfrom(100)
        self.end.sendto(data + b", answered", source)
        self.assertEqual(self.out.recv(100), b"question, answered")
        return source

    def test_one_place_after_the_other(self):
        self.assertEqual(self.asks_and_is_answered(), self.out.getsockname())
        for place in (("10.66.0.1", 5000), ("10.66.0.1", 5001), ("10.66.3.4", 65535)):
            self.cable("nat {} {}".format(*place))
            self.assertEqual(self.asks_and_is_answered(), place)
        self.cable("nat off")
        self.assertEqual(self.asks_and_is_answered(), self.out.getsockname())
        self.cable.check()

    def test_the_place_before_is_gone(self):
        self.cable("nat 10.66.0.1 5000")
        before = self.asks_and_is_answered()
        self.cable("nat 10.66.0.1 5001")
        self.end.sendto(b"to the old place", before)
        self.end.sendto(b"to the inside", self.out.getsockname())
        self.cable("wait down unknown 2")
        self.asks_and_is_answered()

    def test_ipv6(self):
        with self.server.socket(socket.AF_INET6, socket.SOCK_DGRAM) as end, self.client.socket(
            socket.AF_INET6, socket.SOCK_DGRAM
        ) as out:
            end.settimeout(10)
            out.settimeout(10)
            end.bind((case.SERVER6, 0))
            self.cable("nat fd66::7 77")
            out.sendto(b"question", end.getsockname())
            data, source = end.recvfrom(100)
            self.assertEqual(source[:2], ("fd66::7", 77))
            end.sendto(data, source)
            self.assertEqual(out.recv(100), b"question")

    def test_every_size_keeps_its_checksum(self):
        self.cable("nat 10.66.255.254 1")
        for size in range(1, 1473, 13):
            data = bytes(i * size % 251 for i in range(size))
            self.out.send(data)
            self.assertEqual(self.end.recv(2000), data)


runner.main()
