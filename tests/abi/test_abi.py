# SPDX-License-Identifier: MIT
"""The SDK headers keep what tests/abi/MAJOR.MINOR records; and what does not, is noticed.

abi.py says how headers are compared, docs/abi.md what is allowed."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import abi

SOURCE = os.environ["WT_SOURCE_DIR"]
COMPILER = os.environ["WT_CC"]
INCLUDE = os.path.join(SOURCE, "include")
# What the changes below are made to: a record stays as it is, the headers do not.
BASE = (0, 3)
RAISED = (BASE[0], BASE[1] + 1)
NOT_RECORDED = f"ABI {RAISED[0]}.{RAISED[1]} is not recorded: run scripts/record-abi"


class Headers(unittest.TestCase):
    def test_they_keep_what_is_recorded(self):
        found = abi.judge(INCLUDE, abi.records(), COMPILER)
        self.assertEqual(found, [], "\n".join(found))

    def test_a_record_is_of_the_headers_beside_it(self):
        for version, folder in abi.records().items():
            include = os.path.join(folder, "include")
            with self.subTest(version), tempfile.TemporaryDirectory() as work:
                self.assertEqual(abi.numbers(include)[:2], version)
                made = abi.probe(include, work, "abi", COMPILER)
                self.assertEqual(abi.difference(folder, made, COMPILER), "")
                kept = abi.Promise(os.path.join(folder, "abi.xml"))
                self.assertEqual(abi.breaks(kept, abi.Promise(made)), [])
                self.assertEqual(abi.breaks(abi.Promise(made), kept), [])

    def test_all_that_a_plugin_can_name_is_in_the_probe(self):
        with tempfile.TemporaryDirectory() as work:
            promise = abi.Promise(abi.probe(INCLUDE, work, "abi", COMPILER))
        text = ""
        for name in os.listdir(os.path.join(INCLUDE, "whispertunnel")):
            with open(os.path.join(INCLUDE, "whispertunnel", name), encoding="utf-8") as file:
                text += file.read()
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        for kind, known in (("struct", promise.structs), ("enum", promise.enums)):
            defined = set(re.findall(rf"\b{kind}\s+(\w+)(?:\s+WT_ENUM_BASE)?\s*\{{", text))
            self.assertEqual(defined, set(known) - {"constants"})
            self.assertGreater(len(defined), 5)
        self.assertEqual(text.count("typedef"), len(promise.functions))
        self.assertEqual(promise.enums["constants"]["value_WT_MESSAGE_HEADER"], 8)
        self.assertEqual(promise.enums["constants"]["value_WT_PLUGIN_SYMBOL_0"], ord("w"))


# ---- changes -----------------------------------------------------------------

# (what is done, header, pattern, replacement, what is said of it)
BREAKING = (
    ("a field is moved", "transport", r"(\tuint32_t mode;.*\n)(\tuint32_t headroom;.*\n)", r"\2\1",
     "struct wt_transport_ops: mode at 4, unsigned int, is headroom at 4"),
    ("a field is resized", "crypto", r"uint32_t len;", "uint64_t len;",
     "struct wt_aead_item: len at 4, unsigned int, is len at 8, unsigned long"),
    ("a field is retyped", "auth", r"const char \*silence_hint;", "uint64_t silence_hint;",
     r"silence_hint at 96, char const \*, is silence_hint at 96, unsigned long"),
    ("a field is renamed", "crypto", r"uint32_t ctx_align;", "uint32_t alignment;",
     "ctx_align at 20, unsigned int, is alignment at 20"),
    ("a slot is removed", "auth", r"\tvoid \(\*abandon\)\(.*\n", "",
     "struct wt_auth_ops: abandon at 72, "),
    ("the last slot is removed", "host", r"\tuint32_t \(\*worker_count\)\(.*\n", "",
     "struct wt_host: worker_count is gone"),
    ("a slot is inserted", "host", r"(\tvoid \(\*wipe\)\()", r"\tvoid (*later)(void);\n\1",
     "struct wt_host: wipe at 64, "),
    ("a field is inserted into a hole", "transport", r"overhead_ipv6;", "overhead_ipv6, later;",
     "create at 24, .*, is later at 20"),
    ("a field is appended into the padding", "crypto", r"(enum wt_status status;.*\n)",
     r"\1\tuint32_t later;\n", "later lies at 52, inside the 56 bytes that an older one has"),
    ("an array is resized", "status", r"text\[504\]", "text[600]",
     r"text at 8, char \[504\], is text at 8, char \[600\]"),
    ("a structure inside another grows", "auth", r"(uint8_t recv_iv\[.*\n)",
     r"\1\tuint64_t later;\n", r"keys at 48, struct wt_auth_keys of 768 bits, is .* of 832 bits"),
    ("a structure without its size grows", "transport", r"(uint8_t bytes\[.*\n)",
     r"\1\tuint64_t later;\n", "struct wt_path: grew, and has no struct_size"),
    ("a structure is renamed", "crypto", r"struct wt_aead_item \{", "struct wt_item {",
     "struct wt_aead_item is gone"),
    ("an enum is renumbered", "status", r"WT_ERR_IO = 6,", "WT_ERR_IO = 13,",
     "WT_ERR_IO: 6 is 13"),
    ("a value of an enum is removed", "auth", r"\tWT_REASON_CLOCK = 7,.*\n", "",
     "WT_REASON_CLOCK: 7 is gone"),
    ("an argument is retyped", "host", r"uint64_t after_ms\)", "uint32_t after_ms)",
     r"timer_set at 120, .*unsigned long( int)?\) \*, is timer_set at 120, .*unsigned int\)"),
    ("an argument is added", "crypto", r"\(\*key_wipe\)\(void \*self, void \*ctx\)",
     "(*key_wipe)(void *self, void *ctx, int how)", r"key_wipe at 56, .*, int\) \*"),
    ("an argument is removed", "transport", r"void \*tconn, int abort\)", "void *tconn)",
     r"close at 56, "),
    ("a result is retyped", "host", r"int \(\*config_bool\)", "uint64_t (*config_bool)",
     "config_bool at 232, int "),
    ("a callback gets an argument", "host", r"wt_timer_fn\(void \*arg,",
     "wt_timer_fn(void *arg, int why,", r"wt_timer_fn: void \(void \*, struct wt_worker \*\) is"),
    ("a constant is changed", "wire", r"(WT_UNAUTHENTICATED_MAX) 512u", r"\1 1024u",
     "value_WT_UNAUTHENTICATED_MAX: 512 is 1024"),
    ("a constant is removed", "host", r"#define WT_EVENT_WRITE .*\n", "",
     "value_WT_EVENT_WRITE: 2 is gone"),
    ("a text is changed", "plugin", r'"wt_plugin_descriptor"', '"wt_plugin_descripter"',
     "value_WT_PLUGIN_SYMBOL_18: 111 is 101"),
    ("a text is made longer", "plugin", r'"wt_plugin_descriptor"', '"wt_plugin_descriptor_"',
     "value_WT_PLUGIN_SYMBOL_length: 21 is 22"),
)  # fmt: skip

# (what is done, header, pattern, replacement): needs another minor, and is fine with it
HARMLESS = (
    ("a slot is appended to a plugin's table", "auth", r"(\tconst char \*silence_hint;\n)",
     r"\1\tvoid (*later)(void *self);\n"),
    ("a slot is appended to the host's", "host", r"(\tuint32_t \(\*worker_count\)\(.*\n)",
     r"\1\tint (*later)(const struct wt_host *host);\n"),
    ("a field is appended", "plugin", r"(\tconst struct wt_conformance \*conformance;\n)",
     r"\1\tuint64_t later;\n"),
    ("a value is appended to an enum", "status", r"WT_ERR_UNSUPPORTED = 12\b",
     "WT_ERR_UNSUPPORTED = 12,\n\tWT_ERR_LATER = 13"),
    ("a structure is added", "wire", r"(#define WT_WIRE_VERSION)",
     r"struct wt_later {\n\tint later;\n};\n\1"),
    ("a constant is added", "wire", r"(#define WT_WIRE_VERSION)", r"#define WT_LATER 1u\n\1"),
)  # fmt: skip


class Changed(unittest.TestCase):
    """What the tests below share: copies of the base's headers, with changes."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wt-test-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.known = {v: path for v, path in abi.records().items() if v <= BASE}
        self.assertIn(BASE, self.known, "the changes are made to a record that is gone")
        self.copies = 0

    def headers(self, *changes):
        """The include/ of a copy of the base, changed by (header, pattern, replacement)."""
        self.copies += 1
        include = os.path.join(self.dir, f"copy-{self.copies}")
        shutil.copytree(os.path.join(self.known[BASE], "include"), include)
        for header, pattern, replacement in changes:
            path = os.path.join(include, "whispertunnel", f"{header}.h")
            with open(path, encoding="utf-8") as file:
                text, n = re.subn(pattern, replacement, file.read())
            self.assertEqual(n, 1, f"{pattern} in {header}.h")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return include

    def judge(self, *changes, raised):
        """With WT_ABI_MINOR as it was, or one more."""
        if raised:
            changes += (("plugin", r"(#define WT_ABI_MINOR) \d+", rf"\1 {RAISED[1]}"),)
        return abi.judge(self.headers(*changes), self.known, COMPILER)

    def assert_asks_for_another_version(self, found):
        self.assertEqual(len([s for s in found if "raise WT_ABI_MINOR" in s]), 1, found)


class Changes(Changed):
    def test_the_base_itself_is_sound(self):
        self.assertEqual(self.judge(raised=False), [])
        self.assertEqual(self.judge(raised=True), [NOT_RECORDED])

    def test_what_would_break_a_plugin_is_named(self):
        for what, header, pattern, replacement, said in BREAKING:
            with self.subTest(what):
                change = (header, pattern, replacement)
                self.assert_asks_for_another_version(self.judge(change, raised=False))
                found = self.judge(change, raised=True)
                pattern = rf"^breaks plugins for ABI {BASE[0]}\.{BASE[1]}: .*{said}"
                self.assertTrue(any(re.search(pattern, s) for s in found), found)

    def test_what_is_appended_needs_another_minor_and_no_more(self):
        for what, *change in HARMLESS:
            with self.subTest(what):
                self.assert_asks_for_another_version(self.judge(change, raised=False))
                self.assertEqual(self.judge(change, raised=True), [NOT_RECORDED])

    def test_words_may_change_at_any_time(self):
        change = ("crypto", "The core owns keys", "The core has the keys")
        self.assertEqual(self.judge(change, raised=False), [])

    def test_a_break_is_allowed_to_a_major_and_to_another_oldest(self):
        change = ("crypto", "uint32_t ctx_size;", "uint64_t ctx_size;")
        oldest = ("plugin", r"(#define WT_ABI_MINOR_OLDEST) \d+", rf"\1 {RAISED[1]}")
        self.assertEqual(self.judge(change, oldest, raised=True), [NOT_RECORDED])
        major = ("plugin", r"(#define WT_ABI_MAJOR) \d+", r"\1 1")
        found = abi.judge(self.headers(change, major), self.known, COMPILER)
        self.assertEqual(found, ["ABI 1.3 is not recorded: run scripts/record-abi"])

    def test_headers_older_than_a_record(self):
        older = ("plugin", r"(#define WT_ABI_MINOR) \d+", r"\1 2")
        found = abi.judge(self.headers(older), self.known, COMPILER)
        self.assertIn("ABI 0.3 is recorded, and the headers are older", found)


class Recording(Changed):
    """scripts/record-abi in a tree of its own."""

    def setUp(self):
        super().setUp()
        self.place = os.path.join(self.dir, "tree/tests/abi")
        os.makedirs(self.place)
        os.mkdir(os.path.join(self.dir, "tree/scripts"))
        shutil.copy(os.path.join(SOURCE, "tests/abi/abi.py"), self.place)
        shutil.copy(os.path.join(SOURCE, "scripts/record-abi"), self.dir + "/tree/scripts")
        for folder in self.known.values():
            shutil.copytree(folder, os.path.join(self.place, os.path.basename(folder)))
        self.change = HARMLESS[0][1:]

    def record(self, *arguments):
        return subprocess.run(
            [sys.executable, os.path.join(self.dir, "tree/scripts/record-abi"), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def judge_tree(self):
        return abi.judge(os.path.join(self.dir, "tree/include"), abi.records(self.place), COMPILER)

    def test_a_minor_from_its_first_field_to_its_record(self):
        raise_it = ("plugin", r"(#define WT_ABI_MINOR) \d+", rf"\1 {RAISED[1]}")
        include = os.path.join(self.dir, "tree/include")
        shutil.copytree(self.headers(self.change), include)
        self.assert_asks_for_another_version(self.judge_tree())
        run = self.record()
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("ABI 0.3 is recorded already; if the headers changed, raise", run.stderr)
        self.assert_asks_for_another_version(self.judge_tree())
        shutil.rmtree(include)
        shutil.copytree(self.headers(self.change, raise_it), include)
        self.assertEqual(self.judge_tree(), [NOT_RECORDED])
        run = self.record()
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout, f"recorded ABI {RAISED[0]}.{RAISED[1]} in tests/abi/0.4\n")
        self.assertEqual(self.judge_tree(), [])
        self.assertEqual(self.record().returncode, 1)

    def test_force_records_anew_and_a_failure_leaves_the_record(self):
        broken = self.headers(("wire", "#define WT_WIRE_VERSION 1u", "#error broken on purpose"))
        run = self.record("--force", broken)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("#error broken on purpose", run.stderr)
        before = abi.folder(BASE, self.place) + "/abi.xml"
        with open(before, encoding="utf-8") as file:
            self.assertNotIn("'later'", file.read())
        run = self.record("--force", self.headers(self.change))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        with open(before, encoding="utf-8") as file:
            self.assertIn("'later'", file.read())
        self.assertEqual(self.record("--nosuch").returncode, 1)


def why_not():
    if abi.missing_tool():
        return f"there is no {abi.missing_tool()}; scripts/install-deps test installs it"
    if struct.calcsize("P") != 8:
        return "the records are of machines with pointers of 64 bits"
    return None


if __name__ == "__main__":
    if why_not():
        print(f"skipped: {why_not()}")
        sys.exit(77)
    unittest.main()
