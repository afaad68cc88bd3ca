# SPDX-License-Identifier: MIT
"""Just enough IPv4 to ping, and to fill record vectors."""

import ipaddress
import struct

ICMP, TCP, UDP = 1, 6, 17
ECHO_REPLY, ECHO_REQUEST = 0, 8


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload, identity=0):
    def header(check):
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identity, 0x4000, 64,
                           protocol, check, ipaddress.IPv4Address(source).packed,
                           ipaddress.IPv4Address(destination).packed)
    return header(checksum(header(0))) + payload


def ipv6(source, destination, protocol, payload):
    return struct.pack(">IHBB16s16s", 6 << 28, len(payload), protocol, 64,
                       ipaddress.IPv6Address(source).packed,
                       ipaddress.IPv6Address(destination).packed) + payload


def echo(kind, identity, sequence, payload):
    def message(check):
        return struct.pack(">BBHHH", kind, 0, check, identity, sequence) + payload
    return message(checksum(message(0)))


def parse_echo(packet):
    """(source, destination, kind, identity, sequence, payload) of a whole ICMP echo, or None."""
    if len(packet) < 28 or packet[0] != 0x45 or packet[9] != ICMP:
        return None
    body = packet[20:]
    if checksum(packet[:20]) or checksum(body) or body[0] not in (ECHO_REPLY, ECHO_REQUEST):
        return None
    kind, _, _, identity, sequence = struct.unpack(">BBHHH", body[:8])
    return (str(ipaddress.IPv4Address(packet[12:16])), str(ipaddress.IPv4Address(packet[16:20])),
            kind, identity, sequence, body[8:])
