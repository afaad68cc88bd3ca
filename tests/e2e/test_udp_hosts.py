# SPDX-License-Identifier: MIT
"""Who is where, over UDP: IPv6 alone, servers with several addresses, TCP and UDP side by side, and
ends that are killed."""

import os
import socket

from harness import case, runner
from harness.daemon import write_key
from harness.network import link
from harness.packets import UDP, Packet
from harness.traffic import Capture, Ping, Transfer, ping, transfer

BACK_S = 10  # a tunnel is back this soon after a crash
ROUNDS = 30 if os.environ.get("WT_TEST_LONG") else 2
OTHERS = ("10.9.0.11", "10.9.0.12", "fd09::11")
BOB_IN, BOB_IN6 = "10.8.0.3", "fd08::3"


class Hosts(case.TunnelTest):
    kinds = ("udp",)

    def carries(self, peer, inside):
        self.assertEqual(ping(peer, case.SERVER_IN), 3)
        self.assertEqual(ping(self.server, inside), 3)
        transfer(peer, self.server, case.SERVER_IN, size=1 << 20)
        transfer(self.server, peer, inside, size=1 << 20)


class Ipv6Only(Hosts):
    def test_no_ipv4_outside(self):
        self.server, self.client = self.namespace("server"), self.namespace("client")
        link(
            self.server, self.client, "out", "out", (f"{case.SERVER6}/64",), (f"{case.CLIENT6}/64",)
        )
        key = write_key("alice.psk")
        self.start_server(key, transport={"listen": f"[::]:{case.PORT}"})
        self.start_client(key, endpoint=f"udp://[{case.SERVER6}]:{case.PORT}")
        self.both_up()
        self.carries(self.client, case.CLIENT_IN)
        self.carries(self.client, case.CLIENT_IN6)


class Addresses(Hosts):
    """A server with several: whichever is asked answers."""

    def setUp(self):
        super().setUp()
        self.hosts()
        for address in OTHERS:
            self.server.ip(
                f"addr add {address}/{'64 nodad' if ':' in address else '24'} dev out".replace(
                    "64 nodad dev out", "64 dev out nodad"
                )
            )
        self.key = write_key("alice.psk")

    def answers_from(self, address):
        shown = f"[{address}]" if ":" in address else address
        capture = Capture(self.client, "out")
        self.start_client(self.key, endpoint=f"udp://{shown}:{case.PORT}").peer_up("office")
        self.carries(self.client, case.CLIENT_IN)
        self.assertEqual(self.far.stop(), 0)
        kinds = (b"\x08\x00", b"\x86\xdd")
        packets = [Packet(p[14:]) for p in capture.stop().packets if p[12:14] in kinds]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sources = {
            socket.inet_ntop(family, p.source)
            for p in packets
            if p.protocol == UDP and p.body[:2] == case.PORT.to_bytes(2, "big")
        }
        self.assertEqual(sources, {address})

    def test_listening_everywhere(self):
        self.start_server(self.key)
        for address in (*OTHERS, case.SERVER, case.SERVER6):
            with self.subTest(address=address):
                self.answers_from(address)

    def test_listening_at_each(self):
        listen = ", ".join(f"[{a}]:{case.PORT}" if ":" in a else f"{a}:{case.PORT}" for a in OTHERS)
        self.start_server(self.key, transport={"listen": listen})
        for address in OTHERS:
            with self.subTest(address=address):
                self.answers_from(address)


class BothTransports(Hosts):
    """One server, one port number, a peer by TCP and one by UDP."""

    def setUp(self):
        super().setUp()
        self.hosts()
        self.bob = self.namespace("bob")
        link(self.server, self.bob, "out2", "out", ("10.9.2.1/24",), ("10.9.2.2/24",))
        alice, bob = write_key("alice.psk"), write_key("bob.psk")
        peers = {
            **self.alice(alice),
            "bob": {"psk_file": bob, "allowed_ips": f"{BOB_IN}/32, {BOB_IN6}/128"},
        }
        self.near = self.daemon(
            self.server, "server", case.server_ini(peers, kinds=("tcp", "udp"))
        ).ready()
        self.start_client(alice, kinds=("tcp",))
        self.other = self.daemon(
            self.bob,
            "bob",
            case.client_ini(
                bob,
                kinds=("udp",),
                tunnel={"address": f"{BOB_IN}/24, {BOB_IN6}/64"},
                endpoint=f"udp://10.9.2.1:{case.PORT}",
            ),
        ).ready()
        self.both_up()
        self.near.peer_up("bob")
        self.other.peer_up("office")

    def test_each_reaches_the_server(self):
        self.assertIn("tcp", self.near.peer_up("alice").group(1))
        self.assertIn("udp", self.near.peer_up("bob").group(1))
        self.carries(self.client, case.CLIENT_IN)
        self.carries(self.bob, BOB_IN)

    def test_one_reaches_the_other(self):
        self.server.sysctl("net.ipv4.ip_forward", 1)
        transfer(self.client, self.bob, BOB_IN)
        transfer(self.bob, self.client, case.CLIENT_IN)
        self.assertEqual(ping(self.bob, case.CLIENT_IN), 3)

    def test_at_once(self):
        running = [
            Transfer(ns, self.server, case.SERVER_IN, seconds=2) for ns in (self.client, self.bob)
        ]
        running += [
            Transfer(self.server, ns, inside, seconds=2)
            for ns, inside in ((self.client, case.CLIENT_IN), (self.bob, BOB_IN))
        ]
        for one in running:
            one.finish()


class OneOrTheOther(Hosts):
    """A client that knows both ways."""

    kinds = ("udp", "tcp")

    def reaches(self, blocked, carried):
        self.hosts()
        key = write_key("alice.psk")
        self.start_server(key, kinds=tuple(kind for kind in self.kinds if kind != blocked))
        endpoint = ", ".join(f"{kind}://{case.SERVER}:{case.PORT}" for kind in self.kinds)
        self.start_client(key, endpoint=endpoint)
        self.assertIn(carried, self.far.peer_up("office").group(1))
        self.carries(self.client, case.CLIENT_IN)

    def test_udp_first(self):
        self.reaches(None, "udp")

    def test_tcp_where_udp_is_not_let_through(self):
        self.reaches("udp", "tcp")


class Killed(Hosts):
    """An end that dies is missed by the traffic that gets no answer; what runs through the tunnel
    goes on."""

    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")
        self.start_server(self.key)
        self.start_client(self.key)
        self.both_up()

    @staticmethod
    def traffic(ns, address):
        """From an end that lives: its device stays."""
        return Ping(ns, address, count=80, interval=0.1, wait=1)

    def back(self, since=0):
        """The server has seen the client anew. To a client that lives this is a handshake like
        others: to it the peer was never down, and it uses the new keys from the first answer on."""
        self.near.peer_up("alice", since, timeout=BACK_S)
        self.far.peer_up("office", timeout=BACK_S)
        answers = (ping(self.client, case.SERVER_IN, count=1, wait=1) for _ in range(BACK_S))
        self.assertTrue(any(answers), "nothing comes through")
        self.carries(self.client, case.CLIENT_IN)

    def test_the_server(self):
        pings = self.traffic(self.client, case.SERVER_IN)
        self.near.kill()
        self.start_server(self.key)
        self.back()
        self.assertGreater(pings.result()[1], 0)

    def test_the_client(self):
        pings, mark = self.traffic(self.server, case.CLIENT_IN), self.near.mark()
        self.far.kill()
        self.start_client(self.key)
        self.back(mark)
        self.assertGreater(pings.result()[1], 0)

    def test_both(self):
        self.near.kill()
        self.far.kill()
        self.start_server(self.key)
        self.start_client(self.key)
        self.back()

    def test_again_and_again(self):
        for turn in range(ROUNDS):
            with self.subTest(turn=turn):
                if turn % 2:
                    self.test_the_server()
                else:
                    self.test_the_client()

    def test_an_orderly_end_is_told(self):
        mark = self.far.mark()
        self.assertEqual(self.near.stop(), 0)
        reason = self.far.expect("info: peer office down: (.*)", mark).group(1)
        self.assertNotIn("unclean", reason)
        self.start_server(self.key)
        self.far.peer_up("office", mark, timeout=BACK_S)
        mark = self.near.mark()
        self.assertEqual(self.far.stop(), 0)
        self.near.expect("info: peer alice down: ", mark)


runner.main()
