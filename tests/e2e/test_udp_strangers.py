# SPDX-License-Identifier: MIT
"""What anybody can send to the UDP port: never answered, never in the way of a peer, and nothing is
kept of it."""

import os
import random
import re
import socket
import struct
import time

from harness import case, runner
from harness.daemon import write_key
from harness.network import link
from harness.packets import UDP, Packet
from harness.traffic import Capture, Ping, Transfer, ping

COUNT = 1_000_000
RUN = 50  # datagrams a call
SOL_UDP, UDP_SEGMENT = 17, 103
SERVER2 = "10.9.2.1"
LOG_WINDOW_S, LINES_A_WINDOW = 10, 60  # a topic has six lines in that time
SLACK_MB = 1.0  # of memory, for the allocator and the kernel's counting
M1, M2, M3, RETRY = 192, 164, 40, 80


class Strangers(case.TunnelTest):
    """An established tunnel, and a stranger on a link of its own."""

    kinds = ("udp",)

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")
        self.stranger = self.namespace("stranger")
        link(self.server, self.stranger, "out2", "out", (f"{SERVER2}/24",), ("10.9.2.2/24",))
        self.start_server(self.key)
        self.capture = Capture(self.server, "out")
        self.start_client(self.key)
        self.both_up()
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.capture.stop()
        self.marks = self.near.mark(), self.far.mark()
        self.seen = Capture(self.stranger, "out")
        self.out = self.stranger.socket(kind=socket.SOCK_DGRAM)
        self.addCleanup(self.out.close)
        self.out.connect((SERVER2, case.PORT))

    def payloads(self):
        """What went to and from the server's port while the tunnel came up, oldest first."""
        for data in self.capture.packets:
            if data[12:14] == b"\x08\x00" and data[23] == UDP:
                yield Packet(data[14:])

    def unharmed(self):
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(self.near.count("peer alice down", self.marks[0]), 0)
        self.assertEqual(self.far.count("peer office down", self.marks[1]), 0)
        self.assertEqual(self.near.count("peer alice up", self.marks[0]), 0)

    def silent(self):
        """Nothing has come to the stranger from the port."""
        answers = [
            p
            for p in self.seen.stop().packets
            if p[12:14] == b"\x08\x00" and p[23] == UDP and p[34:36] == case.PORT.to_bytes(2, "big")
        ]
        self.assertEqual(len(answers), 0)

    def dropped(self):
        counters = self.near.counters()[0]
        return sum(n for name, n in counters.items() if name.startswith(("drop_", "handshake_")))

    def memory_mb(self):
        with open(f"/proc/{self.near.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) / 1024

    def flood(self, count):
        """Datagrams of every shape that gets past a first look, as many of a size with a call."""
        noise = random.Random(1)
        shapes = (
            lambda: noise.randbytes(noise.randint(1, 1400)),
            lambda: b"\x01\x01\x01\x01\0\0\0\0" + noise.randbytes(M1 - 8),
            lambda: b"\x01\x01\x01\x02" + noise.randbytes(M2 - 4),
            lambda: b"\x01\x01\x01\x03" + noise.randbytes(M3 - 4),
            lambda: b"\x01\x01\x01\x04" + noise.randbytes(RETRY - 4),
            lambda: b"\x02\x01\x00\x00" + noise.randbytes(noise.randint(29, 1300)),
            lambda: b"\x02\x01\x00\x00\0\0\0\0" + noise.randbytes(100),
        )
        for _ in range(count // RUN):
            first = noise.choice(shapes)()
            head = 4 if first[0] in (1, 2) else 0
            rest = noise.randbytes((len(first) - head) * (RUN - 1))
            step = len(first) - head
            run = first + b"".join(
                first[:head] + rest[i * step : (i + 1) * step] for i in range(RUN - 1)
            )
            self.out.setsockopt(SOL_UDP, UDP_SEGMENT, len(first))
            for at in range(0, len(run), len(first) * (65000 // len(first))):
                try:
                    self.out.send(run[at : at + len(first) * (65000 // len(first))])
                except ConnectionRefusedError:
                    self.fail("nobody listens")

    def transfers(self, meanwhile=lambda: None):
        running = [
            Transfer(self.client, self.server, case.SERVER_IN, size=32 << 20),
            Transfer(self.server, self.client, case.CLIENT_IN, size=32 << 20),
        ]
        meanwhile()
        for one in running:
            one.finish()

    def test_a_million_datagrams_during_a_transfer(self):
        began = time.monotonic()
        self.flood(10 * RUN)  # what is made once, and what a transfer needs, is made
        self.transfers()
        before, memory = self.dropped(), self.memory_mb()
        descriptors = self.near.descriptors()
        self.transfers(lambda: self.flood(COUNT))
        grown = self.memory_mb() - memory
        self.assertGreater(self.dropped() - before, COUNT // 100)
        self.assertEqual(self.near.descriptors(), descriptors)
        if not self.near.sanitized():  # its shadow memory grows with what is touched
            self.assertLess(grown, SLACK_MB)
        self.unharmed()
        self.silent()
        windows = (time.monotonic() - began) / LOG_WINDOW_S + 2
        lines = self.near.mark() - self.marks[0]
        self.assertLess(lines, windows * LINES_A_WINDOW, "the log was flooded")

    def test_what_was_on_the_wire_again(self):
        """Every message of the client, from elsewhere: none is answered, none has any effect."""
        counters = self.near.counters()[1]["alice"]
        port = case.PORT.to_bytes(2, "big")
        sent = [p.payload for p in self.payloads() if p.body[2:4] == port]
        self.assertEqual(sent[0][:8], b"\x01\x01\x01\x01\0\0\0\0")
        self.assertTrue(any(p[:4] == b"\x02\x01\x00\x00" for p in sent))
        before = self.dropped()
        for data in sent * 3:
            self.out.send(data)
        self.arrives(before + 2 * len(sent))
        self.unharmed()
        self.silent()
        self.assertEqual(self.near.counters()[1]["alice"]["handshakes"], counters["handshakes"])

    def arrives(self, dropped):
        """Until so many were dropped in all."""
        for _ in range(100):
            if self.dropped() >= dropped:
                return
            ping(self.client, case.SERVER_IN, count=1)
        self.fail(f"{self.dropped()} were dropped, not {dropped}")

    def test_answers_of_the_server_sent_to_it(self):
        port = case.PORT.to_bytes(2, "big")
        sent = [p.payload for p in self.payloads() if p.body[:2] == port]
        before = self.dropped()
        for data in sent:
            self.out.send(data)
        self.arrives(before + len(sent))
        self.unharmed()
        self.silent()

    def test_a_first_message_after_a_restart_gets_less_than_it_sent(self):
        first = next(self.payloads()).payload
        self.far.kill()
        self.near.kill()
        self.start_server(self.key)
        self.out.settimeout(10)
        self.out.send(first)
        self.assertLess(len(self.out.recv(2000)), len(first))
        self.assertEqual(self.near.count("peer alice up"), 0)
        self.start_client(self.key).peer_up("office")

    def test_pings_go_on_during_a_flood(self):
        pings = Ping(self.client, case.SERVER_IN, count=50, interval=0.05)
        self.flood(COUNT // 20)
        self.assertGreater(pings.result()[1], 0)
        self.unharmed()
        self.silent()

    def test_every_length(self):
        before = self.dropped()
        for length in (
            0,
            1,
            7,
            8,
            9,
            15,
            16,
            32,
            33,
            39,
            40,
            41,
            80,
            164,
            191,
            192,
            193,
            512,
            1472,
        ):
            for head in (b"", b"\x01\x01\x01\x01", b"\x02\x01\x00\x00", b"\x02\x02\x00\x00"):
                self.out.send((head + os.urandom(length))[:length])
        self.out.send(struct.pack(">BBBBI", 2, 1, 0, 0, 0xFFFFFFFF) + bytes(30000))
        self.arrives(before + 1)
        self.unharmed()
        self.silent()


runner.main()
