# SPDX-License-Identifier: MIT
"""Many peers on one server: all at once, one to another, one stopped, one that lies."""

import signal
import socket
import struct
import subprocess
import sys
import time

from harness import case, runner
from harness.daemon import write_key
from harness.network import link
from harness.traffic import Capture, Ping, ping, transfer

PEERS = 20


class ManyPeers(case.TunnelTest):
    """A server with PEERS clients, each on a link of its own."""

    def setUp(self):
        super().setUp()
        self.server = self.namespace("server")
        keys = [write_key(f"p{i}.psk") for i in range(PEERS)]
        self.clients = []
        for i in range(PEERS):
            ns = self.namespace(f"c{i}")
            link(
                self.server,
                ns,
                f"out{i}",
                "out",
                (f"10.9.{i}.1/24", f"fd09:{i}::1/64"),
                (f"10.9.{i}.2/24", f"fd09:{i}::2/64"),
            )
            self.clients.append(ns)
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(
                {
                    f"p{i}": {"psk_file": keys[i], "allowed_ips": f"{self.inner(i)}/32"}
                    for i in range(PEERS)
                }
            ),
        ).ready()
        self.far = [
            self.daemon(
                ns,
                f"c{i}",
                case.client_ini(
                    keys[i],
                    crypto=case.BACKENDS[i % 2],
                    tunnel={"address": f"{self.inner(i)}/24"},
                    endpoint=f"tcp://10.9.{i}.1:{case.PORT}",
                    allowed_ips="10.8.0.0/24",
                ),
            )
            for i, ns in enumerate(self.clients)
        ]
        for i, daemon in enumerate(self.far):
            daemon.peer_up("office")
            self.near.peer_up(f"p{i}")
        self.patient(self.server, *self.clients)

    @staticmethod
    def inner(i):
        return f"10.8.0.{i + 10}"

    def forward(self):
        self.server.sysctl("net.ipv4.ip_forward", 1)
        for name in ("all", "wt0"):
            self.server.sysctl(f"net.ipv4.conf.{name}.send_redirects", 0)

    def test_twenty_at_once_and_one_to_another(self):
        pings = [Ping(ns, case.SERVER_IN, count=50, interval=0.02) for ns in self.clients]
        for i, one in enumerate(pings):
            self.assertEqual(one.result(), (50, 50), f"peer {i}")
        self.forward()
        pings = [
            Ping(ns, self.inner((i + 1) % PEERS), count=10) for i, ns in enumerate(self.clients)
        ]
        for i, one in enumerate(pings):
            self.assertEqual(one.result(), (10, 10), f"peer {i} to the next")
        transfer(self.clients[3], self.clients[17], self.inner(17))
        _, peers = self.near.counters()
        self.assertEqual({p["state"] for p in peers.values()}, {"up"})
        self.assertEqual(len(peers), PEERS)

    def test_one_stopped_peer_costs_the_others_nothing(self):
        self.far[0].signal(signal.SIGSTOP)
        self.blocked(0)
        stream = Stream(self.server, self.inner(0), a_millisecond=2)
        pings = [Ping(ns, case.SERVER_IN, count=200, interval=0.02) for ns in self.clients[1:]]
        results = [one.result() for one in pings]
        stream.stop()
        self.assertEqual(results, [(200, 200)] * (PEERS - 1))
        self.far[0].signal(signal.SIGCONT)

    def blocked(self, i):
        """Returns when the server has dropped packets for peer i: its queue is bounded."""
        stream = Stream(self.server, self.inner(i), a_millisecond=20)
        end = time.monotonic() + 20
        while not self.near.counters()[1][f"p{i}"].get("drop_queue_full"):
            self.assertLess(time.monotonic(), end, "nothing was dropped for the stopped peer")
        stream.stop()

    def test_a_source_outside_allowed_ips_is_dropped_and_counted(self):
        thief, victim = self.clients[1], self.inner(2)
        capture = Capture(self.server, "wt0")
        spoofed = (
            victim,  # another peer's
            case.SERVER_IN,  # the server's own
            "192.0.2.1",
            "127.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
        )
        raw = thief.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_RAW)
        with raw:
            for source in spoofed:
                raw.sendto(datagram(source, case.SERVER_IN), (case.SERVER_IN, 0))
        self.assertEqual(ping(thief, case.SERVER_IN), 3)  # behind them in the same stream
        capture.stop()
        for source in spoofed:
            self.assertFalse(
                any(
                    packet[12:16] == socket.inet_aton(source) and packet[9] == 17
                    for packet in capture.packets
                ),
                f"a packet from {source} reached the server's device",
            )
        _, peers = self.near.counters()
        self.assertEqual(peers["p1"]["drop_source"], len(spoofed))
        self.assertEqual(peers["p2"].get("drop_source", 0), 0)


class CopiedKey(case.TunnelTest):
    def test_two_machines_with_one_key_do_not_take_turns(self):
        self.tunnel()
        copy = self.namespace("copy")
        link(self.server, copy, "out2", "out", ("10.9.2.1/24",), ("10.9.2.2/24",))
        near, far = self.near.mark(), self.far.mark()
        key = self.far.config.replace("client.ini", "alice.psk")
        second = self.daemon(
            copy, "copy", case.client_ini(key, endpoint=f"tcp://10.9.2.1:{case.PORT}")
        )
        second.peer_up("office")
        self.far.expect("warning: peer office: another dialler with the same key", far)
        quiet = self.near.mark()
        self.assertEqual(Ping(copy, case.SERVER_IN, count=15, interval=0.2).result(), (15, 15))
        self.assertEqual(self.near.count("peer alice up", near), 1)
        self.assertEqual(self.near.count("alice", quiet), 0)


class Stream:
    """UDP into the tunnel, so many datagrams of 1,400 bytes a millisecond."""

    SCRIPT = (
        "import socket, sys, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "while True:\n"
        "    for _ in range(int(sys.argv[2])):\n"
        "        s.sendto(bytes(1400), (sys.argv[1], 9))\n"
        "    time.sleep(0.001)\n"
    )

    def __init__(self, ns, address, a_millisecond):
        self.process = subprocess.Popen(
            ns.command(sys.executable, "-c", self.SCRIPT, address, str(a_millisecond)),
            start_new_session=True,
        )

    def stop(self):
        self.process.kill()
        self.process.wait()


def datagram(source, destination):
    """An IPv4 packet with a UDP datagram for the discard port; the kernel fills the checksum."""
    udp = struct.pack(">HHHH", 1000, 9, 12, 0) + b"lies"
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
        + socket.inet_aton(source)
        + socket.inet_aton(destination)
        + udp
    )


runner.main()
