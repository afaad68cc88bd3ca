# SPDX-License-Identifier: MIT
"""What the SDK headers of a directory promise, and how two such promises differ.

A promise is read from the debug information of a *probe*: a shared object with one variable for each
structure, enum and function type of the headers, and an enum that holds the value of every constant.
It is built with flags of its own, so it is the same in every build of the tree.
"""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as xml

RECORDED = os.path.dirname(os.path.abspath(__file__))
TOOLS = ("abidw", "abidiff")
FLAGS = ["-std=c11", "-g", "-O0", "-fPIC", "-shared", "-w"]
# Nothing of the machine or the place where it was made.
ABIDW = [
    "--no-architecture",
    "--no-corpus-path",
    "--no-comp-dir-path",
    "--no-show-locs",
    "--no-parameter-names",
    "--no-elf-needed",
]


INCOMPATIBLE = 8  # a bit of abidiff's exit code: it knows that something was removed


class Broken(Exception):
    """The headers do not compile, or a tool failed: its words."""


def missing_tool():
    """The name of a tool that is not installed, or None."""
    return next((tool for tool in TOOLS if not shutil.which(tool)), None)


def run(*command, okay=(0,)):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in okay:
        raise Broken(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done


# ---- versions --------------------------------------------------------------


def numbers(include):
    """(MAJOR, MINOR, MINOR_OLDEST) of the headers below `include`."""
    with open(os.path.join(include, "whispertunnel/plugin.h"), encoding="utf-8") as file:
        text = file.read()
    found = [
        re.search(rf"^#define WT_ABI_{n} (\d+)$", text, re.M)
        for n in ("MAJOR", "MINOR", "MINOR_OLDEST")
    ]
    return tuple(int(match.group(1)) for match in found)


def recorded(place=RECORDED):
    """Every recorded version, the oldest first."""
    names = (re.fullmatch(r"(\d+)\.(\d+)", name) for name in os.listdir(place))
    return sorted((int(match.group(1)), int(match.group(2))) for match in names if match)


def spoken(version, current):
    """Does a program of the ABI `current`, as of numbers(), take plugins of `version`?"""
    major, minor, oldest = current
    return version[0] == major and (major > 0 or version[1] >= oldest)


def folder(version, place=RECORDED):
    return os.path.join(place, f"{version[0]}.{version[1]}")


# ---- the probe -------------------------------------------------------------


def constants(text):
    """Lines of an enum: each constant's value; of a string its length and characters."""
    lines = []
    for name, value in re.findall(r"^#define (WT_\w+)[ \t]+(\S.*)$", text, re.M):
        if name == "WT_ENUM_BASE":  # no value
            continue
        literal = re.fullmatch(r'"([^"\\]*)"\s*', value)
        if name.startswith("WT_ABI_") or value.startswith("__attribute__"):
            continue
        if literal:
            lines.append(f"value_{name}_length = sizeof({name}),")
            lines += [f"value_{name}_{i} = {ord(c)}," for i, c in enumerate(literal.group(1))]
        else:
            lines.append(f"value_{name} = ({name}),")
    return lines


def probe_source(include):
    headers = sorted(os.listdir(os.path.join(include, "whispertunnel")))
    text = ""
    for name in headers:
        with open(os.path.join(include, "whispertunnel", name), encoding="utf-8") as file:
            text += file.read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    lines = [f"#include <whispertunnel/{name}>" for name in headers]
    for kind, star in (("struct", "*"), ("enum", "")):
        for name in re.findall(rf"^{kind} (wt_\w+)(?: WT_ENUM_BASE)? \{{", text, re.M):
            lines.append(f"{kind} {name} {star}of_{name};")
    for name in re.findall(r"^typedef [^;]*?\b(wt_\w+)\(", text, re.M):
        lines.append(f"{name} *of_{name};")
    lines += ["enum constants {", *constants(text), "} of_constants;", ""]
    return "\n".join(lines)


def probe(include, work, name, compiler="cc"):
    """Builds work/name.so and work/name.xml from the headers; the path of the latter."""
    source, library, out = (os.path.join(work, name + end) for end in (".c", ".so", ".xml"))
    with open(source, "w", encoding="utf-8") as file:
        file.write(probe_source(include))
    places = [f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={include}=include"]
    run(compiler, *FLAGS, *places, "-I", include, "-o", library, source)
    run("abidw", *ABIDW, "--out-file", out, library)
    return out


def abidiff(old, new):
    """(exit code, report) of abidiff; 0: no difference, and harmless ones count, too."""
    done = run("abidiff", "--no-architecture", "--harmless", old, new, okay=(0, 4, 12))
    return done.returncode, done.stdout


# ---- what a probe says -----------------------------------------------------


class Promise:
    """structs: name -> (size, [(field, offset, type)]), sizes and offsets in bytes;
    enums: name -> {name: value}; functions: name of a typedef -> its type. A type is written
    as in C; a structure that lies inside another has its size behind it."""

    def __init__(self, path):
        self._nodes = {}
        self._root = xml.parse(path).getroot()
        for node in self._root.iter():
            if node.get("id"):
                # A declaration alone has the name and nothing else.
                if node.get("is-declaration-only") and node.get("id") in self._nodes:
                    continue
                self._nodes[node.get("id")] = node
        self.structs, self.enums, self.functions = {}, {}, {}
        for node in self._nodes.values():
            name = node.get("name", "")
            if node.tag == "enum-decl":
                self.enums[name] = {
                    e.get("name"): int(e.get("value")) for e in node.iter("enumerator")
                }
            elif not name.startswith("wt_"):
                continue
            elif node.tag == "class-decl" and not node.get("is-declaration-only"):
                self.structs[name] = (int(node.get("size-in-bits")) // 8, self._fields(node))
            elif node.tag == "typedef-decl":
                self.functions[name] = self._type(node.get("type-id"))

    def _fields(self, node):
        fields = []
        for member in node.findall("data-member"):
            variable = member.find("var-decl")
            offset = int(member.get("layout-offset-in-bits")) // 8
            fields.append((variable.get("name"), offset, self._type(variable.get("type-id"))))
        return fields

    def _type(self, key, pointed=False):
        node = self._nodes[key]
        inner = node.get("type-id")
        if node.tag == "pointer-type-def":
            return self._type(inner, True) + " *"
        if node.tag == "qualified-type-def":
            words = [word for word in ("const", "volatile", "restrict") if node.get(word) == "yes"]
            return f"{self._type(inner, pointed)} {' '.join(words)}"
        if node.tag == "array-type-def":
            length = node.find("subrange").get("length")
            return f"{self._type(inner)} [{length}]"
        if node.tag == "typedef-decl":
            return self._type(inner, pointed)
        if node.tag == "function-type":
            takes = [
                "..." if p.get("is-variadic") else self._type(p.get("type-id"))
                for p in node.findall("parameter")
            ]
            return f"{self._type(node.find('return').get('type-id'))} ({', '.join(takes)})"
        if node.tag == "enum-decl":
            return f"enum {node.get('name')}"
        if node.tag in ("class-decl", "union-decl"):
            size = node.get("size-in-bits")
            return f"struct {node.get('name')}" + ("" if pointed else f" of {size} bits")
        return node.get("name")


# ---- two of them -----------------------------------------------------------


def _carries_its_size(fields):
    return bool(fields) and fields[0][:2] == ("struct_size", 0)


def _struct_breaks(name, old, new):
    (old_size, old_fields), (new_size, new_fields) = old, new
    for was, is_now in zip(old_fields, new_fields):
        if was != is_now:
            yield (
                f"struct {name}: {was[0]} at {was[1]}, {was[2]}, "
                f"is {is_now[0]} at {is_now[1]}, {is_now[2]}"
            )
            return
    for field in old_fields[len(new_fields) :]:
        yield f"struct {name}: {field[0]} is gone"
    added = new_fields[len(old_fields) :]
    for field, offset, _ in added:
        if offset < old_size:
            yield (
                f"struct {name}: {field} lies at {offset}, inside the {old_size} bytes that "
                "an older one has: it would be read there, though nobody set it"
            )
    if new_size != old_size and not added:
        yield f"struct {name}: {old_size} bytes are {new_size}"
    if added and not _carries_its_size(old_fields):
        yield f"struct {name}: grew, and has no struct_size by which that could be told"


def breaks(old, new):
    """What a plugin that was built for the promise `old` would stumble over in `new`: sentences,
    none if only fields, values and types were appended."""
    found = []
    for name, struct in sorted(old.structs.items()):
        if name in new.structs:
            found += _struct_breaks(name, struct, new.structs[name])
        else:
            found.append(f"struct {name} is gone")
    for name, values in sorted(old.enums.items()):
        for value, number in values.items():
            is_now = new.enums.get(name, {}).get(value)
            if is_now != number:
                found.append(f"{value}: {number} is {'gone' if is_now is None else is_now}")
    for name, function in sorted(old.functions.items()):
        is_now = new.functions.get(name, "gone")
        if is_now != function:
            found.append(f"{name}: {function} is {is_now}")
    return found


# ---- the verdict -----------------------------------------------------------


def records(place=RECORDED):
    """Version -> folder of all that is recorded."""
    return {version: folder(version, place) for version in recorded(place)}


@functools.lru_cache(maxsize=None)
def _promise_of_record(place, compiler):
    """By the headers, with this compiler, so that two probes differ by what they are made from."""
    with tempfile.TemporaryDirectory() as work:
        return Promise(probe(os.path.join(place, "include"), work, "abi", compiler))


def difference(place, made, compiler="cc"):
    """In words, between a record and a probe; "" if there is none. abidiff alone would not do:
    to it an enum has not changed while each value that it had is still the value of something."""
    code, report = abidiff(os.path.join(place, "abi.xml"), made)
    was, now = _promise_of_record(place, compiler), Promise(made)
    report += "".join(f"{sentence}\n" for sentence in breaks(was, now))
    report += "".join(f"seen from the new one: {sentence}\n" for sentence in breaks(now, was))
    return report or ("abidiff says that there is one" if code else "")


def judge(include, known, compiler="cc"):
    """Do the headers below `include` keep what the records `known` promise? Sentences that say
    what is wrong and what to do; none if they do."""
    current = numbers(include)
    version = current[:2]
    found = []
    with tempfile.TemporaryDirectory() as work:
        made = probe(include, work, "abi", compiler)
        now = Promise(made)
        if version not in known:
            found.append(f"ABI {version[0]}.{version[1]} is not recorded: run scripts/record-abi")
        else:
            report = difference(known[version], made, compiler)
            if report:
                found.append(
                    f"the headers changed, and are ABI {version[0]}.{version[1]} as before: raise "
                    f"WT_ABI_MINOR and run scripts/record-abi\n{report}"
                )
        for older in sorted(known):
            name = f"ABI {older[0]}.{older[1]}"
            if older > version:
                found.append(f"{name} is recorded, and the headers are older")
            if older >= version or not spoken(older, current):
                continue
            code, report = abidiff(os.path.join(known[older], "abi.xml"), made)
            what = breaks(_promise_of_record(known[older], compiler), now)
            if code & INCOMPATIBLE and not what:
                what = [report]
            found += [f"breaks plugins for {name}: {sentence}" for sentence in what]
    return found
