# SPDX-License-Identifier: MIT
"""A running `wtcore` and the independent implementation in Python complete a handshake and a ping
with each other: what docs/protocol.md says is what both do."""

import os
import subprocess
import sys

from harness import case, runner
from harness.daemon import write_key
from harness.traffic import ping

PEER = os.path.join(runner.ROOT, "tests/reference/peer.py")
TIMEOUT_S = 30


class Reference(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def peer(self, ns, *arguments):
        process = subprocess.Popen(
            ns.command(sys.executable, "-B", PEER, "--psk", self.key, *arguments),
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
        output, _ = process.communicate(timeout=TIMEOUT_S)
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

    def listens(self, crypto):
        process = self.peer(
            self.server,
            *("--listen", f"{case.SERVER}:{case.PORT}", "--address", case.SERVER_IN),
        )
        self.assertIn("listening", process.stdout.readline())
        self.start_client(self.key, crypto=crypto).peer_up("office")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(self.far.stop(), 0)
        self.assertIn("answered 3 of", self.succeeds(process))

    def test_it_listens_for_openssl(self):
        self.listens("aesgcm-openssl")

    def test_it_listens_for_sodium(self):
        self.listens("aesgcm-sodium")


runner.main()
