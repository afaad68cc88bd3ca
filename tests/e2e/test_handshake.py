# SPDX-License-Identifier: MIT
"""Handshakes that must not complete, and clocks that must not stop them."""

import re
import time

from harness import case, runner
from harness.clock import write_shift
from harness.daemon import write_key
from harness.network import link
from harness.traffic import ping

UP_S = 10  # with any clock the tunnel is up this soon
UNKNOWN = rf"warning: {re.escape(case.CLIENT)}:\d+: .*unknown peer"
TEN_MINUTES, DAY = 600, 86400


class Refused(case.TunnelTest):
    """The client gets silence, says once what may be wrong, in order; the server says what it saw
    and has no session."""

    def setUp(self):
        super().setUp()
        self.hosts()

    def refused(self, server_log):
        warning = self.far.expect("warning: peer office: no answer.*").group(0)
        places = [warning.lower().find(word) for word in ("reach", "key", "realm", "clock")]
        self.assertNotIn(-1, places, warning)
        self.assertEqual(places, sorted(places), warning)
        if server_log:
            self.near.expect(server_log)
        self.assertEqual(self.near.count("peer .* up: "), 0)
        self.assertEqual(self.far.count("peer .* up: "), 0)
        self.assertEqual(ping(self.client, case.SERVER_IN, count=1, wait=1), 0)

    def test_wrong_key(self):
        self.start_server(write_key("alice.psk"))
        self.start_client(write_key("other.psk"))
        self.refused(UNKNOWN)

    def test_wrong_realm(self):
        key = write_key("alice.psk")
        self.start_server(key, auth={"realm": "here"})
        self.start_client(key, auth={"realm": "there"})
        self.refused(UNKNOWN)

    def test_unknown_peer_beside_a_known_one(self):
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(write_key("mallory.psk"))
        self.refused(UNKNOWN)
        known = self.namespace("known")
        link(self.server, known, "out2", "out", ("10.9.2.1/24",), ("10.9.2.2/24",))
        self.daemon(
            known, "known", case.client_ini(key, endpoint=f"tcp://10.9.2.1:{case.PORT}")
        ).peer_up("office")

    def test_nobody_listens(self):
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(
                self.alice(write_key("alice.psk")), transport={"listen": "0.0.0.0:4999"}
            ),
        )
        self.start_client(write_key("alice.psk"))
        self.refused(None)

    def test_the_warning_comes_once(self):
        self.start_server(write_key("alice.psk"))
        self.start_client(write_key("other.psk"))
        self.far.expect("warning: peer office: no answer")
        self.near.expect("warning: .*unknown", times=5)
        self.assertEqual(self.far.count("warning: peer office: no answer"), 1)


class Reflected(case.TunnelTest):
    def test_own_first_message_sent_back(self):
        self.hosts()
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(self.alice(write_key("alice.psk"))),
        ).ready()
        relay = self.relay(self.server, (case.SERVER, 4434))
        relay("reflect")
        self.start_client(write_key("other.psk"), endpoint=f"tcp://{case.SERVER}:4434")
        self.far.expect("warning: peer office: no answer")
        self.assertEqual(self.far.count("peer office up: "), 0)
        self.assertTrue(self.far.running())

    def test_a_node_that_dials_and_listens_has_no_session_with_itself(self):
        self.hosts()
        key = write_key("alice.psk")
        relay = self.relay(self.client, (case.CLIENT, 4434), (case.CLIENT, case.PORT))
        self.far = self.daemon(
            self.client,
            "client",
            case.client_ini(
                key,
                transport={"listen": f"{case.CLIENT}:{case.PORT}"},
                endpoint=f"tcp://{case.CLIENT}:4434",
            ),
        ).ready()
        self.far.expect("both ends dial")
        self.assertGreater(relay.seen("up"), 0)
        self.assertEqual(self.far.count("peer office up: "), 0)

    def test_both_ends_dial(self):
        self.hosts()
        key = write_key("alice.psk")
        near = self.daemon(
            self.server,
            "server",
            case.server_ini(self.alice(key, endpoint=f"tcp://{case.CLIENT}:{case.PORT}")),
        ).ready()
        far = self.start_client(key, transport={"listen": f"{case.CLIENT}:{case.PORT}"})
        for daemon in (near, far):
            daemon.expect("both ends dial.*: remove `endpoint` on one side")
            self.assertEqual(daemon.count("peer .* up: "), 0)


class Clocks(case.TunnelTest):
    """Each daemon's wall clock is off by its own shift."""

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def up(self, server_shift, client_shift):
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(self.alice(self.key)),
            env=write_shift("server", server_shift),
        ).ready()
        self.far = self.daemon(
            self.client,
            "client",
            case.client_ini(self.key),
            env=write_shift("client", client_shift),
        )
        self.far.peer_up("office", timeout=UP_S)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    @staticmethod
    def since_1970():
        return -int(time.time()) + 100

    def test_client_ten_minutes_slow(self):
        self.up(0, -TEN_MINUTES)

    def test_client_ten_minutes_fast(self):
        self.up(0, TEN_MINUTES)

    def test_server_ten_minutes_fast_and_client_slow(self):
        self.up(TEN_MINUTES, -TEN_MINUTES)

    def test_client_a_day_slow(self):
        self.up(0, -DAY)

    def test_client_in_1970(self):
        self.up(0, self.since_1970())

    def test_server_in_1970(self):
        self.up(self.since_1970(), 0)

    def test_both_in_1970(self):
        self.up(self.since_1970(), self.since_1970())

    def test_client_fast_then_set_right(self):
        self.up(0, TEN_MINUTES)
        self.far.kill()
        write_shift("client", 0)
        since = self.near.mark()
        far = self.daemon(self.client, "client2", case.client_ini(self.key))
        far.peer_up("office", timeout=UP_S)
        self.near.peer_up("alice", since)

    def test_server_stepped_back_while_up(self):
        self.up(0, 0)
        write_shift("server", -30)
        self.far.kill()
        far = self.daemon(self.client, "client2", case.client_ini(self.key))
        far.peer_up("office", timeout=UP_S)


runner.main()
