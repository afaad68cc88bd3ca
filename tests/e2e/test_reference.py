# SPDX-License-Identifier: MIT
"""A running `wtcore` and the independent implementation in Python complete a handshake and a ping
with each other: what docs/protocol.md says is what both do."""

import os
import re
import subprocess
import sys

from harness import case, runner
from harness.daemon import write_key
from harness.traffic import ping

PEER = os.path.join(runner.ROOT, "tests/reference/peer.py")
TIMEOUT_S = 30  # of each step of the reference; it says itself what did not come


class Reference(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def peer(self, ns, *arguments):
        first = ("--transport", self.kinds[0], "--psk", self.key, "--timeout", str(TIMEOUT_S))
        process = subprocess.Popen(
            ns.command(sys.executable, "-B", PEER, *first, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def succeeds(self, process):
        output, _ = process.communicate(timeout=3 * TIMEOUT_S)
        self.assertEqual(process.returncode, 0, output)
        return output

    def dials(self, crypto, *more):
        near = self.start_server(self.key, crypto=crypto)
        since = near.mark()
        output = self.succeeds(
            self.peer(
                self.client,
                *("--connect", f"{case.SERVER}:{case.PORT}"),
                *("--address", case.CLIENT_IN, "--ping", case.SERVER_IN, *more),
            )
        )
        self.assertIn(f"{case.SERVER_IN} answered", output)
        near.peer_up("alice", since)
        reason = near.expect("info: peer alice down: (.*)", since).group(1)
        self.assertNotIn("unclean", reason)

    def test_it_dials_openssl(self):
        self.dials("aesgcm-openssl")

    def test_it_dials_sodium(self):
        self.dials("aesgcm-sodium")

    def test_it_dials_with_a_clock_that_is_off(self):
        self.dials("aesgcm-openssl", "--clock-off", "-600")

    def test_it_dials_with_the_static_tag(self):
        self.dials("aesgcm-openssl", "--static-tag")

    def test_it_dials_a_second_connection(self):
        near = self.daemon(
            self.server,
            "server",
            case.server_ini(self.alice(self.key, connections=2), kinds=self.kinds),
        ).ready()
        dial = (
            *("--connect", f"{case.SERVER}:{case.PORT}"),
            *("--address", case.CLIENT_IN, "--ping", case.SERVER_IN),
        )
        output = self.succeeds(self.peer(self.client, *dial, "--lane", "1"))
        self.assertIn("connections 2)", output)
        near.peer_up("alice, connection 2")
        # One more than is allowed.
        refused = self.peer(self.client, *dial, "--lane", "2", "--timeout", "5")
        self.assertNotEqual(refused.wait(TIMEOUT_S), 0)
        near.expect("peer alice: its parameters are refused: it makes connection 3")

    def listens(self, crypto):
        process = self.peer(
            self.server,
            *("--listen", f"{case.SERVER}:{case.PORT}", "--address", case.SERVER_IN),
        )
        self.assertIn("listening", process.stdout.readline())
        self.start_client(self.key, crypto=crypto).peer_up("office")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(self.far.stop(), 0)
        self.assertGreaterEqual(self.answered(self.succeeds(process)), 3)

    @staticmethod
    def answered(output):
        """More than the test counts, maybe: see Ping."""
        return int(re.search(r"answered (\d+) of", output).group(1))

    def test_it_listens_for_openssl(self):
        self.listens("aesgcm-openssl")

    def test_it_listens_for_sodium(self):
        self.listens("aesgcm-sodium")


class Datagrams(Reference):
    kinds = ("udp",)

    def listener(self):
        process = self.peer(
            self.server,
            *("--listen", f"{case.SERVER}:{case.PORT}", "--address", case.SERVER_IN),
        )
        self.assertIn("listening", process.stdout.readline())
        return process

    def test_it_listens_while_keys_are_exchanged(self):
        process = self.listener()
        self.start_client(self.key, tunnel={"rekey_after": 1}).peer_up("office")
        self.pings_while_keys_change(self.far, "office", 3)
        self.assertEqual(self.far.count("peer office down"), 0)
        self.assertEqual(self.far.stop(), 0)
        output = self.succeeds(process)
        self.assertGreaterEqual(self.answered(output), 40)
        handshakes = int(re.search(r"(\d+) handshakes", output).group(1))
        self.assertGreaterEqual(handshakes, 3)

    def on_a_bad_way(self):
        """A fifth is lost in each direction."""
        self.doCleanups()
        self.hosts_apart()
        self.cable("lose both 20")

    def test_it_listens_on_a_bad_way(self):
        self.on_a_bad_way()
        process = self.listener()
        self.start_client(self.key).peer_up("office", timeout=2 * TIMEOUT_S)
        self.assertGreater(ping(self.client, case.SERVER_IN, count=20, wait=2), 0)
        process.kill()

    def test_it_dials_on_a_bad_way(self):
        self.on_a_bad_way()
        near = self.start_server(self.key)
        output = self.succeeds(
            self.peer(
                self.client,
                *("--connect", f"{case.SERVER}:{case.PORT}"),
                *("--address", case.CLIENT_IN, "--ping", case.SERVER_IN),
            )
        )
        self.assertIn(f"{case.SERVER_IN} answered", output)
        near.peer_up("alice")


if __name__ == "__main__":
    runner.main()
