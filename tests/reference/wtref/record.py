# SPDX-License-Identifier: MIT
"""Data records, the inner header, control TLVs."""

import struct
from dataclasses import dataclass

from . import Refused
from .primitives import seal, u8, u16, unseal

HEADER = bytes.fromhex("02010000")
HEADER_SIZE = 16
TAG_SIZE = 16
RECORD_MIN = HEADER_SIZE + 1 + TAG_SIZE
RECORD_MAX = HEADER_SIZE + 3 + 65535 + TAG_SIZE
COUNTER_MAX = 2**64 - 2

KEEPALIVE = 0x00
PACKET = 0x01
PACKET_PARTIAL = 0x02
SEGMENTS = 0x03
CONTROL = 0x10

CLOSE, PING, PONG, REKEY, PATH_CHALLENGE, PATH_RESPONSE, PROBE, PROBE_ACK, PAD = range(1, 10)
CLOSE_SHUTDOWN, CLOSE_REPLACED, CLOSE_REMOVED, CLOSE_PROTOCOL = range(1, 5)

# What the value of each TLV weighs; PAD has any length.
CONTROL_SIZES = {CLOSE: 1, PING: 8, PONG: 8, REKEY: 0, PATH_CHALLENGE: 8, PATH_RESPONSE: 8,
                 PROBE: 2, PROBE_ACK: 2}


def nonce(iv, counter):
    return bytes(a ^ b for a, b in zip(iv, bytes(4) + struct.pack(">Q", counter)))


def seal_record(key, iv, receiver_index, counter, plaintext):
    return (HEADER + struct.pack(">IQ", receiver_index, counter)
            + seal(key, nonce(iv, counter), b"", plaintext))


def parse_record(record):
    """(receiver_index, counter), before anything is believed."""
    if not RECORD_MIN <= len(record) <= RECORD_MAX:
        raise Refused("no record has this length")
    if record[:4] != HEADER:
        raise Refused("not a data record of version 1")
    index, counter = struct.unpack(">IQ", record[4:HEADER_SIZE])
    if counter > COUNTER_MAX:
        raise Refused("this counter is never used")
    return index, counter


def open_record(key, iv, record):
    _, counter = parse_record(record)
    return unseal(key, nonce(iv, counter), b"", record[HEADER_SIZE:])


@dataclass
class Inner:
    """What the first plaintext byte announces."""
    kind: int
    packet: bytes = b""
    segment_size: int = 0
    control: tuple = ()


def inner_packet(packet):
    return u8(PACKET) + packet


def inner_partial(packet):
    return u8(PACKET_PARTIAL) + packet


def inner_segments(segment_size, packet):
    return u8(SEGMENTS) + u16(segment_size) + packet


def inner_control(*tlvs):
    """tlvs: (type, value)."""
    return u8(CONTROL) + b"".join(u8(kind) + u16(len(value)) + value for kind, value in tlvs)


def parse_control(body):
    """The TLVs of known types; a bad length drops the whole record."""
    known = []
    while body:
        if len(body) < 3:
            raise Refused("a TLV is cut off")
        kind, size = struct.unpack(">BH", body[:3])
        if len(body) < 3 + size:
            raise Refused("a TLV is longer than the record")
        if CONTROL_SIZES.get(kind, size) != size:
            raise Refused(f"TLV {kind} has a wrong length")
        if kind in CONTROL_SIZES or kind == PAD:
            known.append((kind, body[3:3 + size]))
        body = body[3 + size:]
    return tuple(known)


def check_packet(packet):
    """Version, header length and total length of an IP packet must agree with the record."""
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        header = 4 * (packet[0] & 15)
        if len(packet) < 20 or header < 20:
            raise Refused("the IPv4 header is too short")
        total = struct.unpack(">H", packet[2:4])[0]
        if total != len(packet) or header > total:
            raise Refused("the IPv4 length is not the record's")
    elif version == 6:
        if len(packet) < 40 or struct.unpack(">H", packet[4:6])[0] != len(packet) - 40:
            raise Refused("the IPv6 length is not the record's")
    else:
        raise Refused("neither IPv4 nor IPv6")
    return packet


def parse_inner(plaintext):
    if not plaintext:
        raise Refused("a record seals at least the kind")
    kind, body = plaintext[0], plaintext[1:]
    if kind == KEEPALIVE:
        return Inner(kind)
    if kind in (PACKET, PACKET_PARTIAL):
        return Inner(kind, packet=check_packet(body))
    if kind == SEGMENTS:
        if len(body) < 2:
            raise Refused("no segment size")
        return Inner(kind, packet=check_packet(body[2:]),
                     segment_size=struct.unpack(">H", body[:2])[0])
    if kind == CONTROL:
        return Inner(kind, control=parse_control(body))
    raise Refused(f"inner kind 0x{kind:02x} is not known")


class NextOnly:
    """A stream: exactly the next counter."""

    def __init__(self):
        self.next = 0

    def check(self, counter):
        if counter != self.next:
            raise Refused("not the next counter")

    def mark(self, counter):
        self.next = counter + 1


class Window:
    """Datagrams: each counter once, if it is not `size` or more behind the largest."""

    def __init__(self, size=8192):
        self.size = size
        self.next = 0
        self.seen = set()

    def check(self, counter):
        if counter + self.size < self.next:
            raise Refused("older than the window")
        if counter in self.seen:
            raise Refused("this counter came before")

    def mark(self, counter):
        """Only for a record whose tag verified."""
        self.seen.add(counter)
        if counter >= self.next:
            self.next = counter + 1
        if len(self.seen) > 2 * self.size:  # what is behind the window is refused unseen
            self.seen = {c for c in self.seen if c + self.size >= self.next}


class Channel:
    """One established session: NextOnly on a stream, Window on datagrams."""

    def __init__(self, session, counters):
        self.session = session
        self.sent = 0
        self.counters = counters
        self.opened = 0

    def seal(self, plaintext):
        record = seal_record(self.session.send_key, self.session.send_iv,
                             self.session.remote_index, self.sent, plaintext)
        self.sent += 1
        return record

    def open(self, record):
        index, counter = parse_record(record)
        if index != self.session.local_index:
            raise Refused("the index is not this session's")
        self.counters.check(counter)
        plaintext = open_record(self.session.recv_key, self.session.recv_iv, record)
        self.counters.mark(counter)
        self.opened += 1
        return parse_inner(plaintext)
