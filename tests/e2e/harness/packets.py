# SPDX-License-Identifier: MIT
"""IP packets as they arrive at a host: captured, taken apart, their checksums computed anew."""

import contextlib
import socket
import struct

from .traffic import ETH_P_ALL

ETHERNET = 14
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
ICMP, ICMP6 = socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
NOT_ECT, ECT1, ECT0, CE = range(4)

PACKET_OUTGOING = 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_RCVBUFFORCE = 33
BUFFER = 64 << 20


class Arrivals:
    """What one device receives, without what it sends. The kernel keeps it until stop(), which
    fails if anything was lost: then nothing would be proved."""

    def __init__(self, ns, device):
        self.packets = []
        self._socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.setblocking(False)

    def stop(self):
        with self._socket, contextlib.suppress(BlockingIOError):
            counts = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
            _, lost = struct.unpack("II", counts)
            if lost:
                raise AssertionError(f"the capture lost {lost} packets")
            while True:
                packet, address = self._socket.recvfrom(1 << 17)
                if address[2] != PACKET_OUTGOING:
                    self.packets.append(packet)
        return self

    def ip(self):
        """The IPv4 and IPv6 packets among them."""
        kinds = (b"\x08\x00", b"\x86\xdd")
        return [Packet(p[ETHERNET:]) for p in self.packets if p[12:14] in kinds]


class Packet:
    """One IP packet without extension headers. `problems` lists what is wrong with it."""

    def __init__(self, data):
        self.problems = []
        self.version = data[0] >> 4
        if self.version == 4:
            self._header, length = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
            self.tos, self.hops, self.protocol = data[1], data[8], data[9]
            self.source, self.destination = data[12:16], data[16:20]
            self.fragment = int.from_bytes(data[6:8], "big") & 0x3FFF != 0
        else:
            self._header, length = 40, 40 + int.from_bytes(data[4:6], "big")
            self.tos = (data[0] & 15) << 4 | data[1] >> 4
            self.protocol, self.hops = data[6], data[7]
            self.source, self.destination = data[8:24], data[24:40]
            self.fragment = False
        if length > len(data):
            self.problems.append(f"{len(data)} bytes came of {length}")
        self.data = data[:length]  # a short one was padded by the link
        self.body = self.data[self._header :]
        self._check()

    @property
    def ecn(self):
        return self.tos & 3

    @property
    def dscp(self):
        return self.tos >> 2

    @property
    def flags(self):
        """TCP's."""
        return self.body[13]

    @property
    def payload(self):
        start = (self.body[12] >> 4) * 4 if self.protocol == TCP else 8
        return self.body[start:]

    @property
    def mss(self):
        """What a SYN offers; None without the option."""
        options = self.body[20 : (self.body[12] >> 4) * 4]
        while options and options[0]:
            size = 1 if options[0] == 1 else options[1]
            if options[0] == 2:
                return int.from_bytes(options[2:4], "big")
            options = options[size:]
        return None

    def _check(self):
        if self.version == 4 and _sum(self.data[: self._header]) != 0xFFFF:
            self.problems.append("IPv4 header checksum")
        if self.fragment:
            return
        if self.protocol == UDP and int.from_bytes(self.body[4:6], "big") != len(self.body):
            self.problems.append("UDP length")
        if self.protocol == UDP and self.body[6:8] == b"\0\0":
            self.problems.append("UDP without a checksum")
        if self.protocol == ICMP:
            pseudo = b""
        elif self.protocol in (TCP, UDP, ICMP6):
            pseudo = self.source + self.destination
            pseudo += struct.pack("!II", len(self.body), self.protocol)
        else:
            return
        if _sum(pseudo + self.body) != 0xFFFF:
            self.problems.append(f"checksum of protocol {self.protocol}")


def _sum(data):
    """RFC 1071: the folded sum, which is 0xffff over data that includes its own checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
