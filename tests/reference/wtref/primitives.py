# SPDX-License-Identifier: MIT
"""The four primitives, and the joining of integers."""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import Refused


def u8(value):
    return struct.pack(">B", value)


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def lp(data):
    """LP(x): the length as u16, then the bytes."""
    return u16(len(data)) + data


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def equal(a, b):
    return hmac.compare_digest(a, b)


def hkdf_extract(salt, ikm):
    """RFC 5869, section 2.2."""
    return hmac_sha256(salt, ikm)


def hkdf_expand(prk, info, length):
    """RFC 5869, section 2.3."""
    out = block = b""
    counter = 1
    while len(out) < length:
        block = hmac_sha256(prk, block + info + u8(counter))
        out += block
        counter += 1
    return out[:length]


def x25519_public(private):
    """RFC 7748: the public key of 32 private bytes."""
    key = X25519PrivateKey.from_private_bytes(private)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519(private, public):
    """RFC 7748; the all-zero result is refused."""
    try:
        shared = X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Refused("X25519 gave all zero") from error
    if shared == bytes(32):
        raise Refused("X25519 gave all zero")
    return shared


def seal(key, nonce, aad, plaintext):
    """AES-256-GCM: ciphertext, then the tag of 16 bytes."""
    return AESGCM(key).encrypt(nonce, plaintext, aad)


def unseal(key, nonce, aad, sealed):
    if len(sealed) < 16:
        raise Refused("shorter than a tag")
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag as error:
        raise Refused("the tag does not verify") from error
