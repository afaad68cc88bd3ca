# SPDX-License-Identifier: MIT
"""UDP first, TCP where UDP does not pass: a transfer goes on through the change, and back."""

import shutil
import subprocess
import unittest

from harness import case, runner
from harness.daemon import ini, write_key
from harness.traffic import Transfer

OVER_S = 15  # blocked UDP moves to TCP within this; without another way it is given up after 20 s


def tunnel(address):
    return ("tunnel", {"interface": "wt0", "address": address, "log_level": "debug"})


class Fallback(case.TunnelTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("nft"):
            raise unittest.SkipTest("not installed: nft (scripts/install-deps test)")
        self.hosts()
        self.key = write_key("alice.psk")

    def nft(self, *command):
        subprocess.run(self.server.command("nft", *command), check=True)

    def block(self):
        self.nft("add table inet block")
        self.nft(
            "add chain inet block input { type filter hook input priority 0; }",
        )
        self.nft(f"add rule inet block input udp dport {case.PORT} drop")

    def pass_again(self):
        self.nft("delete table inet block")

    def start(self):
        listen = {"listen": f"0.0.0.0:{case.PORT}"}
        self.near = self.daemon(
            self.server,
            "server",
            ini(
                [
                    tunnel(f"{case.SERVER_IN}/24"),
                    ("crypto", {"plugin": case.BACKENDS[0]}),
                    ("transport udp", listen),
                    ("transport tcp", listen),
                    ("auth hmac", {}),
                    (
                        "peer alice",
                        {"psk_file": self.key, "allowed_ips": f"{case.CLIENT_IN}/32"},
                    ),
                ]
            ),
        ).ready()
        self.far = self.daemon(
            self.client,
            "client",
            ini(
                [
                    tunnel(f"{case.CLIENT_IN}/24"),
                    ("crypto", {"plugin": case.BACKENDS[1]}),
                    ("transport udp", {}),
                    ("transport tcp", {}),
                    ("auth hmac", {}),
                    (
                        "peer office",
                        {
                            "endpoint": f"udp://{case.SERVER}:{case.PORT}, "
                            f"tcp://{case.SERVER}:{case.PORT}",
                            "psk_file": self.key,
                            "allowed_ips": "10.8.0.0/24",
                        },
                    ),
                ]
            ),
        )

    def over(self, transport, since=0, timeout=OVER_S):
        self.far.expect(f"peer office up: .* over {transport},", since, timeout)

    def test_blocked_from_the_start(self):
        self.block()
        self.start()
        self.over("tcp")

    def test_a_transfer_goes_on(self):
        self.start()
        self.over("udp")
        transfer = Transfer(self.client, self.server, case.SERVER_IN, seconds=25, gently=True)
        self.block()
        self.over("tcp")
        since = self.far.mark()
        self.pass_again()
        # A change of addresses is a reason to look at once; else it takes half a minute.
        self.client.ip("address add 10.77.0.1/32 dev lo")
        self.over("udp", since)
        transfer.finish()
        for end in (self.far, self.near):
            self.assertEqual(end.count("peer (office|alice) down"), 0)


runner.main()
