# SPDX-License-Identifier: MIT
"""Start, stop, kill and restart; signals; exit codes; the log."""

import json
import os
import random
import signal
import time

from harness import case, runner
from harness.daemon import run, write_file, write_key
from harness.traffic import Ping, ping, transfer

BACK_S = 10  # a tunnel is back this soon after a crash
ROUNDS = 60 if os.environ.get("WT_TEST_LONG") else 5
OK, CONFIG, RIGHTS, PLUGIN = 0, 2, 3, 4


class Stop(case.TunnelTest):
    def stops_clean(self, number):
        self.hosts()
        before = self.client.routes()
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key, allowed_ips="10.8.0.0/24, fd08::/64, 10.77.0.0/16, fd77::/32")
        self.both_up()
        during = self.client.routes()
        self.assertTrue(any(line.startswith("10.77.0.0/16 dev wt0") for line in during))
        self.assertTrue(any(line.startswith("fd77::/32 dev wt0") for line in during))
        since = self.near.mark()
        self.far.signal(number)
        self.assertEqual(self.far.wait(), OK)
        self.assertEqual(self.far.lines[-1], "info: stopped")
        self.near.expect("info: peer alice down: ", since)
        self.assertFalse(self.client.has_link("wt0"))
        after = self.client.routes()
        self.assertEqual([line for line in before if line not in after], [])
        # The kernel may add the outer link's own routes a moment after it came up.
        extra = [line for line in after if line not in before and " dev out " not in line]
        self.assertEqual(extra, [])
        self.assertEqual(self.near.stop(), OK)
        self.assertFalse(self.server.has_link("wt0"))

    def test_sigterm_closes_cleans_up_and_exits_0(self):
        self.stops_clean(signal.SIGTERM)

    def test_sigint_closes_cleans_up_and_exits_0(self):
        self.stops_clean(signal.SIGINT)

    def test_close_is_not_reported_as_an_unclean_end(self):
        self.tunnel()
        since = self.far.mark()
        self.near.stop()
        reason = self.far.expect("info: peer office down: (.*)", since).group(1)
        self.assertRegex(reason, "clos|shut")
        self.assertNotIn("unclean", reason)

    def test_stops_while_no_peer_answers(self):
        self.hosts()
        daemon = self.start_client(write_key("alice.psk"))
        self.assertEqual(daemon.stop(), OK)


class Restart(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.key = write_key("alice.psk")

    def test_client_killed(self):
        self.tunnel_with_key()
        self.far.kill()
        self.assertFalse(self.client.has_link("wt0"))
        since = self.near.mark()
        self.start_client(self.key).peer_up("office", timeout=BACK_S)
        self.near.peer_up("alice", since)
        transfer(self.client, self.server, case.SERVER_IN)

    def test_server_killed(self):
        self.tunnel_with_key()
        since = self.far.mark()
        self.near.kill()
        self.start_server(self.key)
        self.far.peer_up("office", since, timeout=BACK_S)
        transfer(self.server, self.client, case.CLIENT_IN)

    def test_both_killed(self):
        self.tunnel_with_key()
        self.near.kill()
        self.far.kill()
        self.start_server(self.key)
        self.start_client(self.key).peer_up("office", timeout=BACK_S)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_server_stopped_and_started(self):
        self.tunnel_with_key()
        since = self.far.mark()
        self.near.stop()
        self.far.expect("info: peer office down: ", since)
        self.start_server(self.key)
        self.far.peer_up("office", since, timeout=BACK_S)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_a_long_transfer_survives_a_restart_of_the_server(self):
        self.tunnel_with_key()
        pings = Ping(self.client, case.SERVER_IN, count=6 * BACK_S, interval=0.25, wait=1)
        self.near.kill()
        since = self.far.mark()
        self.start_server(self.key)
        self.far.peer_up("office", since, timeout=BACK_S)
        self.assertGreater(pings.result()[1], 0)

    def test_killed_again_and_again(self):
        self.tunnel_with_key()
        for turn in range(ROUNDS):
            with self.subTest(turn=turn):
                ends = random.choice(("server", "client", "both"))
                time.sleep(random.uniform(0, 0.3))  # so that it hits handshakes, too
                far = self.far.mark()
                if ends != "client":
                    self.near.kill()
                    self.start_server(self.key)
                if ends != "server":
                    self.far.kill()
                    self.start_client(self.key)
                    far = 0
                self.far.peer_up("office", far, timeout=BACK_S)
                self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def tunnel_with_key(self):
        self.hosts()
        self.start_server(self.key)
        self.start_client(self.key)
        self.both_up()


class Device(case.TunnelTest):
    def test_a_persistent_device_is_used_and_left(self):
        self.hosts()
        self.client.ip("tuntap add dev wt0 mode tun")
        before = self.client.routes()
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key)
        self.both_up()
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(self.far.stop(), OK)
        self.assertTrue(self.client.has_link("wt0"))
        self.assertEqual(self.client.routes(), before)
        self.assertNotIn(case.CLIENT_IN, self.client.ip("addr show dev wt0"))

    def test_another_kind_of_device_of_that_name_is_an_error(self):
        self.hosts()
        self.client.ip("link add wt0 type veth peer name wt1")
        code, _, log = self.failed_start(write_key("alice.psk"))
        self.assertEqual(code, RIGHTS)
        self.assertRegex(log, "error: .*wt0")
        self.assertTrue(self.client.has_link("wt0"))

    def test_a_device_in_use_is_an_error(self):
        self.hosts()
        key = write_key("alice.psk")
        self.start_client(key)
        code, _, log = self.failed_start(key)
        self.assertEqual(code, RIGHTS)
        self.assertRegex(log, "error: .*wt0.*(use|busy)")
        self.assertTrue(self.far.running())

    def test_routes_off_sets_none(self):
        self.hosts()
        self.start_client(
            write_key("alice.psk"),
            tunnel={"routes": "off"},
            allowed_ips="10.8.0.0/24, 10.77.0.0/16",
        )
        self.assertFalse(any("10.77" in line for line in self.client.routes()))

    def failed_start(self, key, **options):
        path = write_file("second.ini", case.client_ini(key))
        return run("-c", path, ns=self.client, **options)


class ExitCodes(case.TunnelTest):
    def start(self, text, wrap=()):
        ns = self.namespace("alone")
        return run("-c", write_file("alone.ini", text), ns=ns, wrap=wrap)

    def one_error(self, log):
        self.assertEqual(len([line for line in log.splitlines() if line]), 1, log)

    def test_without_the_right_to_make_devices_3(self):
        code, _, log = self.start(
            case.client_ini(write_key("k.psk")),
            wrap=("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"),
        )
        self.assertEqual(code, RIGHTS, log)
        self.assertRegex(log, "CAP_NET_ADMIN")

    def test_an_error_in_the_file_2(self):
        code, _, log = self.start("[tunnel]\ninterfase = wt0\n")
        self.assertEqual(code, CONFIG)
        self.assertRegex(log, r"alone\.ini:2: \[tunnel\] interfase: .*interface")

    def test_no_such_file_2(self):
        code, _, log = run("-c", "/run/scratch/none.ini")
        self.assertEqual(code, CONFIG)
        self.assertIn("/run/scratch/none.ini", log)
        self.one_error(log)

    def test_a_file_others_may_write_2(self):
        path = write_file("open.ini", case.client_ini(write_key("k.psk")), 0o666)
        code, _, log = run("-c", path)
        self.assertEqual(code, CONFIG)
        self.assertIn("open.ini", log)

    def test_a_key_file_others_may_read_2(self):
        key = write_file("k.psk", "A" * 43 + "=\n", 0o644)
        code, _, log = self.start(case.client_ini(key))
        self.assertEqual(code, CONFIG)
        self.assertRegex(log, r"k\.psk.*0?644")

    def test_a_plugin_that_is_not_there_4(self):
        code, _, log = self.start(case.client_ini(write_key("k.psk"), crypto="nosuch"))
        self.assertEqual(code, PLUGIN)
        self.assertIn("crypto-nosuch.so", log)

    def test_an_endpoint_inside_the_tunnel_is_refused(self):
        code, _, log = self.start(
            case.client_ini(write_key("k.psk"), allowed_ips="10.8.0.0/24, 10.9.0.0/24")
        )
        self.assertEqual(code, CONFIG)
        self.assertRegex(log, r"office.*10\.9\.0\.")

    def test_a_check_of_a_good_file_creates_nothing(self):
        ns = self.namespace("alone")
        path = write_file("good.ini", case.client_ini(write_key("k.psk")))
        code, _, log = run("-t", "-c", path, ns=ns, wrap=("setpriv", "--bounding-set=-all"))
        self.assertEqual(code, OK, log)
        self.assertFalse(ns.has_link("wt0"))


class Signals(case.TunnelTest):
    def test_sigusr1_logs_what_was_carried(self):
        self.tunnel()
        _, peers = self.near.counters()
        before = peers["alice"]["rx_packets"]
        self.assertEqual(ping(self.client, case.SERVER_IN, count=5), 5)
        _, peers = self.near.counters()
        self.assertEqual(peers["alice"]["state"], "up")
        self.assertGreaterEqual(peers["alice"]["rx_packets"] - before, 5)
        _, peers = self.far.counters()
        self.assertGreaterEqual(peers["office"]["tx_packets"], 5)

    def test_sighup_says_that_reload_is_not_there_and_carries_on(self):
        self.tunnel()
        for daemon in (self.near, self.far):
            since = daemon.mark()
            daemon.signal(signal.SIGHUP)
            daemon.expect("(?i)reload", since)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)


class Log(case.TunnelTest):
    def test_json_has_one_object_a_line(self):
        self.hosts()
        key = write_key("alice.psk")
        self.start_server(key)
        daemon = self.daemon(
            self.client, "client", case.client_ini(key, tunnel={"log_format": "json"})
        )
        daemon.expect('"message":"peer office up: ')
        daemon.signal(signal.SIGUSR1)
        daemon.expect('"message":"peer office: state=up')
        self.assertEqual(daemon.stop(), OK)
        for line in daemon.lines:
            entry = json.loads(line)
            self.assertLessEqual({"time", "level", "message"}, entry.keys())
        self.assertEqual(json.loads(daemon.lines[-1])["message"], "stopped")


runner.main()
