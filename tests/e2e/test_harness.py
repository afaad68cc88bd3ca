# SPDX-License-Identifier: MIT
"""The tools of these tests, over a bare link: a test that could not fail proves nothing."""

import socket
import subprocess
import sys
import time

from harness import case, runner
from harness.clock import write_shift
from harness.daemon import environment
from harness.traffic import Capture, Ping, Transfer, ping, transfer

RELAY_PORT = 4434


class Harness(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()

    def relayed(self):
        """A relay to an echo of one connection, and a connected stream."""
        listener = self.server.socket()
        self.addCleanup(listener.close)
        listener.bind((case.SERVER, case.PORT))
        listener.listen()
        relay = self.relay(self.server, (case.SERVER, RELAY_PORT))
        return relay, listener

    def connect(self, listener):
        near = self.client.socket()
        near.settimeout(10)
        near.connect((case.SERVER, RELAY_PORT))
        far, _ = listener.accept()
        far.settimeout(10)
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        return near, far

    def test_ping_counts_what_is_lost(self):
        self.assertEqual(ping(self.client, case.SERVER), 3)
        self.assertEqual(ping(self.client, case.SERVER6), 3)
        self.server.ip("addr del 10.9.0.1/24 dev out")
        self.assertEqual(Ping(self.client, case.SERVER, count=1, wait=1).result(), (1, 0))

    def test_transfer_and_capture(self):
        capture = Capture(self.client, "out")
        self.assertEqual(transfer(self.client, self.server, case.SERVER, size=1 << 20), 1 << 20)
        sender = self.client.socket(kind=socket.SOCK_DGRAM)
        with sender:
            sender.sendto(b"a marker on the link", (case.SERVER, 9))
        capture.stop()
        self.assertTrue(capture.contains(b"a marker on the link"))
        self.assertFalse(capture.contains(b"another marker"))

    def test_transfer_fails_when_the_link_does(self):
        running = Transfer(self.client, self.server, case.SERVER, seconds=60)
        self.client.ip("link del out")
        with self.assertRaises(AssertionError):
            running.finish(timeout=1)

    def test_a_shifted_clock_and_no_other(self):
        shift = write_shift("clock", -86400)
        script = "import time; print(time.time(), time.monotonic(), time.clock_gettime(7))"
        for expected in (-86400, 3600):
            write_shift("clock", expected)
            read = subprocess.run(
                [sys.executable, "-c", script],
                env=environment(shift),
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            wall, monotonic, boot = map(float, read.split())
            self.assertAlmostEqual(wall - time.time(), expected, delta=30)
            self.assertAlmostEqual(monotonic, time.monotonic(), delta=30)
            self.assertAlmostEqual(boot, time.clock_gettime(time.CLOCK_BOOTTIME), delta=30)

    def test_relay_flips_at_an_offset(self):
        relay, listener = self.relayed()
        relay("flip up 3")
        near, far = self.connect(listener)
        near.sendall(b"0000000")
        self.assertEqual(far.recv(100), b"0001000")
        relay("honest")
        near.sendall(b"0000000")
        self.assertEqual(far.recv(100), b"0000000")

    def test_relay_cuts_both_ways(self):
        relay, listener = self.relayed()
        relay("cut down 4")
        near, far = self.connect(listener)
        far.sendall(b"12345678")
        self.assertEqual(near.recv(100), b"1234")
        self.assertEqual(near.recv(100), b"")
        far.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            far.recv(100)
        far.settimeout(10)
        near.close()
        self.assertEqual(far.recv(100), b"")

    def test_relay_inserts_stalls_and_counts(self):
        relay, listener = self.relayed()
        near, far = self.connect(listener)
        relay("insert up 6162")
        near.sendall(b"cd")
        self.assertEqual(far.recv(100), b"abcd")
        relay("wait up 4")
        self.assertEqual(relay.seen("up"), 4)
        relay("stall")
        near.sendall(b"held")
        far.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            far.recv(100)
        far.settimeout(10)
        relay("resume")
        self.assertEqual(far.recv(100), b"held")

    def test_relay_reflects(self):
        relay, _ = self.relayed()
        relay("reflect")
        with self.client.socket() as stream:
            stream.settimeout(10)
            stream.connect((case.SERVER, RELAY_PORT))
            stream.sendall(b"mirror")
            self.assertEqual(stream.recv(100), b"mirror")


runner.main()
