#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the frozen vectors: vectors/*.json and vectors.h.

    make_vectors.py           write them
    make_vectors.py --check   write nothing; exit 1 if a file would change

Every input is SHA-256 of a label that says what it is, so nothing here was
chosen to suit an implementation.
"""

import json
import pathlib
import sys

from wtref import handshake, noise, packet, record
from wtref.primitives import sha256

HERE = pathlib.Path(__file__).resolve().parent


def from_label(label, size=32):
    return sha256(b"WhisperTunnel vector: " + label.encode())[:size]


def pattern(label, size):
    blocks = (from_label(f"{label} {i}") for i in range((size + 31) // 32))
    return b"".join(blocks)[:size]


# ---- data records ------------------------------------------------------------

def inner_cases():
    """(name, plaintext)"""
    udp = b"\x30\x39\x00\x35" + (8 + 5).to_bytes(2, "big") + b"\0\0" + b"hello"
    tcp_header = (b"\x01\xbb\xc3\x50" + b"\0\0\x10\0" + b"\0\0\x20\0" + b"\x50\x10\x02\0"
                  + b"\0\0" + b"\0\0")
    v4 = packet.ipv4("10.8.0.2", "10.8.0.1", packet.UDP, udp, 7)
    v6 = packet.ipv6("fd00::2", "fd00::1", packet.TCP, tcp_header + pattern("v6 payload", 100))
    echo = packet.ipv4("10.8.0.2", "10.8.0.1", packet.ICMP,
                       packet.echo(packet.ECHO_REQUEST, 1, 1, pattern("echo", 56)))
    run = packet.ipv4("10.8.0.2", "10.8.0.1", packet.TCP, tcp_header + pattern("run", 1300))
    return [
        ("keepalive", b"\x00"),
        ("padding", bytes(40)),
        ("ipv4 echo request", record.inner_packet(echo)),
        ("ipv6 tcp", record.inner_packet(v6)),
        ("ipv4 udp, partial checksum", record.inner_partial(v4)),
        ("ipv4 tcp, a run of segments of 512", record.inner_segments(512, run)),
        ("close, shutdown", record.inner_control((record.CLOSE, b"\x01"))),
        ("close, replaced", record.inner_control((record.CLOSE, b"\x02"))),
        ("ping", record.inner_control((record.PING, pattern("ping", 8)))),
        ("pong", record.inner_control((record.PONG, pattern("ping", 8)))),
        ("rekey", record.inner_control((record.REKEY, b""))),
        ("ping, unknown, padding", record.inner_control(
            (record.PING, pattern("ping 2", 8)), (200, b"skip me"), (record.PAD, bytes(20)))),
        ("probe", record.inner_control((record.PROBE, b"\x12\x34"), (record.PAD, bytes(600)))),
        ("probe acknowledged", record.inner_control((record.PROBE_ACK, b"\x12\x34"))),
        ("path challenge", record.inner_control((record.PATH_CHALLENGE, pattern("path", 8)))),
        ("path response", record.inner_control((record.PATH_RESPONSE, pattern("path", 8)))),
    ]


def record_vectors():
    counters = [0, 1, 2, 255, 256, 2**16, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1, 2**63,
                2**64 - 2]  # the last one; 2^64 - 1 is not used, so that nothing wraps
    vectors = []
    for number, (name, plaintext) in enumerate(inner_cases()):
        key, iv = from_label(f"record key {number}"), from_label(f"record iv {number}", 12)
        index = int.from_bytes(from_label(f"record index {number}", 4), "big")
        counter = counters[number % len(counters)]
        vectors.append({
            "name": name, "key": key, "iv": iv, "receiver_index": index, "counter": counter,
            "nonce": record.nonce(iv, counter), "plaintext": plaintext,
            "record": record.seal_record(key, iv, index, counter, plaintext),
        })
    return vectors


# ---- handshakes --------------------------------------------------------------

UNIX_MS = 1_767_225_600_000 + 1_234_567

HANDSHAKES = [
    # name, realm, channel, with a RETRY, static tag, R's clock less I's in ms
    ("stream, default realm", b"whispertunnel", handshake.STREAM, False, False, 0),
    ("datagram, another realm", b"office net \xc3\xa9", handshake.DATAGRAM, False, False, 1500),
    ("stream, RETRY", b"whispertunnel", handshake.STREAM, True, False, -180_000),
    ("stream, static tag and RETRY", b"r", handshake.STREAM, True, True, 1_700_000_000_000),
    ("datagram, realm of 255 bytes", bytes(range(1, 256)), handshake.DATAGRAM, True, False, 61_000),
]


def handshake_vector(number, name, realm, channel, retried, static, clock):
    def secret(what, size=32):
        return from_label(f"handshake {number} {what}", size)

    psk = secret("psk")
    e_i, e_r = secret("e_i"), secret("e_r")
    index_i = int.from_bytes(secret("index i", 4), "big")
    index_r = int.from_bytes(secret("index r", 4), "big")
    params_i = handshake.Params(0, 65570, 1500, 1, secret("instance i", 8))
    params_r = handshake.Params(31, 1313, 1280, 1, secret("instance r", 8))
    time_i, time_r = UNIX_MS + number * 3_600_000, UNIX_MS + number * 3_600_000 + clock
    source = secret("source", 6)
    peer_id, minute, token_secret = 17 + number, 9 + number, secret("token secret")

    secrets = handshake.Secrets(psk, realm)
    initiator = handshake.Initiator(secrets, channel, index_i, params_i, e_i, time_i,
                                    handshake.STATIC_TAG if static else None)
    responder = handshake.Responder(secrets, channel, params_r)
    first = initiator.m1
    retry, offset = b"", 0
    if retried:
        token = handshake.TokenMaker(token_secret).token(minute, peer_id, channel, source,
                                                         first[28:60])
        retry = responder.retry(initiator.h1, index_i, token, time_r)
        _, offset = initiator.on_retry(retry, time_i)
    m2, session_r = responder.on_m1(initiator.m1, index_r, e_r, time_r, token_valid=retried)
    m3, session_i = initiator.on_m2(m2)
    responder.on_m3(m3)
    assert session_i.send_key == session_r.recv_key and session_i.recv_iv == session_r.send_iv

    finish = handshake.Finish.derive(_ck(secrets, e_i, m2), initiator.h1, m2[:100], m3[:8])
    return {
        "name": name, "psk": psk, "realm": realm, "channel": channel,
        "e_i_private": e_i, "e_r_private": e_r, "index_i": index_i, "index_r": index_r,
        "params_i": params_i.pack(), "params_r": params_r.pack(),
        "unix_ms_i": time_i, "unix_ms_r": time_r, "static_tag": int(static),
        "token_secret": token_secret, "peer_id": peer_id, "boot_minute": minute, "source": source,
        "prk": secrets.prk, "k_tag": secrets.k_tag, "k_c": secrets.k_c, "k_s": secrets.k_s,
        "k_x": secrets.k_x, "h0": initiator.h0, "h1": initiator.h1, "h2": finish.h2,
        "h3": finish.h3, "m1": first, "retry": retry, "clock_offset_ms": offset,
        "m1_again": initiator.m1 if retried else b"", "m2": m2, "m3": m3,
        "i2r_key": finish.i2r_key, "i2r_iv": finish.i2r_iv,
        "r2i_key": finish.r2i_key, "r2i_iv": finish.r2i_iv,
    }


def _ck(secrets, e_i, m2):
    return handshake.hkdf_extract(secrets.k_x, handshake.x25519(e_i, m2[12:44]))


# ---- what only a holder of the key can send ----------------------------------

P = 2**255 - 19
SMALL_ORDER = [
    ("0", bytes(32)), ("1", (1).to_bytes(32, "little")),
    ("order 8", bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
    ("order 8, the other",
     bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")),
    ("p - 1", (P - 1).to_bytes(32, "little")), ("p", P.to_bytes(32, "little")),
    ("p + 1", (P + 1).to_bytes(32, "little")),
]


def hostile_vectors():
    """Messages whose MACs are right and that are wrong behind them, one flaw each. They are for
    the handshake of these inputs: default realm, stream, the initiator's e_i, index and time."""
    psk, e_i, e_r = (from_label(f"hostile {what}") for what in ("psk", "e_i", "e_r"))
    params = handshake.Params(instance=from_label("hostile instance", 8))
    secrets = handshake.Secrets(psk)
    index_i, index_r = 0x1001, 0x2002

    def initiator(index=index_i):
        return handshake.Initiator(secrets, handshake.STREAM, index, params, e_i, UNIX_MS)

    def first(sealed_part, reserved=bytes(12)):
        message = sealed_part + handshake.NO_TOKEN + reserved
        return message + secrets.mac1(secrets.h0(handshake.STREAM), message)

    def first_with_point(point):
        clear = initiator().m1[:28] + point
        return first(clear + handshake.seal(secrets.m1_key(point), bytes(12), clear,
                                            handshake.u64(UNIX_MS) + params.pack()))

    def second(index=index_r):
        responder = handshake.Responder(secrets, handshake.STREAM, params)
        return responder.on_m1(initiator().m1, index, e_r, UNIX_MS)[0]

    def with_mac2(m2):
        return m2[:132] + secrets.mac2(initiator().h1, m2)

    good, m2 = initiator().m1, second()
    cases = [
        ("M1, reserved bytes set", 1, first(good[:116], bytes(range(1, 13))), "NONE", 1),
        ("M1, index 0", 1, initiator(0).m1, "STEP", 0),
        ("M1, sealed1 altered", 1, first(good[:70] + bytes([good[70] ^ 1]) + good[71:116]),
         "BAD_SEAL", 0),
        ("M1, its sealed1 for another index", 1,
         first(good[:8] + handshake.u32(7) + good[12:116]), "BAD_SEAL", 0),
    ]
    cases += [(f"M1, point {name}", 1, first_with_point(point), "WEAK_POINT", 1)
              for name, point in SMALL_ORDER]
    cases += [
        ("M2, index 0", 2, second(0), "STEP", 0),
        ("M2, sealed2 altered", 2, with_mac2(m2[:60] + bytes([m2[60] ^ 1]) + m2[61:]),
         "BAD_SEAL", 1),
        ("M2, proof altered", 2, with_mac2(m2[:131] + bytes([m2[131] ^ 0x80]) + m2[132:]),
         "BAD_MAC", 1),
        ("M2, proof of another index", 2, with_mac2(m2[:8] + handshake.u32(7) + m2[12:]),
         "BAD_SEAL", 1),
    ]
    cases += [(f"M2, point {name}", 2, with_mac2(m2[:12] + point + m2[44:]), "WEAK_POINT", 1)
              for name, point in SMALL_ORDER]
    return [{"name": name, "step": step, "reason": Constant("WT_REASON_" + reason), "dh": dh,
             "psk": psk, "e_i_private": e_i, "index_i": index_i, "unix_ms": UNIX_MS,
             "params_i": params.pack(), "message": message}
            for name, step, message, reason, dh in cases]


# ---- auth-noise ----------------------------------------------------------------

NOISES = [
    # name, realm, channel, with a COOKIE, with a psk, R's clock less I's in ms
    ("noise, stream, no psk", b"whispertunnel", handshake.STREAM, False, False, 0),
    ("noise, datagram, psk", b"office net \xc3\xa9", handshake.DATAGRAM, False, True, 1500),
    ("noise, stream, COOKIE", b"whispertunnel", handshake.STREAM, True, False, -180_000),
    ("noise, datagram, COOKIE and psk, realm of 255 bytes", bytes(range(1, 256)),
     handshake.DATAGRAM, True, True, 61_000),
]


def noise_vector(number, name, realm, channel, cookied, with_psk, clock):
    def secret(what, size=32):
        return from_label(f"noise {number} {what}", size)

    i_private, r_private = secret("i static"), secret("r static")
    psk = secret("psk") if with_psk else noise.NO_PSK
    e_i, e_r = secret("e_i"), secret("e_r")
    index_i = int.from_bytes(secret("index i", 4), "big")
    index_r = int.from_bytes(secret("index r", 4), "big")
    params_i = handshake.Params(0, 65570, 1500, 1, secret("instance i", 8))
    params_r = handshake.Params(31, 1313, 1280, 1, secret("instance r", 8))
    time_i = UNIX_MS + number * 3_600_000
    source, cookie_secret, n = secret("source", 6), secret("cookie secret"), secret("n")

    us = noise.Identity(i_private, noise.x25519_public(r_private), psk, realm)
    them = noise.Identity(r_private, us.public, psk, realm)
    initiator = noise.Initiator(us, channel, index_i, params_i, e_i, time_i)
    responder = noise.Responder(them, channel, params_r)
    first, message, cookie = initiator.m1, b"", None
    if cookied:
        cookie = noise.CookieMaker(cookie_secret).cookie(channel, source, first[12:44])
        message = noise.write_cookie(them.public, first, n, cookie)
        initiator.on_cookie(message)
    m2, session_r = responder.on_m1(initiator.m1, index_r, e_r, time_i + clock, cookied)
    _, session_i = initiator.on_m2(m2)
    finish = responder.finish
    assert session_i.send_key == session_r.recv_key and session_i.recv_iv == session_r.send_iv
    return {
        "name": name, "realm": realm, "channel": channel,
        "i_private": i_private, "r_private": r_private, "i_public": us.public,
        "r_public": them.public, "psk": psk, "has_psk": int(with_psk),
        "e_i_private": e_i, "e_r_private": e_r, "index_i": index_i, "index_r": index_r,
        "params_i": params_i.pack(), "params_r": params_r.pack(),
        "unix_ms_i": time_i, "unix_ms_r": time_i + clock,
        "cookie_secret": cookie_secret, "source": source, "n": n,
        "m1": first, "cookie": message, "m1_again": initiator.m1 if cookied else b"", "m2": m2,
        "h": initiator.h, "m2_mac_key": finish.m2_mac,
        "i2r_key": finish.i2r_key, "i2r_iv": finish.i2r_iv,
        "r2i_key": finish.r2i_key, "r2i_iv": finish.r2i_iv,
    }


def noise_hostile_vectors():
    """As hostile_vectors: what is right up to one flaw, for the handshake of these inputs. Most of
    it takes no private key but the attacker's own, only both public ones."""
    i_private, r_private, e_i, e_r = (from_label(f"noise hostile {what}")
                                      for what in ("i", "r", "e_i", "e_r"))
    params = handshake.Params(instance=from_label("noise hostile instance", 8))
    index_i, index_r = 0x1001, 0x2002
    us = noise.Identity(i_private, noise.x25519_public(r_private))
    them = noise.Identity(r_private, us.public)

    def initiator(index=index_i, identity=us, **more):
        return noise.Initiator(identity, handshake.STREAM, index, params, e_i, UNIX_MS, **more)

    def second(index=index_r, identity=them):
        responder = noise.Responder(identity, handshake.STREAM, params)
        return responder.on_m1(initiator().m1, index, e_r, UNIX_MS)[0]

    def with_mac1(m1):
        return m1[:152] + noise.mac1(them.public, m1[:152]) + m1[168:]

    def with_mac1_of_m2(m2):
        return m2[:92] + noise.mac1(us.public, m2[:92]) + m2[108:]

    def flip(message, at):
        return message[:at] + bytes([message[at] ^ 1]) + message[at + 1:]

    m1, m2 = initiator().m1, second()
    stranger = noise.Identity(from_label("noise hostile stranger"), them.public)
    other_psk = noise.Identity(r_private, us.public, from_label("noise hostile psk"))
    other_e = noise.x25519_public(from_label("noise hostile other e"))
    cases = [
        ("M1, as it should be", 1, m1, "NONE", 3),
        ("M1, index 0", 1, initiator(0).m1, "STEP", 1),
        ("M1, another index, mac1 made new", 1,
         with_mac1(m1[:8] + handshake.u32(7) + m1[12:]), "BAD_SEAL", 1),
        ("M1, of version 2 in all that it binds", 1,
         initiator(head=bytes.fromhex("0102020100000000")).m1, "STEP", 0),
        ("M1, of receiver_index 1 in all that it binds", 1,
         initiator(head=bytes.fromhex("0101020100000001")).m1, "STEP", 0),
        ("M1, its static key altered", 1, with_mac1(flip(m1, 50)), "BAD_SEAL", 1),
        ("M1, its payload altered", 1, with_mac1(flip(m1, 100)), "BAD_SEAL", 1),
        ("M1 of another key", 1, initiator(identity=stranger).m1, "UNKNOWN_PEER", 1),
        ("M1 of another key, payload altered", 1,
         with_mac1(flip(initiator(identity=stranger).m1, 100)), "UNKNOWN_PEER", 1),
        ("M1, e of another run", 1,
         with_mac1(m1[:12] + noise.x25519_public(e_r) + m1[44:]), "BAD_SEAL", 1),
    ]
    cases += [(f"M1, point {name}", 1, with_mac1(m1[:12] + point + m1[44:]), "WEAK_POINT", 1)
              for name, point in SMALL_ORDER]
    cases += [
        ("M2, as it should be", 2, m2, "NONE", 3),
        ("M2, index 0", 2, second(0), "STEP", 1),
        ("M2, another index, mac1 made new", 2,
         with_mac1_of_m2(m2[:8] + handshake.u32(7) + m2[12:]), "BAD_MAC", 3),
        ("M2, its parameters altered", 2, with_mac1_of_m2(flip(m2, 60)), "BAD_SEAL", 3),
        ("M2, mac2 altered", 2, flip(m2, 123), "BAD_MAC", 3),
        ("M2, mac2 of zeros", 2, m2[:108] + noise.NO_MAC, "BAD_MAC", 3),
        ("M2, another psk", 2, second(identity=other_psk), "BAD_SEAL", 3),
        ("M2, e of another run", 2, with_mac1_of_m2(m2[:12] + other_e + m2[44:]), "BAD_SEAL", 3),
    ]
    # ee of a small-order point is zero already; nothing follows.
    cases += [(f"M2, point {name}", 2, with_mac1_of_m2(m2[:12] + point + m2[44:]), "WEAK_POINT", 2)
              for name, point in SMALL_ORDER]
    return [{"name": name, "step": step, "reason": Constant("WT_REASON_" + reason), "dh": dh,
             "i_private": i_private, "r_private": r_private, "i_public": us.public,
             "r_public": them.public, "e_i_private": e_i, "index_i": index_i, "unix_ms": UNIX_MS,
             "params_i": params.pack(), "message": message}
            for name, step, message, reason, dh in cases]


class Constant(str):
    """The name of a constant of auth.h."""


# ---- writing -----------------------------------------------------------------

def as_json(vectors):
    def plain(value):
        return value.hex() if isinstance(value, bytes) else value
    rows = [{name: plain(value) for name, value in vector.items()} for vector in vectors]
    return json.dumps(rows, indent=1) + "\n"


def c_bytes(data):
    lines = [data[i:i + 12] for i in range(0, len(data), 12)]
    return "\n".join("\t\t\t" + " ".join(f"0x{byte:02x}," for byte in line) for line in lines)


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_fields(vector, sized):
    """Initialisers; fields named in `sized` also get NAME_len."""
    for name, value in vector.items():
        if isinstance(value, Constant):
            yield f"\t\t.{name} = {value},"
        elif isinstance(value, str):
            yield f"\t\t.{name} = {c_text(value)},"
        elif isinstance(value, int):
            yield f"\t\t.{name} = {value}{'u' if value >= 2**31 else ''}{'ll' if value >= 2**32 else ''},"
        else:
            if name in sized:
                yield f"\t\t.{name}_len = {len(value)},"
            if value:
                yield f"\t\t.{name} = (const uint8_t[]){{\n{c_bytes(value)}\n\t\t}},"


def c_struct(struct, vector, sized, int64):
    yield f"struct {struct} {{"
    for name, value in vector.items():
        if isinstance(value, Constant):
            yield f"\tenum wt_auth_reason {name};"
        elif isinstance(value, str):
            yield f"\tconst char *{name};"
        elif isinstance(value, int):
            yield f"\t{int64.get(name, 'uint32_t')} {name};"
        else:
            if name in sized:
                yield f"\tuint32_t {name}_len;"
                yield f"\tconst uint8_t *{name};"
            else:
                yield f"\tconst uint8_t *{name}; /* {len(value)} bytes */"
    yield "};"


def c_table(struct, vectors, sized, int64):
    lines = list(c_struct(struct, vectors[0], sized, int64))
    lines += ["", f"static const struct {struct} {struct}s[] = {{"]
    for vector in vectors:
        lines += ["\t{"] + list(c_fields(vector, sized)) + ["\t},"]
    return lines + ["};", ""]


def as_header(records, handshakes, hostile, noises, noise_hostile):
    lines = [
        "/* SPDX-License-Identifier: MIT",
        " *",
        " * vectors.h: frozen by make_vectors.py from the Python reference; not edited",
        " * by hand. docs/protocol.md says what each field is.",
        " */",
        "/* clang-format off */",
        "#ifndef WT_TEST_REFERENCE_VECTORS_H",
        "#define WT_TEST_REFERENCE_VECTORS_H",
        "",
        "#include <stdint.h>",
        "#include <whispertunnel/auth.h>",
        "",
    ]
    lines += c_table("wt_record_vector", records, {"plaintext", "record"},
                     {"counter": "uint64_t"})
    lines += c_table("wt_handshake_vector", handshakes,
                     {"realm", "source", "m1", "retry", "m1_again", "m2", "m3"},
                     {"unix_ms_i": "uint64_t", "unix_ms_r": "uint64_t",
                      "clock_offset_ms": "int64_t"})
    lines += c_table("wt_hostile_vector", hostile, {"message"}, {"unix_ms": "uint64_t"})
    lines += c_table("wt_noise_vector", noises,
                     {"realm", "source", "m1", "cookie", "m1_again", "m2"},
                     {"unix_ms_i": "uint64_t", "unix_ms_r": "uint64_t"})
    lines += c_table("wt_noise_hostile_vector", noise_hostile, {"message"},
                     {"unix_ms": "uint64_t"})
    return "\n".join(lines + ["#endif", ""])


def main():
    records = record_vectors()
    handshakes = [handshake_vector(i, *case) for i, case in enumerate(HANDSHAKES)]
    hostile = hostile_vectors()
    noises = [noise_vector(i, *case) for i, case in enumerate(NOISES)]
    noise_hostile = noise_hostile_vectors()
    for vector in records:
        assert record.RECORD_MIN <= len(vector["record"]) <= record.RECORD_MAX
    files = {
        HERE / "vectors" / "records.json": as_json(records),
        HERE / "vectors" / "handshakes.json": as_json(handshakes),
        HERE / "vectors" / "hostile.json": as_json(hostile),
        HERE / "vectors" / "noise.json": as_json(noises),
        HERE / "vectors" / "noise_hostile.json": as_json(noise_hostile),
        HERE / "vectors.h": as_header(records, handshakes, hostile, noises, noise_hostile),
    }
    drifted = [path for path, text in files.items()
               if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in drifted:
            print(f"{path.name} is not what make_vectors.py writes: if the protocol was meant to "
                  "change, run make_vectors.py and commit the result", file=sys.stderr)
        return 1 if drifted else 0
    for path in drifted:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
