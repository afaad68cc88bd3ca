# SPDX-License-Identifier: MIT
"""auth-noise from end to end: key pairs made by the command, a tunnel, both methods in one server,
and the independent implementation in Python at either end."""

import os
import re
import subprocess
import sys

from harness import case, runner
from harness.daemon import write_key, write_key_pair
from harness.traffic import Transfer, ping

PEER = os.path.join(runner.ROOT, "tests/reference/peer.py")
TIMEOUT_S = 30  # of each step of the reference; it says itself what did not come


class Noise(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.server_key, self.server_public = write_key_pair("server.key")
        self.client_key, self.client_public = write_key_pair("client.key")

    def start(self, psk=None, server=None, client=None):
        """Both ends; what differs between them in the dictionaries."""
        ours = {"public_key": self.client_public, "psk_file": psk, **(server or {})}
        ours.setdefault("allowed_ips", f"{case.CLIENT_IN}/32, {case.CLIENT_IN6}/128")
        theirs = {"public_key": self.server_public, **(client or {})}
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(
                {"alice": ours}, methods={"noise": {"private_key_file": self.server_key}}
            ),
        ).ready()
        self.far = self.daemon(
            self.client,
            "client",
            case.client_ini(
                psk, methods={"noise": {"private_key_file": self.client_key}}, **theirs
            ),
        ).ready()

    def test_a_tunnel(self):
        self.start()
        self.both_up()
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        self.assertEqual(ping(self.client, case.SERVER_IN6), 3)

    def test_a_tunnel_with_a_pre_shared_key_besides(self):
        self.start(psk=write_key("alice.psk"))
        self.both_up()
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_another_pre_shared_key_is_silence(self):
        self.start(psk=write_key("alice.psk"), client={"psk_file": write_key("other.psk")})
        said = self.far.expect("peer office: no answer from .*").group(0)
        for words in ("public_key here is what `wtcore pubkey` prints there", "psk_file"):
            self.assertIn(words, said)
        self.far.expect("handshake of office .*: a sealed field does not open")

    def test_an_unknown_key_is_silence(self):
        self.start(server={"public_key": write_key_pair("somebody.key")[1]})
        self.near.expect("handshake of unknown peer refused: it names no peer here")
        self.assertEqual(self.near.count("peer alice up"), 0)

    def test_keys_are_renewed(self):
        key = {"rekey_after": "1"}
        near = case.server_ini(
            {"alice": {"public_key": self.client_public, "allowed_ips": f"{case.CLIENT_IN}/32"}},
            methods={"noise": {"private_key_file": self.server_key}},
            tunnel=key,
        )
        far = case.client_ini(
            None,
            methods={"noise": {"private_key_file": self.client_key}},
            public_key=self.server_public,
            tunnel=key,
        )
        self.near = self.daemon(self.server, "server", near).ready()
        self.far = self.daemon(self.client, "client", far).ready()
        self.both_up()
        transfer = Transfer(self.client, self.server, case.SERVER_IN, seconds=4, gently=True)
        self.pings_while_keys_change(self.near, "alice", 3)
        transfer.finish()
        self.assertEqual(self.near.count("peer alice down"), 0)

    def test_a_tunnel_over_udp(self):
        methods = {"noise": {"private_key_file": self.server_key}}
        alice = {"public_key": self.client_public, "allowed_ips": f"{case.CLIENT_IN}/32"}
        text = case.server_ini({"alice": alice}, methods=methods, tunnel={"rekey_after": "1"})
        self.near = self.daemon(
            self.server, "server", text.replace("[transport tcp]", "[transport udp]")
        ).ready()
        text = case.client_ini(
            None,
            methods={"noise": {"private_key_file": self.client_key}},
            public_key=self.server_public,
            endpoint=f"udp://{case.SERVER}:{case.PORT}",
            tunnel={"rekey_after": "1"},
        )
        self.far = self.daemon(
            self.client, "client", text.replace("[transport tcp]", "[transport udp]")
        ).ready()
        self.both_up()
        self.pings_while_keys_change(self.near, "alice", 3)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)

    def test_the_reference_dials_over_udp(self):
        methods = {"noise": {"private_key_file": self.server_key}}
        alice = {"public_key": self.client_public, "allowed_ips": f"{case.CLIENT_IN}/32"}
        text = case.server_ini({"alice": alice}, methods=methods)
        near = self.daemon(
            self.server, "server", text.replace("[transport tcp]", "[transport udp]")
        ).ready()
        for more in ((), ("--clock-off", "-600"), ("--lose", "10")):
            since = near.mark()
            process = self.peer(
                self.client,
                *(self.client_key, self.server_public),
                *("--connect", f"{case.SERVER}:{case.PORT}", "--transport", "udp"),
                *("--address", case.CLIENT_IN, "--ping", case.SERVER_IN, *more),
            )
            self.assertIn(f"{case.SERVER_IN} answered", self.succeeds(process))
            near.peer_up("alice", since)

    def test_both_methods_in_one_server(self):
        psk = write_key("bob.psk")
        other = self.namespace("other")
        case.link(self.server, other, "out2", "out", ("10.9.1.1/24",), ("10.9.1.2/24",))
        peers = {
            "alice": {
                "auth": "noise",
                "public_key": self.client_public,
                "allowed_ips": "10.8.0.2/32",
            },
            "bob": {"auth": "hmac", "psk_file": psk, "allowed_ips": "10.8.0.3/32"},
        }
        methods = {"hmac": {}, "noise": {"private_key_file": self.server_key}}
        self.near = self.daemon(
            self.server, "server", case.server_ini(peers, methods=methods)
        ).ready()
        alice = case.client_ini(
            None,
            methods={"noise": {"private_key_file": self.client_key}},
            public_key=self.server_public,
        )
        bob = case.client_ini(
            psk, tunnel={"address": "10.8.0.3/24"}, endpoint=f"tcp://10.9.1.1:{case.PORT}"
        )
        # Who dials is up after who listens.
        for ns, name, text in ((self.client, "alice", alice), (other, "bob", bob)):
            self.daemon(ns, name, text).peer_up("office")
            self.near.peer_up(name)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(ping(other, case.SERVER_IN), 3)
        self.assertEqual(ping(self.server, "10.8.0.2"), 3)
        self.assertEqual(ping(self.server, "10.8.0.3"), 3)

    # ---- the reference -----------------------------------------------------------

    def peer(self, ns, key, other, *arguments):
        keys = ("--key", key, "--peer-key", other, "--timeout", str(TIMEOUT_S))
        process = subprocess.Popen(
            ns.command(sys.executable, "-B", PEER, *keys, *arguments),
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

    def reference_dials(self, *more, psk=None):
        peers = {
            "alice": {
                "public_key": self.client_public,
                "psk_file": psk,
                "allowed_ips": f"{case.CLIENT_IN}/32",
            }
        }
        text = case.server_ini(peers, methods={"noise": {"private_key_file": self.server_key}})
        near = self.daemon(self.server, "server", text).ready()
        process = self.peer(
            self.client,
            *(self.client_key, self.server_public),
            *("--connect", f"{case.SERVER}:{case.PORT}"),
            *("--address", case.CLIENT_IN, "--ping", case.SERVER_IN),
            *(("--psk", psk) if psk else ()),
            *more,
        )
        self.assertIn(f"{case.SERVER_IN} answered", self.succeeds(process))
        near.peer_up("alice")
        reason = near.expect("info: peer alice down: (.*)").group(1)
        self.assertNotIn("unclean", reason)
        return near

    def test_the_reference_dials(self):
        self.reference_dials()

    def test_the_reference_dials_with_a_pre_shared_key(self):
        self.reference_dials(psk=write_key("alice.psk"))

    def test_the_reference_dials_with_a_clock_that_is_off(self):
        near = self.reference_dials("--clock-off", "-600")
        near.expect("handshake of alice answered with a token: its clock is 6\d\d s behind ours")

    def test_the_reference_listens(self):
        process = self.peer(
            self.server,
            *(self.server_key, self.client_public),
            *("--listen", f"{case.SERVER}:{case.PORT}", "--address", case.SERVER_IN),
        )
        self.assertIn("listening", process.stdout.readline())
        text = case.client_ini(
            None,
            methods={"noise": {"private_key_file": self.client_key}},
            public_key=self.server_public,
        )
        far = self.daemon(self.client, "client", text).ready()
        far.peer_up("office")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(far.stop(), 0)
        answered = re.search(r"answered (\d+) of", self.succeeds(process))
        self.assertGreaterEqual(int(answered.group(1)), 3)  # and what Ping asks besides


runner.main()
