# SPDX-License-Identifier: MIT
"""A relay on the path that flips, cuts, inserts, stalls, and passes one byte at a time. Whatever
it does, nothing it made is accepted, and the tunnel is back by itself once it is honest."""

from harness import case, runner
from harness.daemon import write_key
from harness.traffic import Ping, Transfer, ping, transfer

RELAY_PORT = 4434
FRAME = 4  # the length before each message
M1, M2, M3 = 192, 164, 40
UP_S = 15  # after a few failed attempts the next one may be 6 s away


class RelayTest(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")
        self.relay_ = self.relay(self.server, (case.SERVER, RELAY_PORT))
        self.start_server(self.key)

    def dial(self):
        return self.start_client(self.key, endpoint=f"tcp://{case.SERVER}:{RELAY_PORT}")


class Handshake(RelayTest):
    """Each case disturbs every connection until two attempts were made, then is honest."""

    def disturbed(self, command, direction, bytes_an_attempt):
        since = self.near.mark()
        before = self.relay_.seen(direction)
        self.relay_(command)
        far = self.dial()
        self.relay_(f"wait {direction} {before + 2 * bytes_an_attempt}")
        self.assertTrue(far.running())
        self.assertEqual(self.near.count("peer alice up: ", since), 0, command)
        self.assertEqual(far.count("peer office up: "), 0, command)
        self.relay_("honest")
        far.peer_up("office", timeout=UP_S)
        self.near.peer_up("alice", since)
        self.assertEqual(far.stop(), 0)

    def flips(self, direction, start, offsets, length):
        for offset in offsets:
            with self.subTest(offset=offset):
                self.disturbed(f"flip {direction} {start + offset}", direction, start + length)

    def test_a_bit_of_the_first_message_flipped(self):
        # type, version, method, step, receiver, sender, tag, key share, sealed, reserved, MAC
        offsets = (0, 1, 2, 3, 5, 9, 12, 40, 80, 115, 150, 160, 191)
        self.flips("up", FRAME, offsets, M1)

    def test_a_bit_of_the_second_message_flipped(self):
        # step, receiver, sender, key share, sealed, proof, MAC
        self.flips("down", FRAME, (3, 4, 8, 20, 50, 110, 140, 163), M2)

    def test_a_bit_of_the_third_message_flipped(self):
        self.flips("up", FRAME + M1 + FRAME, (3, 4, 8, 39), M3)

    def test_a_length_that_is_too_large(self):
        self.disturbed("flip up 1", "up", FRAME)

    def test_cut_in_the_first_message(self):
        self.disturbed(f"cut up {FRAME + 100}", "up", FRAME + 100)

    def test_cut_before_the_second_message(self):
        self.disturbed("cut down 0", "up", FRAME + M1)

    def test_cut_in_the_second_message(self):
        self.disturbed(f"cut down {FRAME + 100}", "down", FRAME + 100)

    def test_cut_before_the_third_message(self):
        self.disturbed(f"cut up {FRAME + M1}", "down", FRAME + M2)

    def test_cut_in_the_third_message(self):
        self.disturbed(f"cut up {FRAME + M1 + FRAME + 20}", "up", FRAME + M1 + FRAME + 20)


class Established(RelayTest):
    def setUp(self):
        super().setUp()
        self.dial()
        self.both_up()

    def recovers(self, command):
        """The disturbed connection ends, another one takes over, a running transfer arrives
        whole."""
        near, far = self.near.mark(), self.far.mark()
        running = Transfer(self.client, self.server, case.SERVER_IN, seconds=3)
        back = Transfer(self.server, self.client, case.CLIENT_IN, seconds=3)
        self.relay_(command)
        self.far.peer_up("office", far)
        self.near.peer_up("alice", near)
        running.finish()
        back.finish()
        return near, far

    def test_a_record_to_the_server_tampered_with(self):
        near, _ = self.recovers("flip up next")
        self.near.expect("info: peer alice down: ", near)

    def test_a_record_to_the_client_tampered_with(self):
        _, far = self.recovers("flip down next")
        self.far.expect("info: peer office down: ", far)

    def test_truncation_is_called_unclean(self):
        near, _ = self.recovers("cut up next")
        self.near.expect("peer alice down: .*unclean", near)

    def test_truncation_towards_the_client_is_called_unclean(self):
        _, far = self.recovers("cut down next")
        self.far.expect("peer office down: .*unclean", far)

    def test_bytes_put_in(self):
        # a length of 33 and as many zeros: a record that nobody sealed
        self.recovers("insert down " + "00000021" + "00" * 33)

    def test_an_old_record_again_is_not_delivered(self):
        before = self.near.counters()[1]["alice"]["rx_packets"]
        self.assertEqual(ping(self.client, case.SERVER_IN, count=1), 1)
        after = self.near.counters()[1]["alice"]["rx_packets"]
        self.assertEqual(after - before, 1)

    def test_a_stall_of_three_seconds_loses_nothing(self):
        near, far = self.near.mark(), self.far.mark()
        running = Transfer(self.client, self.server, case.SERVER_IN, seconds=5)
        pings = Ping(self.client, case.SERVER_IN, count=5, interval=0.2)
        self.relay_("stall")
        with self.assertRaises(AssertionError):
            self.far.expect("down|error", far, timeout=3)
        self.relay_("resume")
        running.finish()
        pings.result()
        self.assertEqual(self.near.count("peer alice down", near), 0)
        self.assertEqual(self.far.count("peer office down", far), 0)


class Bytewise(RelayTest):
    def test_one_byte_at_a_time(self):
        self.relay_("slice 1")
        self.dial()
        self.both_up()
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        transfer(self.client, self.server, case.SERVER_IN, size=64 << 10)
        transfer(self.server, self.client, case.CLIENT_IN, size=64 << 10)
        self.assertEqual(self.far.count("peer office down"), 0)


runner.main()
