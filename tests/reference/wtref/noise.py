# SPDX-License-Identifier: MIT
"""auth-noise, method 2: M1, COOKIE, M2 and the keys they end in."""

import copy
import struct
from dataclasses import dataclass, field

from . import Refused
from .handshake import CLOCK_TOLERANCE_MS, Answered, NotFresh, Params, Session
from .primitives import (equal, hkdf_expand, hmac_sha256, lp, seal, sha256, u8, u32, u64, unseal,
                         x25519, x25519_public)

PROTOCOL = b"Noise_IKpsk2_25519_AESGCM_SHA256"
PROLOGUE = b"WhisperTunnel 1"
M1_SIZE, COOKIE_SIZE, M2_SIZE = 184, 72, 124
NO_PSK = bytes(32)
NO_MAC = bytes(16)


def header(step, receiver_index):
    return struct.pack(">BBBBI", 1, 1, 2, step, receiver_index)


def tai64n(unix_ms):
    return u64(2**62 + 10 + unix_ms // 1000) + u32(unix_ms % 1000 * 1_000_000)


def unix_ms_of(stamp):
    seconds, nanoseconds = struct.unpack(">QI", stamp)
    return max((seconds - 2**62 - 10) * 1000 + nanoseconds // 1_000_000, 0)


# ---- Noise --------------------------------------------------------------------

def noise_hkdf(chaining_key, material, outputs):
    """Section 4.3 of the framework."""
    temp = hmac_sha256(chaining_key, material)
    out, block = [], b""
    for number in range(1, outputs + 1):
        block = hmac_sha256(temp, block + u8(number))
        out.append(block)
    return out


class Symmetric:
    """Section 5.2 of the framework, cipher AESGCM, hash SHA256."""

    def __init__(self, name=PROTOCOL):
        self.h = name.ljust(32, b"\0") if len(name) <= 32 else sha256(name)
        self.ck = self.h
        self.k, self.n = None, 0

    def copy(self):
        return copy.copy(self)

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def mix_key(self, material):
        self.ck, self.k = noise_hkdf(self.ck, material, 2)
        self.n = 0

    def mix_key_and_hash(self, material):
        self.ck, temp, self.k = noise_hkdf(self.ck, material, 3)
        self.n = 0
        self.mix_hash(temp)

    def _nonce(self):
        nonce = bytes(4) + u64(self.n)
        self.n += 1
        return nonce

    def encrypt_and_hash(self, plaintext):
        sealed = plaintext if self.k is None else seal(self.k, self._nonce(), self.h, plaintext)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed):
        plaintext = sealed if self.k is None else unseal(self.k, self._nonce(), self.h, sealed)
        self.mix_hash(sealed)
        return plaintext

    def split(self):
        return noise_hkdf(self.ck, b"", 2)


def begin(realm, channel, head1, responder_public):
    """What both ends start from; head1 is M1[0..12)."""
    state = Symmetric()
    state.mix_hash(PROLOGUE + lp(realm) + u8(channel) + head1)
    state.mix_hash(responder_public)
    return state


# ---- around it ----------------------------------------------------------------

def mac1(receiver_public, message):
    return hmac_sha256(sha256(b"wt-mac1" + receiver_public), message)[:16]


def mac2(cookie, message):
    return hmac_sha256(cookie, message)[:16]


def cookie_key(sender_public, n):
    return hkdf_expand(sha256(b"wt-cookie" + sender_public), n, 32)


def write_cookie(responder_public, m1, n, cookie):
    start = header(4, struct.unpack(">I", m1[8:12])[0]) + n
    return start + seal(cookie_key(responder_public, n), bytes(12), m1[152:168], cookie)


class CookieMaker:
    """How the daemon makes cookies. Only their maker reads them: another may do otherwise."""

    def __init__(self, secret):
        self.secret = secret

    def cookie(self, channel, source, e):
        return hmac_sha256(self.secret, u8(channel) + lp(source) + e)[:16]


@dataclass
class Finish:
    """All that follows from a run and both heads."""
    i2r_key: bytes
    i2r_iv: bytes
    r2i_key: bytes
    r2i_iv: bytes
    m2_mac: bytes

    @classmethod
    def derive(cls, state, head1, head2):
        c1, c2 = state.split()
        t = sha256(state.h + head1 + head2)
        return cls(hkdf_expand(c1, b"i2r key" + t, 32), hkdf_expand(c1, b"i2r iv" + t, 12),
                   hkdf_expand(c2, b"r2i key" + t, 32), hkdf_expand(c2, b"r2i iv" + t, 12),
                   hkdf_expand(c2, b"m2 mac" + t, 32))


@dataclass
class Identity:
    """One end's own key pair, and what it knows of the other."""
    private: bytes
    remote_public: bytes
    psk: bytes = NO_PSK
    realm: bytes = b"whispertunnel"
    public: bytes = field(init=False)

    def __post_init__(self):
        self.public = x25519_public(self.private)


class Initiator:
    """The end that dials. `e_private` and the time are arguments so that vectors are exact."""

    def __init__(self, identity, channel, index, params, e_private, unix_ms, head=header(1, 0)):
        self.identity, self.index, self.e_private = identity, index, e_private
        self.head1 = head + u32(index)
        self.state = state = begin(identity.realm, channel, self.head1, identity.remote_public)
        e = x25519_public(e_private)
        state.mix_hash(e)
        state.mix_key(e)
        state.mix_key(x25519(e_private, identity.remote_public))
        s = state.encrypt_and_hash(identity.public)
        state.mix_key(x25519(identity.private, identity.remote_public))
        payload = state.encrypt_and_hash(tai64n(unix_ms) + params.pack())
        message = self.head1 + e + s + payload
        self.m1 = message + mac1(identity.remote_public, message) + NO_MAC

    def _check_header(self, message, step, size):
        if len(message) != size or message[:8] != header(step, self.index):
            raise Refused(f"not the step {step} that was waited for")

    def on_cookie(self, message):
        """The M1 to send now."""
        self._check_header(message, 4, COOKIE_SIZE)
        key = cookie_key(self.identity.remote_public, message[8:40])
        cookie = unseal(key, bytes(12), self.m1[152:168], message[40:])
        self.m1 = self.m1[:168] + mac2(cookie, self.m1[:168])
        return self.m1

    def on_retry(self, message, unix_ms=0):
        """As handshake.Initiator has it: (the M1 to send now, offset to adopt, which is none)"""
        del unix_ms
        return self.on_cookie(message), 0

    def on_m2(self, m2):
        """(None, session): there is no M3, the first record is the proof and is sent at once."""
        self._check_header(m2, 2, M2_SIZE)
        if not equal(m2[92:108], mac1(self.identity.public, m2[:92])):
            raise Refused("mac1 does not verify")
        remote_index = struct.unpack(">I", m2[8:12])[0]
        if remote_index == 0:
            raise Refused("index 0")
        state = self.state.copy()  # an M2 that fails changes nothing
        e = m2[12:44]
        state.mix_hash(e)
        state.mix_key(e)
        state.mix_key(x25519(self.e_private, e))
        state.mix_key(x25519(self.identity.private, e))
        state.mix_key_and_hash(self.identity.psk)
        params = state.decrypt_and_hash(m2[44:92])
        finish = Finish.derive(state, self.head1, m2[:12])
        if not equal(m2[108:], mac2(finish.m2_mac, m2[:108])):
            raise Refused("mac2 does not verify")
        self.h = state.h
        return None, Session(self.index, remote_index, finish.i2r_key, finish.i2r_iv,
                             finish.r2i_key, finish.r2i_iv, Params.unpack(params))


@dataclass
class Responder:
    """The end that waits, for one peer and one handshake at a time."""
    identity: Identity
    channel: int
    params: Params
    last_time: bytes = bytes(12)
    seen: list = field(default_factory=list)
    finish: Finish = None
    pending: tuple = (b"", b"")  # (hash of M1 up to mac1, M2) of the last one

    def open_m1(self, m1):
        """(state, remote_index, e, time, params) of an M1 that the peer made."""
        if len(m1) != M1_SIZE or m1[:8] != header(1, 0):
            raise Refused("not an M1")
        if not equal(m1[152:168], mac1(self.identity.public, m1[:152])):
            raise Refused("mac1 does not verify")
        state = begin(self.identity.realm, self.channel, m1[:12], self.identity.public)
        e = m1[12:44]
        state.mix_hash(e)
        state.mix_key(e)
        state.mix_key(x25519(self.identity.private, e))
        if not equal(state.decrypt_and_hash(m1[44:92]), self.identity.remote_public):
            raise Refused("the public key is nobody's")
        state.mix_key(x25519(self.identity.private, self.identity.remote_public))
        payload = state.decrypt_and_hash(m1[92:152])
        remote_index = struct.unpack(">I", m1[8:12])[0]
        if remote_index == 0:
            raise Refused("index 0")
        return state, remote_index, e, payload[:12], Params.unpack(payload[12:])

    def on_m1(self, m1, index, e_private, unix_ms, shown=False):
        """(M2, session). The session may receive; it may send once a record came. shown: mac2 shows
        a valid cookie."""
        if m1[12:44] in self.seen:  # before anything is computed
            raise Answered("this M1 was answered before", sha256(m1[:152]))
        state, remote_index, e, time, peer_params = self.open_m1(m1)
        if not shown and (abs(unix_ms_of(time) - unix_ms) > CLOCK_TOLERANCE_MS
                          or time <= self.last_time or m1[168:] != NO_MAC):
            raise NotFresh("the time is off")
        head2 = header(2, remote_index) + u32(index)
        e_r = x25519_public(e_private)
        state.mix_hash(e_r)
        state.mix_key(e_r)
        state.mix_key(x25519(e_private, e))
        state.mix_key(x25519(e_private, self.identity.remote_public))
        state.mix_key_and_hash(self.identity.psk)
        message = head2 + e_r + state.encrypt_and_hash(self.params.pack())
        message += mac1(self.identity.remote_public, message)
        finish = self.finish = Finish.derive(state, m1[:12], head2)
        if unix_ms_of(time) <= unix_ms + CLOCK_TOLERANCE_MS:
            self.last_time = max(self.last_time, time)
        self.seen = (self.seen + [e])[-8:]
        session = Session(index, remote_index, finish.r2i_key, finish.r2i_iv,
                          finish.i2r_key, finish.i2r_iv, peer_params)
        message += mac2(finish.m2_mac, message)
        self.pending = (sha256(m1[:152]), message)
        return message, session
