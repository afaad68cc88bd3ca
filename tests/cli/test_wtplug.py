# SPDX-License-Identifier: MIT
"""`wtplug list` and `wtplug info` from outside."""

import os
import struct
import unittest

from plug import Plug, abi


class Usage(Plug):
    def test_help_names_every_command(self):
        commands = ("list", "info", "conform", "compare", "new")
        for arguments in (["--help"], ["-h"], ["help"], *([name, "--help"] for name in commands)):
            run = self.run_plug(*arguments)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            for word in ("wtplug list", "wtplug info", "--json", "WT_PLUGIN_DIR", "Exit codes"):
                self.assertIn(word, run.stdout)

    def test_version_names_abi_and_plugin_directory(self):
        run = self.run_plug("--version")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"\Awtplug \d+\.\d+\.\d+\n")
        self.assertIn(f"plugin ABI {abi()}, from ", run.stdout)
        self.assertIn(f"plugin directory {self.plugins} (WT_PLUGIN_DIR)\n", run.stdout)

    def test_wrong_arguments(self):
        for arguments, message in (
            ([], "wtplug: no command given"),
            (["--nosuch"], "wtplug: unknown option --nosuch"),
            (["lst"], "wtplug: unknown command lst"),
            (["list", "x"], "wtplug list: unexpected argument x"),
            (["list", "--nosuch"], "wtplug list: unknown option --nosuch"),
            (["list", "-x"], "wtplug list: unknown option -x"),
            (["list", "--dir"], "wtplug list: a value is missing after --dir"),
            (["info"], "wtplug info: no FILE given"),
            (["info", "a", "b"], "wtplug info: unexpected argument b"),
            (["info", "--nosuch", "a"], "wtplug info: unknown option --nosuch"),
        ):
            with self.subTest(arguments):
                run = self.run_plug(*arguments)
                self.assertEqual(
                    (run.returncode, run.stdout, run.stderr),
                    (2, "", f"{message}; run: wtplug --help\n"),
                )

    def test_lost_output_is_a_failure(self):
        for arguments in (["--help"], ["--version"], ["list"], ["list", "--json"]):
            with self.subTest(arguments), open("/dev/full", "w", encoding="utf-8") as full:
                run = self.run_plug(*arguments, stdout=full)
                self.assertEqual(run.returncode, 1)
                self.assertEqual(
                    run.stderr,
                    "wtplug: standard output cannot be written: No space left on device; what was "
                    "printed is not whole, send it elsewhere\n",
                )


class List(Plug):
    def by_name(self):
        found = self.run_json("list")
        self.assertEqual(found["directory"], self.plugins)
        return {f"{p['kind']}-{p['name']}": p for p in found["plugins"]}

    def test_what_the_daemon_would_take(self):
        self.install(self.plugin("crypto-aesgcm-openssl"))
        self.install(self.plugin("transport-tcp"))
        self.install(self.plugin("auth-hmac"))
        found = self.by_name()
        self.assertEqual(
            list(found), ["crypto-aesgcm-openssl", "transport-tcp", "auth-hmac"]
        )
        for facts in found.values():
            self.assertIs(facts["usable"], True)
            self.assertEqual((facts["abi"], facts["license"]), (abi(), "MIT"))
        crypto = found["crypto-aesgcm-openssl"]
        self.assertEqual(crypto["algorithm"], "AES-256-GCM")
        self.assertEqual(crypto["passed"][-1], "self-test")
        self.assertNotIn("algorithm", found["auth-hmac"])

    def test_why_not(self):
        self.install(self.fixture("crypto-unavailable"))
        self.install(self.fixture("crypto-sigsegv"))
        self.install(self.fixture("crypto-vector-tag"))
        self.install(self.fixture("crypto-toy"), "crypto-other.so")
        self.install(self.fixture("crypto-toy"), mode=0o666)
        with open(self.install(self.fixture("crypto-plain"), "auth-text.so"), "w") as file:
            file.write("no plugin\n")
        found = self.by_name()
        for name, step, reason in (
            ("crypto-unavailable", "available", "no such?instruction"),
            ("crypto-sigsegv", "load", "crashed with SIGSEGV during its constructors"),
            ("crypto-vector-tag", "self-test", "gave a wrong answer"),
            ("crypto-toy", "file", "mode 0666"),
            ("auth-text", "note", "is no ELF shared object"),
        ):
            with self.subTest(name):
                self.assertIs(found[name]["usable"], False)
                self.assertEqual(found[name]["step"], step)
                self.assertIn(reason, found[name]["reason"])
        # What others can write is not run; its note is read.
        self.assertEqual(found["crypto-toy"]["passed"], [])
        self.assertEqual(found["crypto-toy"]["version"], "1.0")
        self.assertNotIn("license", found["crypto-toy"])
        # Both files hold the same plugin; the wrong name counts.
        self.assertEqual(len(found), 5)
        run = self.run_plug("list")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"crypto +unavailable .* no: available: cannot work on this")
        self.assertRegex(
            run.stdout,
            r'crypto +toy .* no: note: crypto-other\.so says its name is "toy"; '
            r"the file must be called crypto-toy\.so\n",
        )

    def test_nothing_runs_where_others_can_write(self):
        self.install(self.fixture("crypto-toy"))
        os.symlink(self.fixture("auth-nobody"), os.path.join(self.plugins, "auth-nobody.so"))
        self.assertEqual(self.by_name()["auth-nobody"]["passed"], [])
        self.assertIs(self.by_name()["crypto-toy"]["usable"], True)
        os.chmod(self.plugins, 0o777)
        facts = self.by_name()["crypto-toy"]
        self.assertEqual((facts["usable"], facts["step"]), (False, "file"))
        self.assertIn("others can write to directory", facts["reason"])
        self.assertEqual(facts["passed"], [])

    def test_libraries_that_would_be_there_twice(self):
        self.install(self.fixture("transport-twin-one"))
        self.install(self.fixture("crypto-twin-same"))
        self.assertEqual(self.run_json("list")["warnings"], [])
        self.install(self.fixture("crypto-twin-two"))
        warnings = self.run_json("list")["warnings"]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertRegex(
            warnings[0],
            r"^libwttwin\.so would be in one process twice: \S*/libwttwin\.so\.1 "
            r"\(crypto twin-same\) and \S*/libwttwin\.so\.2 \(crypto twin-two\); build ",
        )
        run = self.run_plug("list")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn(f"\nwarning: {warnings[0]}\n", run.stdout)

    def test_two_that_cannot_be_used_together(self):
        first, second = self.fixture("auth-nobody"), self.fixture("auth-same-method")
        self.install(first)
        self.install(self.fixture("auth-nobody-too"))
        self.install(self.fixture("crypto-toy"), "crypto-other.so")
        with open(self.install(second, "auth-toy.so"), "w", encoding="utf-8") as file:
            file.write("no plugin, so only its file is called toy\n")
        self.assertEqual(self.run_json("list")["warnings"], [])
        self.install(second)
        self.install(self.fixture("crypto-toy"))
        method = (
            "auth-nobody.so and auth-same-method.so have one handshake method, 128; the daemon "
            "refuses a configuration that names both; use one of them, or build one with a number "
            "that is free (docs/registry.md)"
        )
        name = (
            'crypto-other.so and crypto-toy.so both say that they are crypto plugin "toy"; the '
            "daemon takes it from crypto-toy.so only; remove the other, or build it with another "
            "name in WT_PLUGIN"
        )
        self.assertEqual(sorted(self.run_json("list")["warnings"]), [method, name])
        run = self.run_plug("list")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        for warning in (method, name):
            self.assertIn(f"\nwarning: {warning}\n", run.stdout)
        # A copy under another name is one plugin twice, and not a matter of numbers.
        os.remove(os.path.join(self.plugins, "auth-same-method.so"))
        self.install(first, "auth-copy.so")
        warnings = self.run_json("list")["warnings"]
        self.assertEqual(len(warnings), 2, warnings)
        self.assertRegex(
            warnings[1], r'^auth-copy\.so and auth-nobody\.so both say .* auth plugin "nobody"'
        )

    def test_no_plugin_and_no_directory(self):
        run = self.run_plug("list")
        self.assertEqual((run.returncode, run.stdout), (0, f"no plugin in {self.plugins}\n"))
        os.rmdir(self.plugins)
        run = self.run_plug("list")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertRegex(run.stderr, r"^wtplug list: plugin directory .*; or name it with --dir\n$")

    def test_a_directory_that_is_none(self):
        with open(os.path.join(self.dir, "file"), "w", encoding="utf-8"):
            pass
        for command in (["list"], ["conform", "x"], ["compare"], ["compare", "x"]):
            for wanted, reason in (
                ("none", "No such file or directory"),
                ("", "No such file or directory"),
                ("file", "Not a directory"),
            ):
                with self.subTest(command, wanted=wanted):
                    run = self.run_plug(*command, "--dir", wanted)
                    self.assertEqual(
                        (run.returncode, run.stdout, run.stderr),
                        (
                            2,
                            "",
                            f'wtplug {command[0]}: --dir "{wanted}": {reason}; name a directory '
                            "that holds plugins\n",
                        ),
                    )

    def test_another_directory(self):
        self.install(self.plugin("auth-hmac"))
        run = self.run_plug("list", "--dir", "plugins")
        self.assertIn("hmac", run.stdout)


class Info(Plug):
    def test_a_transport(self):
        facts = self.run_json("info", self.plugin("transport-tcp"))
        self.assertEqual((facts["kind"], facts["name"]), ("transport", "tcp"))
        self.assertEqual(facts["sizes"]["mode"], "stream")
        keys = {key["name"]: key for key in facts["keys"]}
        self.assertEqual(keys["listen"]["type"], "sockaddr")
        self.assertEqual(keys["send_buffer"]["max"], 65536)
        run = self.run_plug("info", self.plugin("transport-tcp"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"send_buffer \(uint, section, 0\.\.65536, default \d+\)")

    def test_a_crypto_plugin(self):
        facts = self.run_json("info", self.plugin("crypto-aesgcm-openssl"))
        self.assertEqual(facts["sizes"]["key_size"], 32)
        self.assertEqual(facts["vectors"], 0)
        self.assertIs(facts["batch"], False)
        self.assertIs(self.run_json("info", self.fixture("crypto-toy-batch"))["batch"], True)

    def test_what_it_brings_and_shows(self):
        facts = self.run_json("info", self.fixture("transport-twin-one"))
        self.assertEqual([x["name"] for x in facts["libraries"]], ["libwttwin.so"])
        self.assertEqual((facts["exports"], facts["warnings"]), ([], []))
        run = self.run_plug("info", self.fixture("transport-twin-one"))
        self.assertRegex(run.stdout, r"\nlibraries\n  \S*/libwttwin\.so\.1\n")
        facts = self.run_json("info", self.fixture("transport-twin-inside"))
        self.assertEqual(facts["libraries"], [])
        self.assertEqual(set(facts["exports"]), {"wt_twin_version", "wt_twin_other"})
        run = self.run_plug("info", self.fixture("transport-twin-inside"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(
            run.stdout,
            r"\nwarning: transport twin-inside exports wt_twin_\w+ and 1 other name beside its "
            r"descriptor; .* -Wl,--exclude-libs,ALL\n",
        )

    def test_what_is_no_plugin(self):
        text = os.path.join(self.dir, "text.so")
        with open(text, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        os.mkfifo(os.path.join(self.dir, "fifo"))
        with open(self.fixture("crypto-toy"), "rb") as file:
            whole = bytearray(file.read())
        with open(os.path.join(self.dir, "cut.so"), "wb") as file:
            file.write(whole[:3000])
        struct.pack_into("<H", whole, 18, 8)  # e_machine: MIPS
        with open(os.path.join(self.dir, "mips.so"), "wb") as file:
            file.write(whole)
        for path, message in (
            (text, "note: is no ELF shared object; a plugin is built with WT_PLUGIN"),
            (self.dir, "file: is a directory; name a plugin's file in it"),
            ("fifo", "file: is no regular file; name a plugin's file"),
            ("none.so", "file: cannot be opened: No such file or directory; name a plugin's file"),
            (text + "/x", "file: cannot be opened: Not a directory; see to that, or name another"),
            ("cut.so", "note: is damaged or cut short; install it again"),
            ("mips.so", "note: is for another machine"),
            ("/bin/true", "note: "),
            (self.fixture("crypto-plain"), "note: is no WhisperTunnel plugin"),
            (self.fixture("crypto-abi-major"), "note: was built for plugin ABI 9."),
        ):
            with self.subTest(path):
                run = self.run_plug("info", path)
                self.assertEqual((run.returncode, run.stdout), (4, ""))
                self.assertIn(f"wtplug info: {path}: {message}", run.stderr)
                # What to do comes last.
                self.assertRegex(run.stderr, r"; [^;]+\n$")

    def test_what_a_bad_plugin_still_says(self):
        for name, step, has, has_not in (
            ("crypto-sigill", "load", "version", "summary"),
            ("crypto-hang", "load", "version", "summary"),
            ("crypto-strange-kind", "note", "version", "summary"),
            ("crypto-no-seal", "operations", "summary", "keys"),
            ("crypto-available-crashes", "available", "keys", "none"),
            ("crypto-test-crashes", "self-test", "keys", "none"),
            ("crypto-unload-crashes", "unload", "keys", "none"),
        ):
            with self.subTest(name):
                facts = self.run_json("info", self.fixture(name), code=4)
                self.assertEqual(facts["step"], step)
                self.assertIn(has, facts)
                self.assertNotIn(has_not, facts)

    def test_rude_texts_reach_no_terminal(self):
        facts = self.run_json("info", self.fixture("crypto-toy-rude"))
        self.assertEqual(facts["summary"], "?[2J?name %n ? <b>")
        run = self.run_plug("info", self.fixture("crypto-toy-rude"))
        self.assertIn("summary      ?[2J?name %n ? <b>\n", run.stdout)
        self.assertNotRegex(run.stdout, r"[^\n -~]")

    def test_a_rude_note_of_what_is_refused_neither(self):
        with open(self.fixture("crypto-strange-kind"), "rb") as file:
            whole = file.read()
        note = whole.index(b"strange-kind".ljust(32, b"\0") + b"1.0\0")
        version = "\x1b[2J\u009b2J\u00e4".encode()
        path = os.path.join(self.dir, "rude.so")
        with open(path, "wb") as file:
            file.write(whole[: note + 32] + version + whole[note + 32 + len(version) :])
        facts = self.run_json("info", path, code=4)
        self.assertEqual((facts["step"], facts["passed"]), ("note", []))
        self.assertEqual(facts["version"], "?[2J??2J\u00e4")
        self.assertIn("version      ?[2J??2J\u00e4\n", self.run_plug("info", path).stdout)

    def test_a_file_of_any_name_by_anybody(self):
        os.chmod(self.plugins, 0o777)
        path = self.install(self.fixture("crypto-toy"), "a: b.so", mode=0o666)
        facts = self.run_json("info", path)
        self.assertEqual((facts["name"], facts["usable"]), ("toy", True))
        bad = self.install(self.fixture("crypto-no-seal"), "a: c.so")
        self.assertEqual(self.run_json("info", bad, code=4)["step"], "operations")


if __name__ == "__main__":
    unittest.main()
