# SPDX-License-Identifier: MIT
"""What the tunnel forwards for others is whole at the far host: every packet has right checksums
and fits its link, and says about congestion and precedence what it said when it left."""

import collections
import random
import socket
import struct

from harness import runner
from harness.gateways import ETHERNET_MTU, HOME, HOME6, SITE, SITE6, Gateways
from harness.packets import CE, CWR, ECE, ECT0, ECT1, NOT_ECT, SYN, TCP, UDP, Arrivals
from harness.traffic import ping, transfer

SIZE = 4 << 20
STALL_S = 2  # what moves nothing for this long is stuck: ten times the first retransmission
ARRIVES_S = 30  # what is not stuck has as long as a busy machine needs
IPV4_TCP, IPV6_TCP = 40, 60  # headers without options
SMALL_MTU = 1280

SOL_UDP, UDP_SEGMENT = 17, 103
EXPEDITED = 46  # the DSCP of "expedited forwarding"
HOPS = 64 - 2


class Forwarding(Gateways):
    def ways(self):
        """(sender, receiver, the receiver's address): both directions, both families."""
        return (
            (self.home, self.site, SITE),
            (self.home, self.site, SITE6),
            (self.site, self.home, HOME),
            (self.site, self.home, HOME6),
        )

    def sound(self, arrivals, mtu=ETHERNET_MTU):
        """All packets of a capture, which were looked at one by one."""
        packets = arrivals.stop().ip()
        self.assertGreater(len(packets), 0)
        for packet in packets:
            self.assertEqual(packet.problems, [])
            self.assertLessEqual(len(packet.data), mtu)
        return packets

    def both_captured(self):
        return Arrivals(self.home, "lan"), Arrivals(self.site, "lan")

    # ---- bulk

    def test_tcp(self):
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                captures = self.both_captured()
                transfer(sender, receiver, address, size=SIZE)
                for arrivals in captures:
                    packets = self.sound(arrivals)
                    self.assertTrue(all(p.protocol == TCP for p in packets if p.version == 4))
        for counters in self.offloads():
            self.assertGreater(counters["sent_segments"], 0)
            self.assertGreater(counters["received_segments"], 0)
            self.assertNotIn("refused", counters)

    def udp(self, sender, receiver, address, sizes, segment=None):
        """Datagrams of these sizes, or with `segment` of that size from runs of these sizes."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with receiver.socket(family, socket.SOCK_DGRAM) as end, sender.socket(
            family, socket.SOCK_DGRAM
        ) as out:
            end.settimeout(ARRIVES_S)
            end.bind((address, 0))
            out.connect(end.getsockname())
            if segment:
                out.setsockopt(SOL_UDP, UDP_SEGMENT, segment)
            for size in sizes:
                data = random.randbytes(size)
                out.send(data)
                step = segment or max(size, 1)
                for at in range(0, max(size, 1), step):
                    self.assertEqual(end.recv(65536), data[at : at + step])

    def test_udp(self):
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                arrivals = Arrivals(receiver, "lan")
                self.udp(sender, receiver, address, [0, 1, 2, 3, 100, 1400, 1452] * 20)
                self.udp(sender, receiver, address, [60000, 1201, 3601, 51200] * 10, segment=1200)
                udp = [p for p in self.sound(arrivals) if p.protocol == UDP]
                self.assertEqual(len(udp), 140 + 10 * (50 + 2 + 4 + 43))

    def test_udp_in_fragments(self):
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                arrivals = Arrivals(receiver, "lan")
                self.udp(sender, receiver, address, [1473, 5000, 20000, 60000])
                self.sound(arrivals)

    # ---- a narrow link behind the far gateway

    def narrow(self):
        """The site's gateway, and it alone, knows that its link takes no more than this."""
        self.server.ip(f"link set lan mtu {SMALL_MTU}")

    def deaf(self):
        """Nobody hears of packets that are too large."""
        for gateway in (self.client, self.server):
            self.nft(
                gateway,
                "output icmp type destination-unreachable drop",
                "output icmpv6 type packet-too-big drop",
                "forward icmp type destination-unreachable drop",
                "forward icmpv6 type packet-too-big drop",
            )

    def reaches_the_narrow_link(self):
        for address in (SITE, SITE6):
            with self.subTest(to=address):
                captures = self.both_captured()
                transfer(self.home, self.site, address, size=SIZE)
                self.sound(captures[0])
                self.sound(captures[1], SMALL_MTU)

    def stuck(self, sender, receiver, address):
        """A connection is made, and what fills whole packets never arrives."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with receiver.socket(family) as listener, sender.socket(family) as out:
            listener.bind((address, 0))
            listener.listen()
            out.settimeout(ARRIVES_S)
            out.connect(listener.getsockname())
            end, _ = listener.accept()
            with end:
                end.settimeout(STALL_S)
                out.sendall(bytes(20000))
                with self.assertRaises(TimeoutError):
                    end.recv(1)
                out.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def test_narrow_link_with_icmp(self):
        self.narrow()
        self.connect({"mss_clamp": "no"}, {"mss_clamp": "no"})
        self.reaches_the_narrow_link()

    def test_narrow_link_without_icmp(self):
        self.narrow()
        self.deaf()
        self.connect()
        self.reaches_the_narrow_link()

    def test_narrow_link_without_icmp_and_clamp(self):
        """What mss_clamp is for. If this fails, the tests above prove nothing."""
        self.narrow()
        self.deaf()
        self.connect({"mss_clamp": "no"}, {"mss_clamp": "no"})
        for address in (SITE, SITE6):
            self.stuck(self.home, self.site, address)

    # ---- ends that disagree about the tunnel's MTU

    def test_different_mtus(self):
        self.connect(client={"mtu": 1400})
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                arrivals = Arrivals(receiver, "lan")
                transfer(sender, receiver, address, size=SIZE)
                packets = self.sound(arrivals, 1400)
                most = 1400 - (IPV6_TCP if ":" in address else IPV4_TCP)
                offered = {p.mss for p in packets if p.protocol == TCP and p.flags & SYN}
                self.assertEqual(offered, {most})

    def test_different_mtus_without_clamp(self):
        self.connect({"mss_clamp": "no"}, {"mss_clamp": "no", "mtu": 1400})
        # The site sends first: a host that was told itself offers less.
        for sender, receiver, address in reversed(self.ways()):
            with self.subTest(to=address):
                arrivals = Arrivals(receiver, "lan")
                transfer(sender, receiver, address, size=SIZE)
                self.sound(arrivals, 1400)
        client, server = self.offloads()
        self.assertNotIn("clamped", client)
        self.assertNotIn("clamped", server)
        # The client's kernel tells those who send from there, the server's knows no better.
        self.assertGreater(server["too_big"], 0)

    def test_different_mtus_without_clamp_and_icmp(self):
        self.deaf()
        self.connect({"mss_clamp": "no"}, {"mss_clamp": "no", "mtu": 1400})
        self.stuck(self.site, self.home, HOME)

    # ---- congestion and precedence

    def test_ecn(self):
        for host in (self.home, self.site):
            host.sysctl("net.ipv4.tcp_ecn", 1)
        self.nft(
            self.client,
            "forward oifname wt0 ip ecn ect0 numgen inc mod 20 0 ip ecn set ce",
            "forward oifname wt0 ip6 ecn ect0 numgen inc mod 20 0 ip6 ecn set ce",
        )
        self.connect()
        for address in (SITE, SITE6):
            with self.subTest(to=address):
                at_home, at_site = self.both_captured()
                transfer(self.home, self.site, address, size=SIZE)
                acks = [p for p in self.sound(at_home) if p.protocol == TCP]
                data = [p for p in self.sound(at_site) if p.protocol == TCP]
                self.assertEqual(data[0].flags & (SYN | ECE | CWR), SYN | ECE | CWR)
                self.assertEqual(acks[0].flags & (SYN | ECE | CWR), SYN | ECE)
                # TCP repeats a lost packet without saying that it knows of ECN.
                marks = collections.Counter(p.ecn for p in data if p.payload)
                self.assertGreater(marks[ECT0], 19 * marks[NOT_ECT])
                self.assertGreater(marks[CE], 0)
                self.assertEqual(marks[ECT1], 0)
                self.assertGreater(sum(1 for p in acks[1:] if p.flags & ECE), 0)
                # Each answer to a mark stands on one packet, however long its run was.
                reduced = [p for p in data[1:] if p.flags & CWR]
                self.assertIn(len(reduced), range(1, marks[CE] + 1))

    def test_dscp(self):
        for host in (self.home, self.site):
            self.nft(
                host,
                f"postrouting ip dscp set {EXPEDITED}",
                f"postrouting ip6 dscp set {EXPEDITED}",
            )
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                captures = self.both_captured()
                transfer(sender, receiver, address, size=SIZE // 4)
                self.udp(sender, receiver, address, [50000], segment=1000)
                self.assertEqual(ping(sender, address), 3)
                for arrivals in captures:
                    # The gateways themselves look for their neighbours.
                    packets = [p for p in self.sound(arrivals) if p.hops == HOPS]
                    self.assertEqual({p.dscp for p in packets}, {EXPEDITED})

    def test_hop_limits(self):
        """Each gateway is one hop, and the tunnel between them none."""
        self.connect()
        for sender, receiver, address in self.ways():
            arrivals = Arrivals(receiver, "lan")
            self.udp(sender, receiver, address, [6000], segment=1000)
            hops = {p.hops for p in self.sound(arrivals) if p.protocol == UDP}
            self.assertEqual(hops, {HOPS})


if __name__ == "__main__":
    runner.main()
