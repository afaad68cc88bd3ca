#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints vectors.h: known answers of insecure-toy@example.org, computed by another implementation than the
plugin. The algorithm protects nothing."""

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def absorb(h, data):
    for at in range(0, len(data), 8):
        h = mix(h ^ int.from_bytes(data[at : at + 8], "little")) + STEP & MASK
    return mix(h ^ len(data))


def seal(key, nonce, aad, text):
    start = absorb(absorb(1, key), nonce)
    stream = b"".join(
        mix(start + i * STEP & MASK).to_bytes(8, "little") for i in range(len(text) // 8 + 1)
    )
    sealed = bytes(a ^ b for a, b in zip(text, stream))
    end = absorb(absorb(absorb(absorb(2, key), nonce), aad), sealed)
    return sealed, mix(end).to_bytes(8, "little") + mix(end ^ STEP).to_bytes(8, "little")


def array(name, data):
    rows = [data[at : at + 12] for at in range(0, len(data), 12)]
    text = ",\n\t".join(", ".join(f"0x{byte:02x}" for byte in row) for row in rows)
    return f"static const uint8_t {name}[] = {{\n\t{text},\n}};\n"


CASES = (
    # bytes of AAD, of text
    (0, 0),
    (0, 1),
    (16, 8),
    (5, 77),
    (0, 300),
)


def main():
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Known answers of insecure-toy@example.org, written by vectors.py. */")
    print("/* clang-format off */")
    entries = []
    for n, (aad_len, text_len) in enumerate(CASES):
        key = bytes((7 * n + 3 * i + 1) & 0xFF for i in range(32))
        nonce = bytes((11 * n + 5 * i) & 0xFF for i in range(12))
        aad = bytes((13 * n + i) & 0xFF for i in range(aad_len))
        text = bytes((17 * n + 7 * i) & 0xFF for i in range(text_len))
        sealed, tag = seal(key, nonce, aad, text)
        fields = [
            ".struct_size = sizeof(struct wt_crypto_vector)",
            f".text_len = {text_len}",
            f".aad_len = {aad_len}",
        ]
        for field, data in (
            ("key", key),
            ("nonce", nonce),
            ("aad", aad),
            ("plaintext", text),
            ("ciphertext", sealed),
            ("tag", tag),
        ):
            if data:
                print(array(f"{field}_{n}", data), end="")
                fields.append(f".{field} = {field}_{n}")
        fields.append(f'.source = "vectors.py, {n}"')
        entries.append("\t{ " + ",\n\t  ".join(fields) + " },\n")
    print("static const struct wt_crypto_vector vectors[] = {\n" + "".join(entries) + "};")


main()
