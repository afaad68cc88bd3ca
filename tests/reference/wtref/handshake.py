# SPDX-License-Identifier: MIT
"""auth-hmac, method 1: M1, RETRY, M2, M3 and the keys they end in."""

import struct
from dataclasses import dataclass, field

from . import Refused
from .primitives import (equal, hkdf_expand, hkdf_extract, hmac_sha256, lp, seal, sha256, u8, u32,
                         u64, unseal, x25519, x25519_public)

NAME = b"WT-HMAC-1"
STREAM, DATAGRAM = 1, 2
STATIC_TAG = 2**64 - 1
M1_SIZE, RETRY_SIZE, M2_SIZE, M3_SIZE = 192, 80, 164, 40
PARAMS_SIZE = 32
CLOCK_TOLERANCE_MS = 60_000
NO_TOKEN = bytes(32)


class NotFresh(Refused):
    """A true M1 whose time does not prove that it is new: the answer is RETRY."""


class Answered(Refused):
    """An M1 for which M2 was sent. If h1 is that of Responder.pending: that M2 again."""

    def __init__(self, text, h1):
        super().__init__(text)
        self.h1 = h1


def header(step, receiver_index):
    return struct.pack(">BBBBI", 1, 1, 1, step, receiver_index)


def hour_of(unix_ms):
    return unix_ms // 3_600_000


@dataclass
class Params:
    """The 32 bytes that each end tells the other."""
    features: int = 0
    largest_record: int = 65570
    inner_mtu: int = 1500
    algorithm: int = 1
    instance: bytes = bytes(8)
    lane: int = 0
    lanes: int = 0

    def pack(self):
        return struct.pack(">IIHBB8sB11x", self.features, self.largest_record, self.inner_mtu,
                           self.algorithm, self.lane, self.instance, self.lanes)

    @classmethod
    def unpack(cls, data):
        features, largest, mtu, algorithm, lane, instance, lanes = struct.unpack(">IIHBB8sB11x",
                                                                                 data)
        if not 609 <= largest <= 65570:
            raise Refused("largest record out of range")
        if mtu < 576:
            raise Refused("inner MTU out of range")
        if algorithm != 1:
            raise Refused("another AEAD algorithm")
        return cls(features, largest, mtu, algorithm, instance, lane, lanes)


@dataclass
class Session:
    """What a handshake ends in, as one end sees it."""
    local_index: int
    remote_index: int
    send_key: bytes
    send_iv: bytes
    recv_key: bytes
    recv_iv: bytes
    peer_params: Params


class Secrets:
    """What both ends derive from the pre-shared key and the realm."""

    def __init__(self, psk, realm=b"whispertunnel"):
        if len(psk) != 32 or psk == bytes(32):
            raise ValueError("a PSK is 32 random bytes")
        if not 1 <= len(realm) <= 255:
            raise ValueError("a realm is 1..255 bytes")
        self.domain = NAME + lp(realm)
        self.prk = hkdf_extract(sha256(self.domain), psk)
        self.k_tag = hkdf_expand(self.prk, b"id tag", 32)
        self.k_c = hkdf_expand(self.prk, b"c mac", 32)
        self.k_s = hkdf_expand(self.prk, b"s mac", 32)
        self.k_x = hkdf_expand(self.prk, b"mix", 32)

    def id_tag(self, t):
        return hmac_sha256(self.k_tag, u64(t))[:16]

    def h0(self, channel):
        return sha256(self.domain + u8(channel))

    def m1_key(self, e_i):
        return hkdf_expand(self.prk, b"m1 seal" + e_i, 32)

    def retry_mac(self, h1, retry):
        return hmac_sha256(self.k_s, h1 + retry[:48])

    def mac1(self, h0, m1):
        return hmac_sha256(self.k_c, h0 + m1[:160])

    def mac2(self, h1, m2):
        return hmac_sha256(self.k_s, h1 + m2[:132])


@dataclass
class Finish:
    """All that follows from ck and the transcript up to sealed2."""
    h2: bytes
    proof_r: bytes
    h3: bytes
    proof_i: bytes
    i2r_key: bytes
    i2r_iv: bytes
    r2i_key: bytes
    r2i_iv: bytes

    @classmethod
    def derive(cls, ck, h1, m2_before_proof, m3_header):
        h2 = sha256(h1 + m2_before_proof)
        proof_r = hmac_sha256(hkdf_expand(ck, b"r fin" + h2, 32), h2)
        h3 = sha256(h2 + proof_r + m3_header)
        proof_i = hmac_sha256(hkdf_expand(ck, b"i fin" + h3, 32), h3)
        return cls(h2, proof_r, h3, proof_i,
                   hkdf_expand(ck, b"i2r key" + h3, 32), hkdf_expand(ck, b"i2r iv" + h3, 12),
                   hkdf_expand(ck, b"r2i key" + h3, 32), hkdf_expand(ck, b"r2i iv" + h3, 12))


def m2_key(ck, h1, m2_before_seal):
    return hkdf_expand(ck, b"m2 seal" + sha256(h1 + m2_before_seal), 32)


class Initiator:
    """The end that dials. `e_private` and the times are arguments so that vectors are exact."""

    def __init__(self, secrets, channel, index, params, e_private, unix_ms, tag_time=None):
        self.secrets = secrets
        self.index = index
        self.e_private = e_private
        self.retried = False
        tag = secrets.id_tag(hour_of(unix_ms) if tag_time is None else tag_time)
        e_i = x25519_public(e_private)
        clear = header(1, 0) + u32(index) + tag + e_i
        self.sealed_part = clear + seal(secrets.m1_key(e_i), bytes(12), clear,
                                        u64(unix_ms) + params.pack())
        self.h0 = secrets.h0(channel)
        self.h1 = sha256(self.h0 + self.sealed_part)
        self.m1 = self._complete(NO_TOKEN)

    def _complete(self, token):
        message = self.sealed_part + token + bytes(12)
        return message + self.secrets.mac1(self.h0, message)

    def _check_header(self, message, step, size):
        if len(message) != size or message[:8] != header(step, self.index):
            raise Refused(f"not the step {step} that was waited for")

    def on_retry(self, retry, unix_ms=0):
        """(the M1 to send now, offset to adopt in ms)"""
        self._check_header(retry, 4, RETRY_SIZE)
        if not equal(retry[48:], self.secrets.retry_mac(self.h1, retry)):
            raise Refused("the MAC of RETRY does not verify")
        if self.retried:
            raise Refused("RETRY came before for this e_i")
        self.retried = True
        self.m1 = self._complete(retry[8:40])
        return self.m1, struct.unpack(">Q", retry[40:48])[0] - unix_ms

    def on_m2(self, m2):
        """(M3, session)"""
        self._check_header(m2, 2, M2_SIZE)
        if not equal(m2[132:], self.secrets.mac2(self.h1, m2)):
            raise Refused("mac2 does not verify")
        remote_index = struct.unpack(">I", m2[8:12])[0]
        if remote_index == 0:
            raise Refused("index 0")
        ck = hkdf_extract(self.secrets.k_x, x25519(self.e_private, m2[12:44]))
        payload = unseal(m2_key(ck, self.h1, m2[:44]), bytes(12), m2[:44], m2[44:100])
        m3_header = header(3, remote_index)
        finish = Finish.derive(ck, self.h1, m2[:100], m3_header)
        if not equal(m2[100:132], finish.proof_r):
            raise Refused("the responder's proof does not verify")
        session = Session(self.index, remote_index, finish.i2r_key, finish.i2r_iv,
                          finish.r2i_key, finish.r2i_iv, Params.unpack(payload[8:]))
        return m3_header + finish.proof_i, session


@dataclass
class Responder:
    """The end that waits, for one peer and one handshake at a time."""
    secrets: Secrets
    channel: int
    params: Params
    last_time: int = 0
    seen: list = field(default_factory=list)
    proof_i: bytes = b""
    index: int = 0
    pending: tuple = ()  # h1 and M2 of the handshake that waits for M3

    def open_m1(self, m1, unix_ms):
        """(h1, remote_index, e_i, time, params) of an M1 that a holder of the PSK made."""
        if len(m1) != M1_SIZE or m1[:8] != header(1, 0):
            raise Refused("not an M1")
        hour = hour_of(unix_ms)
        if not any(equal(m1[12:28], self.secrets.id_tag(t))
                   for t in (max(hour - 1, 0), hour, hour + 1, STATIC_TAG)):
            raise Refused("the tag is nobody's")
        h0 = self.secrets.h0(self.channel)
        if not equal(m1[160:], self.secrets.mac1(h0, m1)):
            raise Refused("mac1 does not verify")
        remote_index = struct.unpack(">I", m1[8:12])[0]
        if remote_index == 0:
            raise Refused("index 0")
        e_i = m1[28:60]
        payload = unseal(self.secrets.m1_key(e_i), bytes(12), m1[:60], m1[60:116])
        return (sha256(h0 + m1[:116]), remote_index, e_i,
                struct.unpack(">Q", payload[:8])[0], Params.unpack(payload[8:]))

    def retry(self, h1, remote_index, token, unix_ms):
        message = header(4, remote_index) + token + u64(unix_ms)
        return message + self.secrets.retry_mac(h1, message)

    def on_m1(self, m1, index, e_private, unix_ms, token_valid=False):
        """(M2, session). The session may receive; it may send once on_m3 accepted."""
        h1, remote_index, e_i, time, peer_params = self.open_m1(m1, unix_ms)
        if e_i in self.seen:
            raise Answered("this M1 was answered before", h1)
        if not token_valid and (abs(time - unix_ms) > CLOCK_TOLERANCE_MS
                                or time <= self.last_time):
            raise NotFresh("the clock is off")
        start = header(2, remote_index) + u32(index) + x25519_public(e_private)
        ck = hkdf_extract(self.secrets.k_x, x25519(e_private, e_i))
        before_proof = start + seal(m2_key(ck, h1, start), bytes(12), start,
                                    u64(unix_ms) + self.params.pack())
        finish = Finish.derive(ck, h1, before_proof, header(3, index))
        if time <= unix_ms + CLOCK_TOLERANCE_MS:
            self.last_time = max(self.last_time, time)
        self.seen = (self.seen + [e_i])[-8:]
        self.proof_i, self.index = finish.proof_i, index
        m2 = before_proof + finish.proof_r
        m2 += self.secrets.mac2(h1, m2)
        self.pending = h1, m2
        return m2, Session(index, remote_index, finish.r2i_key, finish.r2i_iv,
                           finish.i2r_key, finish.i2r_iv, peer_params)

    def on_m3(self, m3):
        if len(m3) != M3_SIZE or m3[:8] != header(3, self.index):
            raise Refused("not the M3 that was waited for")
        if not equal(m3[8:], self.proof_i):
            raise Refused("the initiator's proof does not verify")


class TokenMaker:
    """How the daemon makes RETRY tokens. Only their maker reads them: another may do otherwise."""

    def __init__(self, secret):
        self.secret = secret

    def token(self, minute, peer_id, channel, source, e_i):
        text = u32(minute) + u32(peer_id) + u8(channel) + lp(source) + e_i
        return u32(minute) + hmac_sha256(self.secret, text)[:28]
