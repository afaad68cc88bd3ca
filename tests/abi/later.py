# SPDX-License-Identifier: MIT
"""The headers of an ABI that is still to come: every structure that may grow has grown.

  later.py INCLUDE_DIR OUT_DIR     prints the version

Used for plugins that know more than this host does."""

import os
import re
import sys

import abi

MINORS_AHEAD = 100


def grown(text, everything, minor):
    def grow(match):
        inside_another = rf"^\tstruct {match.group(2)} \w+;"
        if re.search(inside_another, everything, re.M):
            return match.group(0)
        return f"{match.group(1)}\tuint64_t later_{minor}, more_{minor};\n}};"

    structure = r"^(struct (\w+) \{\n\tuint32_t struct_size;(?:.*\n)+?)\};"
    return re.sub(structure, grow, text, flags=re.M)


def main(include, out):
    major, minor, _ = abi.numbers(include)
    minor += MINORS_AHEAD
    folder = os.path.join(include, "whispertunnel")
    texts = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            texts[name] = file.read()
    everything = "".join(texts.values())
    os.makedirs(os.path.join(out, "whispertunnel"), exist_ok=True)
    for name, text in texts.items():
        text = re.sub(r"(#define WT_ABI_MINOR) \d+", rf"\1 {minor}", grown(text, everything, minor))
        with open(os.path.join(out, "whispertunnel", name), "w", encoding="utf-8") as file:
            file.write(text)
    print(f"{major}.{minor}", end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
