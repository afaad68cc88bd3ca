#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reference against itself: what it refuses, and two of it over loopback."""

import base64
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import peer
from wtref import Refused, handshake, noise, packet, record

HERE = pathlib.Path(__file__).resolve().parent
ANSWERED = r"answered [1-9]\d* of 127\.0\.0\.1"  # a slow answer is asked for again
NOW = 1_767_225_600_000


def ends(psk_i=b"k" * 32, psk_r=b"k" * 32, realm_r=b"whispertunnel", channel_r=handshake.STREAM,
         time_i=NOW):
    initiator = handshake.Initiator(handshake.Secrets(psk_i), handshake.STREAM, 7,
                                    handshake.Params(), os.urandom(32), time_i)
    return initiator, handshake.Responder(handshake.Secrets(psk_r, realm_r), channel_r,
                                          handshake.Params())


def flipped(message, bit):
    changed = bytearray(message)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Handshake(unittest.TestCase):
    def test_both_ends_hold_the_same_keys(self):
        initiator, responder = ends()
        m2, session_r = responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        m3, session_i = initiator.on_m2(m2)
        responder.on_m3(m3)
        self.assertEqual(session_i.send_key, session_r.recv_key)
        self.assertEqual(session_i.recv_key, session_r.send_key)
        self.assertEqual(session_i.send_iv, session_r.recv_iv)
        self.assertEqual(session_i.recv_iv, session_r.send_iv)

    def test_no_bit_of_a_message_can_be_changed(self):
        initiator, responder = ends()
        m1 = initiator.m1
        for bit in range(8 * len(m1)):
            with self.assertRaises(Refused):
                responder.on_m1(flipped(m1, bit), 9, os.urandom(32), NOW)
        m2, _ = responder.on_m1(m1, 9, os.urandom(32), NOW)
        for bit in range(8 * len(m2)):
            with self.assertRaises(Refused):
                initiator.on_m2(flipped(m2, bit))
        m3, _ = initiator.on_m2(m2)
        for bit in range(8 * len(m3)):
            with self.assertRaises(Refused):
                responder.on_m3(flipped(m3, bit))
        responder.on_m3(m3)

    def test_strangers_are_refused(self):
        for wrong in ({"psk_r": b"x" * 32}, {"realm_r": b"other"},
                      {"channel_r": handshake.DATAGRAM}, {"time_i": NOW - 7_200_000}):
            initiator, responder = ends(**wrong)
            with self.assertRaises(Refused):
                responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)

    def test_an_m1_is_answered_once(self):
        initiator, responder = ends()
        responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        with self.assertRaises(Refused):
            responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)

    def test_the_m1_that_waits_for_m3_is_told_from_older_ones(self):
        first, responder = ends()
        m2, _ = responder.on_m1(first.m1, 9, os.urandom(32), NOW)
        with self.assertRaises(handshake.Answered) as again:
            responder.on_m1(first.m1, 10, os.urandom(32), NOW)
        self.assertEqual(responder.pending, (again.exception.h1, m2))
        second, _ = ends(time_i=NOW + 1)
        responder.on_m1(second.m1, 11, os.urandom(32), NOW)
        with self.assertRaises(handshake.Answered) as again:
            responder.on_m1(first.m1, 12, os.urandom(32), NOW)
        self.assertNotEqual(responder.pending[0], again.exception.h1)

    def test_a_clock_that_is_off_needs_a_token(self):
        initiator, responder = ends(time_i=NOW - 61_000)
        with self.assertRaises(handshake.NotFresh):
            responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        responder.on_m1(initiator.m1, 9, os.urandom(32), NOW, token_valid=True)


def noise_ends(psk_i=noise.NO_PSK, psk_r=noise.NO_PSK, realm_r=b"whispertunnel",
               channel_r=handshake.STREAM, time_i=NOW, private_i=b"i" * 32, stranger=False):
    public_r = noise.x25519_public(b"r" * 32)
    us = noise.Identity(private_i, public_r, psk_i)
    known = noise.x25519_public(b"?" * 32) if stranger else us.public
    them = noise.Identity(b"r" * 32, known, psk_r, realm_r)
    initiator = noise.Initiator(us, handshake.STREAM, 7, handshake.Params(), os.urandom(32),
                                time_i)
    return initiator, noise.Responder(them, channel_r, handshake.Params())


class Noise(unittest.TestCase):
    def test_both_ends_hold_the_same_keys(self):
        for psk in (noise.NO_PSK, b"k" * 32):
            initiator, responder = noise_ends(psk, psk)
            m2, session_r = responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
            _, session_i = initiator.on_m2(m2)
            self.assertEqual(session_i.send_key, session_r.recv_key)
            self.assertEqual(session_i.recv_key, session_r.send_key)
            self.assertEqual(session_i.send_iv, session_r.recv_iv)
            self.assertEqual(session_i.recv_iv, session_r.send_iv)

    def test_no_bit_of_a_message_can_be_changed(self):
        initiator, responder = noise_ends()
        m1 = initiator.m1
        for bit in range(8 * len(m1)):
            with self.assertRaises(Refused):  # of mac2: NotFresh, a COOKIE is the answer
                responder.on_m1(flipped(m1, bit), 9, os.urandom(32), NOW)
        m2, _ = responder.on_m1(m1, 9, os.urandom(32), NOW)
        for bit in range(8 * len(m2)):
            with self.assertRaises(Refused):
                initiator.on_m2(flipped(m2, bit))
        initiator.on_m2(m2)

    def test_who_knows_the_public_keys_cannot_change_an_index(self):
        initiator, responder = noise_ends()
        public_i, public_r = initiator.identity.public, responder.identity.public
        forged = initiator.m1[:11] + b"\x08" + initiator.m1[12:152]
        with self.assertRaises(Refused):
            responder.on_m1(forged + noise.mac1(public_r, forged) + noise.NO_MAC, 9,
                            os.urandom(32), NOW)
        m2, _ = responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        forged = m2[:11] + b"\x08" + m2[12:92]
        with self.assertRaises(Refused):
            initiator.on_m2(forged + noise.mac1(public_i, forged) + m2[108:])
        initiator.on_m2(m2)

    def test_strangers_are_refused(self):
        for strange in ({"psk_r": b"x" * 32}, {"realm_r": b"other"}, {"stranger": True},
                        {"channel_r": handshake.DATAGRAM}):
            initiator, responder = noise_ends(**strange)
            with self.assertRaises(Refused):
                initiator.on_m2(responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)[0])

    def test_an_m1_is_answered_once(self):
        initiator, responder = noise_ends()
        responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        with self.assertRaises(handshake.Answered):
            responder.on_m1(initiator.m1, 10, os.urandom(32), NOW)

    def test_a_clock_that_is_off_needs_a_cookie(self):
        for off in (-60_001, 60_001, -NOW):
            initiator, responder = noise_ends(time_i=NOW + off)
            with self.assertRaises(handshake.NotFresh):
                responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
            cookie = os.urandom(16)
            again = initiator.on_cookie(noise.write_cookie(
                responder.identity.public, initiator.m1, os.urandom(32), cookie))
            self.assertEqual(again[168:], noise.mac2(cookie, again[:168]))
            m2, _ = responder.on_m1(again, 9, os.urandom(32), NOW, shown=True)
            initiator.on_m2(m2)


class Records(unittest.TestCase):
    def test_what_is_no_record_is_refused(self):
        key, iv = os.urandom(32), os.urandom(12)
        good = record.seal_record(key, iv, 5, 0, b"\x00")
        self.assertEqual(record.open_record(key, iv, good), b"\x00")
        for bit in range(8 * len(good)):
            if not 32 <= bit < 64:  # the index chooses the key and is checked by the channel
                with self.assertRaises(Refused):
                    record.open_record(key, iv, flipped(good, bit))
        with self.assertRaises(Refused):
            record.parse_record(good[:-1])
        with self.assertRaises(Refused):
            record.parse_record(record.seal_record(key, iv, 5, 2**64 - 1, b"\x00"))

    def test_control_with_a_bad_length_is_refused(self):
        for body in ("01", "0100", "010001", "01000201ff", "02000700000000000000", "04000100"):
            with self.assertRaises(Refused, msg=body):
                record.parse_control(bytes.fromhex(body))
        self.assertEqual(record.parse_control(bytes.fromhex("c80001ff01000101")),
                         ((record.CLOSE, b"\x01"),))

    def test_a_packet_must_fill_its_record(self):
        good = packet.ipv4("10.0.0.1", "10.0.0.2", packet.UDP, b"12345678")
        self.assertEqual(record.check_packet(good), good)
        for bad in (b"", good[:-1], good + b"\0", b"\x46" + good[1:20], b"\x55" + good[1:],
                    b"\x60" + good[1:]):
            with self.assertRaises(Refused):
                record.check_packet(bad)


class Counters(unittest.TestCase):
    """Each line: what a receiver that expects datagrams does with counters in this order."""

    def test_window(self):
        for size, counters, refused in (
                (64, (0, 1, 2, 1), {3}),
                (64, (0, 0), {1}),
                (64, (5, 3, 4, 3, 0, 5), {3, 5}),
                (64, (64, 1, 0), {2}),
                (64, (63, 0), set()),
                (64, (2**40, 2**40 - 63, 2**40 - 64), {2}),
                (64, (1000, 0, 936, 937, 937), {1, 2, 4}),
                (8192, (8191, 0, 0, 8192, 0, 1), {2, 4}),
        ):
            window, got = record.Window(size), set()
            for place, counter in enumerate(counters):
                try:
                    window.check(counter)
                    window.mark(counter)
                except Refused:
                    got.add(place)
            self.assertEqual(got, refused, counters)

    def test_window_that_forgets_what_is_behind_it(self):
        window = record.Window(64)
        for counter in range(1000):
            window.check(counter)
            window.mark(counter)
            for old in (0, counter // 2, counter):
                with self.assertRaises(Refused):
                    window.check(old)
        self.assertLessEqual(len(window.seen), 129)

    def test_next_only(self):
        counters = record.NextOnly()
        counters.check(0)
        counters.mark(0)
        for wrong in (0, 2):
            with self.assertRaises(Refused):
                counters.check(wrong)
        counters.check(1)

    def test_what_does_not_open_marks_nothing(self):
        initiator, responder = ends()
        m2, session_r = responder.on_m1(initiator.m1, 9, os.urandom(32), NOW)
        _, session_i = initiator.on_m2(m2)
        sender = record.Channel(session_i, record.Window())
        receiver = record.Channel(session_r, record.Window())
        good = sender.seal(b"\x00")
        with self.assertRaises(Refused):
            receiver.open(flipped(good, 8 * len(good) - 1))
        receiver.open(good)
        with self.assertRaises(Refused):
            receiver.open(good)


class Closing(unittest.TestCase):
    """What the other end says under the keys before the current ones."""

    def closed_by(self, reason, older):
        tunnel = peer.Tunnel(None, "10.8.0.1", record.Window)
        senders = []
        for index in (9, 10):
            initiator, responder = ends()
            m2, session_r = responder.on_m1(initiator.m1, index, os.urandom(32), NOW)
            senders.append(record.Channel(initiator.on_m2(m2)[1], record.Window()))
            tunnel.send_under(session_r)
        tunnel.take(senders[0 if older else 1].seal(
            record.inner_control((record.CLOSE, bytes([reason])))))
        return tunnel.closed

    def test_which_close_ends_the_tunnel(self):
        for reason in (record.CLOSE_SHUTDOWN, record.CLOSE_REPLACED, record.CLOSE_REMOVED,
                       record.CLOSE_PROTOCOL):
            self.assertTrue(self.closed_by(reason, older=False))
            self.assertEqual(self.closed_by(reason, older=True),
                             reason != record.CLOSE_REPLACED)


class Peers(unittest.TestCase):
    """peer.py to peer.py over loopback."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)

    def key(self, name):
        path = pathlib.Path(self.scratch.name, name)
        path.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        return str(path)

    def pair(self, psk=None):
        """Arguments of a dialler and of who waits for it, with auth-noise."""
        paths = [self.key(name) for name in ("i.key", "r.key")]
        public = [base64.b64encode(noise.x25519_public(base64.b64decode(
            pathlib.Path(path).read_bytes()))).decode() for path in paths]
        more = ("--psk", psk) if psk else ()
        return [("--key", paths[end], "--peer-key", public[1 - end], *more) for end in (0, 1)]

    def run_both(self, key_i, key_r, *extra, both=(), timeout=40):
        args_i, args_r = ((("--psk", key) if isinstance(key, str) else key)
                          for key in (key_i, key_r))
        command = [sys.executable, "-B", str(HERE / "peer.py"), "--timeout", str(timeout), *both]
        with subprocess.Popen(command + ["--listen", "127.0.0.1:0", *args_r,
                                         "--address", "10.8.0.1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as server:
            self.addCleanup(server.kill)
            where = server.stdout.readline().split()[-1]
            client = subprocess.run(
                command + ["--connect", where, *args_i, "--address", "10.8.0.2",
                           "--ping", "10.8.0.1", *extra],
                capture_output=True, text=True, timeout=90, check=False)
            if "--lose" in both:
                server.kill()  # it may not have heard that this is the end
            out, _ = server.communicate(timeout=90)
            return client, server.returncode, out

    def test_ping_through_the_tunnel(self):
        key = self.key("psk")
        for extra in ((), ("--static-tag",), ("--clock-off", "-1800"),
                      ("--static-tag", "--clock-off", "86400")):
            client, code, out = self.run_both(key, key, *extra)
            self.assertEqual(client.returncode, 0, client.stderr)
            self.assertIn("10.8.0.1 answered in", client.stdout)
            self.assertEqual(code, 0)
            self.assertRegex(out, ANSWERED)

    def test_noise_through_the_tunnel(self):
        for transport in ("tcp", "udp"):
            for psk in (None, self.key("psk")):
                for extra in ((), ("--clock-off", "-1800")):
                    client, code, out = self.run_both(*self.pair(psk), *extra,
                                                      both=("--transport", transport))
                    self.assertEqual(client.returncode, 0, client.stderr)
                    self.assertIn("10.8.0.1 answered in", client.stdout)
                    self.assertEqual(code, 0)
                    self.assertRegex(out, ANSWERED)

    def test_noise_over_a_bad_way(self):
        client, _, _ = self.run_both(
            *self.pair(), both=("--transport", "udp", "--lose", "10"), timeout=40)
        self.assertEqual(client.returncode, 0, client.stderr)

    def test_noise_with_another_key_gets_silence(self):
        client, code, _ = self.run_both(self.pair()[0], self.pair()[1], timeout=2)
        self.assertEqual((client.returncode, code), (1, 1))

    def test_another_key_gets_silence(self):
        for transport in ("tcp", "udp"):
            client, code, _ = self.run_both(self.key("a"), self.key("b"),
                                            both=("--transport", transport), timeout=2)
            self.assertEqual(client.returncode, 1)
            self.assertEqual(code, 1)

    def test_ping_over_udp(self):
        key = self.key("psk")
        # One who is slow is asked again, and says RETRY once more.
        for extra, retries in (((), "0"), (("--static-tag",), "0"),
                               (("--clock-off", "-1800"), "[1-9]"),
                               (("--static-tag", "--clock-off", "86400"), "[1-9]")):
            client, code, out = self.run_both(key, key, *extra, both=("--transport", "udp"))
            self.assertEqual(client.returncode, 0, client.stderr)
            self.assertIn("10.8.0.1 answered in", client.stdout)
            self.assertEqual(code, 0)
            self.assertRegex(
                out, rf"{ANSWERED} until it closed; 1 handshakes, {retries}\d* retries")

    def test_ping_over_a_bad_way(self):
        key = self.key("psk")
        for _ in range(2):
            client, _, _ = self.run_both(
                key, key, both=("--transport", "udp", "--lose", "20"), timeout=40)
            self.assertEqual(client.returncode, 0, client.stderr)


if __name__ == "__main__":
    unittest.main()
