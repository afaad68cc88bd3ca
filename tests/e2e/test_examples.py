# SPDX-License-Identifier: MIT
"""Tunnels with the plugins of examples/, built outside of the tree: the toy, which the daemon takes
only if it is told that it is none of its own algorithm, and the backend in Rust."""

import os
import sys

from harness import case, runner
from harness.daemon import run, write_file, write_key
from harness.sandbox import SCRATCH, install_plugin
from harness.traffic import ping, transfer

sys.path.insert(0, os.path.join(runner.ROOT, "tests/cli"))
from installed import Installation, build_options, cargo_missing  # noqa: E402

BUILD = os.environ.get("WT_BUILD_DIR", os.path.join(runner.ROOT, "build/dev"))
TOY = {"plugin": "toy-insecure", "allow_insecure": "yes"}


def built(name, script):
    """A copy of an example after `script`, an installation beside it."""
    there = Installation(BUILD, os.path.join(SCRATCH, name))
    where = there.copy(os.path.join(runner.ROOT, "examples", f"crypto-{name}"))
    done = there.shell(script, cwd=where)
    assert done.returncode == 0, done.stdout
    return where


def with_crypto(text, keys):
    """A configuration with other keys in [crypto]."""
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return text.replace(f"plugin = {case.BACKENDS[0]}\n", lines)


class Toy(case.TunnelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.mkdir(os.path.join(SCRATCH, "toy-insecure"))
        where = built(
            "toy-insecure",
            f"cmake -S . -B build {build_options(BUILD)} && cmake --build build",
        )
        install_plugin(os.path.join(where, "build/crypto-toy-insecure.so"))

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def start(self, server, client):
        text = case.server_ini(self.alice(self.key))
        self.near = self.daemon(self.server, "server", with_crypto(text, server)).ready()
        text = case.client_ini(self.key)
        self.far = self.daemon(self.client, "client", with_crypto(text, client)).ready()

    def test_it_is_refused_without_allow_insecure(self):
        for keys in ({"plugin": "toy-insecure"}, {**TOY, "allow_insecure": "no"}):
            path = write_file("t.ini", with_crypto(case.client_ini(self.key), keys))
            for arguments in (("-t", "-c", path), ("-c", path)):
                code, _, said = run(*arguments, ns=self.client)
                self.assertNotEqual(code, 0)
                self.assertIn(
                    "[crypto] plugin: \"toy-insecure\" found, whose algorithm is "
                    "insecure-toy@example.org; allowed is AES-256-GCM, or any other with \"allow_insecure = yes\"",
                    said,
                )

    def test_a_tunnel_that_both_ends_allow(self):
        self.start(TOY, TOY)
        self.both_up()
        for daemon in (self.near, self.far):
            daemon.expect("warning: .* toy-insecure uses insecure-toy@example.org instead of AES")
            daemon.expect("warning: .*this algorithm is a toy: whoever sees the traffic can read")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        transfer(self.client, self.server, case.SERVER_IN)

    def test_no_session_with_an_end_of_another_algorithm(self):
        self.start({"plugin": case.BACKENDS[0]}, TOY)
        self.far.expect("peer office: no answer from .*")
        self.near.expect("handshake of alice refused: a sealed field does not open")
        self.assertEqual(self.near.count("peer alice up"), 0)
        self.assertEqual(self.far.count("peer office up"), 0)


class Rust(case.TunnelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.missing = cargo_missing()
        if cls.missing:
            return
        os.mkdir(os.path.join(SCRATCH, "aesgcm-rust"))
        where = built("aesgcm-rust", "cargo build --release --offline --locked")
        plugin = os.path.join(SCRATCH, "crypto-aesgcm-rust.so")
        os.rename(os.path.join(where, "target/release/libcrypto_aesgcm_rust.so"), plugin)
        install_plugin(plugin)

    def test_it_serves_and_is_served(self):
        if self.missing:
            self.skipTest(self.missing)
        self.tunnel(server={"crypto": "aesgcm-rust"}, client={"crypto": case.BACKENDS[1]})
        self.assertIn("crypto aesgcm-rust", self.near.peer_up("alice").group(1))
        transfer(self.client, self.server, case.SERVER_IN)
        transfer(self.server, self.client, case.CLIENT_IN)


runner.main()
