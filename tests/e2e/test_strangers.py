# SPDX-License-Identifier: MIT
"""What anybody can send to the port: never answered, never in the way of a peer."""

import os
import random
import select
import socket
import struct
import time

from harness import case, runner
from harness.daemon import EVENT_S, write_key
from harness.network import link
from harness.traffic import Capture, Ping, ping

HALF_OPEN, HALF_OPEN_MAX = 300, 256
SOURCES = 60  # addresses of the stranger, so that its limit per source is not the only one tested
CLOSED_S = 5  # after accept
M1_FRAME = 4 + 192


class Strangers(case.TunnelTest):
    """An established tunnel, and a stranger on a link of its own."""

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key, self.bob = write_key("alice.psk"), write_key("bob.psk")
        peers = {
            **self.alice(self.key),
            "bob": {"psk_file": self.bob, "allowed_ips": "10.8.0.3/32"},
        }
        self.stranger = self.namespace("stranger")
        addresses = [f"10.9.2.{i + 2}/24" for i in range(SOURCES)]
        link(self.server, self.stranger, "out2", "out", ("10.9.2.1/24",), addresses)
        self.near = self.daemon(self.server, "server", case.server_ini(peers)).ready()
        self.capture = Capture(self.server, "out")
        self.start_client(self.key)
        self.both_up()
        self.capture.stop()
        self.near_mark, self.far_mark = self.near.mark(), self.far.mark()

    def connection(self, source=2):
        stream = self.stranger.socket()
        stream.settimeout(CLOSED_S + EVENT_S)
        stream.bind((f"10.9.2.{source}", 0))
        stream.connect(("10.9.2.1", case.PORT))
        return stream

    def unharmed(self):
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(self.near.count("peer alice down", self.near_mark), 0)
        self.assertEqual(self.far.count("peer office down", self.far_mark), 0)

    def silent(self, data, source=2):
        """The server closes this connection and has answered nothing."""
        with self.connection(source) as stream:
            try:
                stream.sendall(data)
                self.assertEqual(stream.recv(1), b"", data[:16])
            except (ConnectionResetError, BrokenPipeError):
                pass

    def test_half_open_flood_at_a_byte_a_second(self):
        before = self.near.descriptors()
        pings = Ping(self.client, case.SERVER_IN, count=150, interval=0.05)
        began = time.monotonic()
        flood = HalfOpen([self.connection(2 + i % SOURCES) for i in range(HALF_OPEN)])
        flood.drip()
        flood.wait(lambda: len(flood.closed) >= HALF_OPEN - HALF_OPEN_MAX, EVENT_S)
        self.near.expect(f"{HALF_OPEN_MAX} unauthenticated connections, the oldest", self.near_mark)
        self.assertEqual(flood.closed, set(range(len(flood.closed))), "not the oldest")
        self.assertGreaterEqual(len(flood.closed), HALF_OPEN - HALF_OPEN_MAX)
        if time.monotonic() - began < CLOSED_S:  # none of them for its age
            self.assertEqual(len(flood.closed), HALF_OPEN - HALF_OPEN_MAX)
        bob = self.daemon(
            self.stranger,
            "bob",
            case.client_ini(
                self.bob,
                tunnel={"address": "10.8.0.3/24"},
                endpoint=f"tcp://10.9.2.1:{case.PORT}",
                allowed_ips="10.8.0.0/24",
            ),
        )
        bob.peer_up("office")
        while len(flood.closed) < HALF_OPEN and flood.drip():
            flood.wait(lambda: len(flood.closed) == HALF_OPEN, 1)
        self.assertEqual(len(flood.closed), HALF_OPEN, "half-open connections are still there")
        self.assertEqual(pings.result(), (150, 150))
        self.unharmed()
        self.assertLessEqual(self.near.descriptors(), before + 1)  # and bob

    def test_garbage_of_every_kind_gets_silence(self):
        before = self.near.descriptors()
        noise = random.Random(1).randbytes
        for data in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(500),
            b"SSH-2.0-x\r\n",
            bytes(1000),
            b"\xff" * 1000,
            struct.pack(">I", 0),
            struct.pack(">I", 0xFFFFFFFF),
            struct.pack(">I", 513) + bytes(513),
            struct.pack(">I", 192) + b"\x01\x01\x01\x01" + bytes(188),
            struct.pack(">I", 192) + b"\x01\x01\x01\x01" + noise(188),
            struct.pack(">I", 192) + b"\x01\x02\x01\x01" + noise(188),
            struct.pack(">I", 192) + b"\x01\x01\x02\x01" + noise(188),
            struct.pack(">I", 164) + b"\x01\x01\x01\x02" + noise(160),
            struct.pack(">I", 40) + b"\x01\x01\x01\x03" + noise(36),
            struct.pack(">I", 80) + b"\x01\x01\x01\x04" + noise(76),
            struct.pack(">I", 60) + b"\x02\x01\x00\x00" + noise(56),
            *(struct.pack(">I", 1 + i % 512) + noise(1 + i % 512) for i in range(0, 1024, 17)),
            *(noise(i) for i in range(40, 4000, 97)),
        ):
            self.silent(data)
        self.unharmed()
        self.assertLessEqual(self.near.descriptors(), before)
        self.near.expect("warning: .*10\\.9\\.2\\.2", self.near_mark)

    def test_a_first_message_again_gets_silence_and_no_session(self):
        first = self.first_message()
        for source in (2, 3):
            self.silent(first, source)
        self.unharmed()
        self.assertEqual(self.near.count("peer alice up", self.near_mark), 0)

    def test_a_first_message_again_after_a_restart_makes_no_session(self):
        first = self.first_message()
        self.far.stop()
        self.near.kill()
        self.near = self.daemon(
            self.server, "server", case.server_ini(self.alice(self.key))
        ).ready()
        with self.connection() as stream:
            stream.sendall(first)
            received = stream.recv(1000)
        self.assertLess(len(received), len(first), "an answer is smaller than its request")
        self.assertEqual(self.near.count("peer alice up"), 0)
        self.start_client(self.key).peer_up("office")

    def first_message(self):
        for packet in self.capture.packets:
            if packet[12:14] != b"\x08\x00" or packet[23] != socket.IPPROTO_TCP:
                continue
            payload = packet[14 + 20 :]
            payload = payload[(payload[12] >> 4) * 4 :]
            if len(payload) == M1_FRAME and payload[:8] == b"\0\0\0\xc0\x01\x01\x01\x01":
                return payload
        raise AssertionError("no first message was seen on the outer link")

    def test_the_log_of_a_flood_is_summed_up(self):
        for _ in range(100):
            self.silent(struct.pack(">I", 192) + b"\x01\x01\x01\x01" + os.urandom(188))
        self.assertLess(self.near.mark() - self.near_mark, 30)
        self.unharmed()


class HalfOpen:
    """Connections that send the beginning of a first message, a byte at a time."""

    MESSAGE = b"\x00\x00\x00\xc0\x01\x01\x01\x01" + bytes(2 * CLOSED_S)

    def __init__(self, streams):
        self.streams, self.closed, self.sent = streams, set(), 0
        self._poll = select.poll()
        self._by_fd = {stream.fileno(): i for i, stream in enumerate(streams)}
        for stream in streams:
            stream.setblocking(False)
            self._poll.register(stream, select.POLLIN)

    def drip(self):
        """One more byte on each; False when the message is at its end."""
        if self.sent == len(self.MESSAGE):
            return False
        byte = self.MESSAGE[self.sent : self.sent + 1]
        self.sent += 1
        for i, stream in enumerate(self.streams):
            if i not in self.closed:
                try:
                    stream.send(byte)
                except OSError:
                    self._close(i)
        return True

    def wait(self, condition, seconds):
        """Until the condition holds, or so long."""
        end = time.monotonic() + seconds
        while not condition() and (left := end - time.monotonic()) > 0:
            for fd, _ in self._poll.poll(left * 1000):
                self._close(self._by_fd[fd])

    def _close(self, i):
        """The server has ended it; anything that it sent would be an answer to a stranger."""
        self.closed.add(i)
        self._poll.unregister(self.streams[i])
        try:
            if self.streams[i].recv(1):
                raise AssertionError("the server answered a stranger")
        except OSError:
            pass
        self.streams[i].close()


runner.main()
