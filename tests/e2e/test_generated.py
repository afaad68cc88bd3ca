# SPDX-License-Identifier: MIT
"""A tunnel with the plugins that `wtplug new` writes, built outside of the tree against an
installation, at both ends."""

import contextlib
import os
import socket
import sys

from harness import case, runner
from harness.clock import write_shift
from harness.daemon import run, write_file, write_key
from harness.sandbox import SCRATCH, install_plugin
from harness.traffic import ping

sys.path.insert(0, os.path.join(runner.ROOT, "tests/cli"))
from installed import Installation, build_options  # noqa: E402

BUILD = os.environ.get("WT_BUILD_DIR", os.path.join(runner.ROOT, "build/dev"))
FIRST = 148  # bytes of the first message


class Generated(case.TunnelTest):
    """Crypto and auth of `wtplug new`, both called "mine"."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        there = Installation(BUILD, SCRATCH)
        for kind in ("crypto", "auth"):
            built = there.shell(
                f"wtplug new mine --kind {kind} && cd {kind}-mine"
                f" && cmake -S . -B build {build_options(BUILD)} && cmake --build build"
            )
            assert built.returncode == 0, built.stdout
            install_plugin(os.path.join(SCRATCH, f"{kind}-mine/build/{kind}-mine.so"))

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")
        self.options = {"crypto": "mine", "methods": {"mine": {}}}

    def start(self, **more):
        self.start_server(self.key, **self.options, **more)
        self.start_client(self.key, **self.options, **more)

    def carried(self):
        self.both_up()
        self.assertIn("crypto mine", self.far.peer_up("office").group(1))
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        self.pings_while_keys_change(self.near, "alice", 3)

    def test_a_tunnel_over_tcp_whose_keys_are_renewed(self):
        self.start(tunnel={"rekey_after": "1"})
        self.carried()

    def test_a_tunnel_over_udp_whose_keys_are_renewed(self):
        self.kinds = ("udp",)
        self.start(tunnel={"rekey_after": "1"})
        self.carried()

    def test_another_key_is_silence(self):
        self.start_server(self.key, **self.options)
        self.start_client(write_key("other.psk"), **self.options)
        said = self.far.expect("peer office: no answer from .*").group(0)
        self.assertIn("the same psk_file on both ends, and clocks that agree", said)
        self.near.expect("handshake of unknown peer refused: it names no peer here")
        self.assertEqual(self.near.count("peer alice up"), 0)

    def start_with_clock(self, seconds):
        self.start_server(self.key, **self.options)
        text = case.client_ini(self.key, tunnel={"rekey_after": "1"}, **self.options)
        shift = write_shift("client", seconds)
        self.far = self.daemon(self.client, "client", text, env=shift).ready()

    def test_a_clock_that_is_off_is_named(self):
        self.start_with_clock(300)
        self.near.expect("handshake of alice refused: its clock is (2\d\d|300) s ahead of ours")
        self.assertEqual(self.near.count("peer alice up"), 0)
        write_shift("client", 0)
        self.both_up()

    def test_a_clock_that_goes_back_a_little_does_not_matter(self):
        self.start_with_clock(30)
        self.both_up()
        write_shift("client", 0)
        before = self.near.counters()[1]["alice"]["handshakes"]
        self.pings_while_keys_change(self.near, "alice", before + 2)
        self.assertEqual(self.near.count("refused"), 0)

    def first_message(self):
        """What a client says first, to somebody in the place of the server."""
        with self.server.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((case.SERVER, case.PORT))
            listener.listen()
            listener.settimeout(20)
            self.start_client(self.key, **self.options)
            stream, _ = listener.accept()
            with stream:
                stream.settimeout(20)
                message = stream.recv(4 + FIRST, socket.MSG_WAITALL)
                self.far.kill()
        self.assertEqual(len(message), 4 + FIRST)
        return message

    def test_a_first_message_from_before_the_start_makes_no_session(self):
        message = self.first_message()
        self.start_server(self.key, **self.options)
        with self.client.socket() as stream:
            stream.settimeout(20)
            stream.connect((case.SERVER, case.PORT))
            stream.sendall(message)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(stream.recv(1), b"")
        self.near.expect(r"handshake of alice refused: its clock is \d+ s behind ours")

    def test_two_peers_with_one_key(self):
        peers = {
            name: {"allowed_ips": f"10.8.0.{last}/32", "psk_file": self.key}
            for name, last in (("alice", 2), ("bob", 3))
        }
        path = write_file("bad.ini", case.server_ini(peers, **self.options))
        code, _, said = run("-t", "-c", path, ns=self.server)
        self.assertNotEqual(code, 0)
        self.assertIn("[peer alice] and [peer bob] have the same pre-shared key", said)


runner.main()
