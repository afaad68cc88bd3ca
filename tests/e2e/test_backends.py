# SPDX-License-Identifier: MIT
"""Traffic through a tunnel: every pair of crypto backends, IPv4 and IPv6 inside and outside, and
nothing in the clear on the outer link."""

import os
import socket

from harness import case, runner
from harness.sandbox import PREFIX
from harness.traffic import Capture, Ping, ping, transfer


class Backends(case.TunnelTest):
    def carry(self, server, client):
        self.tunnel(server={"crypto": server}, client={"crypto": client})
        self.assertIn(f"crypto {client}", self.far.peer_up("office").group(1))
        self.assertIn(f"crypto {server}", self.near.peer_up("alice").group(1))
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        self.assertEqual(ping(self.server, case.CLIENT_IN), 3)
        transfer(self.client, self.server, case.SERVER_IN)
        transfer(self.server, self.client, case.CLIENT_IN)

    def test_the_fastest_serves_the_fastest(self):
        self.tunnel(server={"crypto": "auto"}, client={"crypto": "auto"})
        for daemon in (self.near, self.far):
            chosen = daemon.expect(r"crypto auto: .* bytes: (\S+) is used").group(1)
            daemon.expect(rf"up: .* crypto {chosen},")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)


def pair(server, client):
    def test(self):
        for name in (server, client):
            if not os.path.exists(f"{PREFIX}/plugins/crypto-{name}.so"):
                self.skipTest(f"crypto-{name} is not in this build")
        self.carry(server, client)

    return test


for one in (*case.BACKENDS, "aesgcm-ipsecmb"):
    for other in (*case.BACKENDS, "aesgcm-ipsecmb"):
        setattr(Backends, f"test_{one}_serves_{other}".replace("-", "_"), pair(one, other))


class Families(case.TunnelTest):
    def carry(self, endpoint, server_in, client_in):
        self.tunnel(client={"endpoint": f"{self.kinds[0]}://{endpoint}:{case.PORT}"})
        self.assertIn(f"endpoint {endpoint}:{case.PORT}", self.far.peer_up("office").group(1))
        self.assertEqual(ping(self.client, server_in), 3)
        self.assertEqual(ping(self.server, client_in), 3)
        transfer(self.client, self.server, server_in)
        transfer(self.server, self.client, client_in)

    def test_ipv4_in_ipv4(self):
        self.carry(case.SERVER, case.SERVER_IN, case.CLIENT_IN)

    def test_ipv6_in_ipv4(self):
        self.carry(case.SERVER, case.SERVER_IN6, case.CLIENT_IN6)

    def test_ipv4_in_ipv6(self):
        self.carry(f"[{case.SERVER6}]", case.SERVER_IN, case.CLIENT_IN)

    def test_ipv6_in_ipv6(self):
        self.carry(f"[{case.SERVER6}]", case.SERVER_IN6, case.CLIENT_IN6)

    def test_every_size_up_to_the_mtu_and_fragments_beyond(self):
        self.tunnel()
        for size in (0, 1, 16, 17, 512, 1471, 1472, 1473, 8000, 40000):
            with self.subTest(size=size):
                result = Ping(self.client, case.SERVER_IN, count=3, size=size).result()
                self.assertEqual(result, (3, 3))

    def test_a_large_mtu(self):
        large = {"tunnel": {"mtu": 9000}}
        self.tunnel(server=large, client=large)
        self.assertIn("mtu 9000", self.far.peer_up("office").group(1))
        whole = Ping(self.client, case.SERVER_IN, size=9000 - 28, fragment=False)
        self.assertEqual(whole.result(), (5, 5))
        transfer(self.client, self.server, case.SERVER_IN)

    def test_two_ends_with_different_mtu(self):
        self.tunnel(server={"tunnel": {"mtu": 9000}}, client={"tunnel": {"mtu": 1400}})
        transfer(self.client, self.server, case.SERVER_IN)
        transfer(self.server, self.client, case.CLIENT_IN)


class Secrecy(case.TunnelTest):
    def test_a_marker_is_on_the_tunnel_device_and_not_on_the_outer_link(self):
        self.tunnel()
        marker = os.urandom(32)
        captures = [
            Capture(self.client, "wt0"),
            Capture(self.client, "out"),
            Capture(self.server, "out"),
            Capture(self.server, "wt0"),
        ]
        self.send_and_receive(marker)
        near_in, near_out, far_out, far_in = (capture.stop() for capture in captures)
        self.assertTrue(near_in.contains(marker))
        self.assertTrue(far_in.contains(marker))
        self.assertGreater(len(near_out.packets), 0)
        self.assertFalse(near_out.contains(marker))
        self.assertFalse(far_out.contains(marker))
        self.assertFalse(near_out.contains(socket.inet_aton(case.SERVER_IN)))

    def send_and_receive(self, data):
        receiver = self.server.socket(kind=socket.SOCK_DGRAM)
        sender = self.client.socket(kind=socket.SOCK_DGRAM)
        with receiver, sender:
            receiver.settimeout(10)
            receiver.bind((case.SERVER_IN, 0))
            sender.sendto(data, receiver.getsockname())
            self.assertEqual(receiver.recv(100), data)


if __name__ == "__main__":
    runner.main()
