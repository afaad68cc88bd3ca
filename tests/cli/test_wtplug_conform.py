# SPDX-License-Identifier: MIT
"""`wtplug conform` from outside: verdicts, names of faults, and its three formats."""

import os
import re
import unittest

from plug import Plug


class Conform(Plug):
    def conform(self, name, *arguments, code=0, **options):
        found = self.run_json("conform", *arguments, name, code=code, **options)
        self.assertEqual(len(found["plugins"]), 1)
        return found["plugins"][0]

    def test_good_backends_pass_quickly(self):
        for name in ("openssl", "sodium"):
            with self.subTest(name):
                found = self.conform(self.plugin(f"crypto-aesgcm-{name}"), "--level", "1")
                self.assertEqual((found["verdict"], found["kind"]), ("pass", "crypto"))
                names = [test["name"] for test in found["tests"]]
                for wanted in ("load", "loads", "instances", "vectors"):
                    self.assertIn(wanted, names)
                self.assertNotIn("fault", found)

    def test_a_backend_agrees_with_the_others_of_the_directory(self):
        self.install(self.plugin("crypto-aesgcm-openssl"))
        self.install(self.fixture("crypto-sigill"))
        self.install(self.fixture("crypto-toy"))
        found = self.conform(self.plugin("crypto-aesgcm-sodium"), timeout=300)
        self.assertEqual(found["verdict"], "pass")
        tests = {test["name"]: test for test in found["tests"]}
        for check in ("lengths", "alignments", "flips", "threads"):
            self.assertEqual(tests[f"{check} with aesgcm-openssl"]["verdict"], "pass")
        # One that cannot be loaded is said to be left out, one of another algorithm is no matter.
        self.assertIn("sigill", tests["agreement"]["text"])
        self.assertEqual(tests["agreement"]["verdict"], "skip")
        self.assertFalse([name for name in tests if "toy" in name])

    def test_faults_are_found_and_named(self):
        self.install(self.plugin("crypto-aesgcm-openssl"))
        for name, fault in (
            ("aad-ignored", "aad-ignored"),
            ("one-length", "one-length"),
            ("leak-descriptor", "leak-descriptor"),
        ):
            with self.subTest(name):
                found = self.conform(self.fixture(f"crypto-faulty-{name}"), code=1, timeout=300)
                self.assertEqual((found["verdict"], found["fault"]), ("fail", fault))

    def test_what_shows_in_the_life_of_a_plugin(self):
        for name, level, fault, test in (
            ("two-instances", "1", "life", "instances"),
            ("leak-instance", "1", "leak-memory", "loads"),
            ("leak-thread", "1", "leak-thread", "loads"),
            ("leak-load", "2", "leak-descriptor", "loads"),
        ):
            with self.subTest(name):
                path = self.fixture(f"crypto-faulty-{name}")
                found = self.conform(path, "--level", level, code=1, timeout=300)
                self.assertEqual(found["fault"], fault)
                tests = {test["name"]: test for test in found["tests"]}
                self.assertEqual((tests[test]["verdict"], tests[test]["fault"]), ("fail", fault))

    def test_a_hang_and_a_crash_are_failures_with_names(self):
        # Its own reference would hang as well; two hangs end the rest.
        found = self.conform(self.fixture("crypto-faulty-hangs"), "--timeout", "3", code=1)
        self.assertEqual(found["fault"], "hung")
        lengths = [test for test in found["tests"] if test["name"] == "lengths"]
        self.assertEqual(lengths[0]["fault"], "hung")
        self.assertIn("not within 3000 ms", lengths[0]["text"])
        found = self.conform(self.fixture("crypto-sigsegv"), code=1)
        self.assertEqual([test["name"] for test in found["tests"]], ["load"])
        self.assertIn("SIGSEGV during its constructors", found["tests"][0]["text"])

    def test_another_algorithm_is_tested_with_its_own_vectors(self):
        found = self.conform(self.fixture("crypto-toy"), "--level", "1")
        names = [test["name"] for test in found["tests"]]
        self.assertIn("vectors", names)
        self.assertNotIn("nist-encrypt", names)

    def test_partial_is_not_pass(self):
        # Without a crypto plugin in the directory there is no host for a handshake.
        found = self.conform(self.plugin("auth-hmac"), "--level", "1", code=5)
        self.assertEqual(found["verdict"], "partial")
        self.assertEqual(found["tests"][-1]["verdict"], "not run")
        self.install(self.plugin("crypto-aesgcm-openssl"))
        for name in ("auth-nobody", "transport-still", "transport-packets"):
            found = self.conform(self.fixture(name), code=5)
            self.assertEqual(found["verdict"], "partial")
            self.assertIn("no conformance table", found["tests"][-1]["text"])
        for name in ("auth-hmac", "auth-noise"):
            self.assertEqual(self.conform(self.plugin(name))["verdict"], "pass")
        found = self.conform(self.fixture("crypto-unavailable"), code=5)
        self.assertIn("cannot work on this machine", found["tests"][0]["text"])

    def test_transports_pass_quickly(self):
        for name in ("transport-tcp", "transport-udp"):
            with self.subTest(name):
                found = self.conform(self.plugin(name), "--level", "1")
                self.assertEqual((found["verdict"], found["kind"]), ("pass", "transport"))
                names = [test["name"] for test in found["tests"]]
                for wanted in ("load", "loads", "instances", "exchange", "sizes"):
                    self.assertIn(wanted, names)

    def test_faults_of_transports_are_named(self):
        for name, fault, test in (
            ("stream-no-limit", "record-limit", "limit"),
            ("stream-listen-silent", "listen", "listen"),
            ("packet-path-mixed", "paths", "paths"),
        ):
            with self.subTest(name):
                path = self.fixture(f"transport-faulty-{name}")
                found = self.conform(path, "--level", "1", code=1)
                self.assertEqual((found["verdict"], found["fault"]), ("fail", fault))
                tests = {test["name"]: test for test in found["tests"]}
                self.assertEqual(tests[test]["fault"], fault)

    def test_what_is_no_plugin_fails(self):
        for path, reason in (
            (self.dir, "is a directory"),
            ("/nonexistent.so", "No such file"),
            (self.fixture("crypto-plain"), "is no WhisperTunnel plugin"),
        ):
            found = self.conform(path, code=1)
            self.assertIn(reason, found["tests"][0]["text"])
            self.assertEqual(found["fault"], "not-loaded")

    def test_the_file_must_have_the_name_that_the_daemon_looks_for(self):
        path = self.install(self.plugin("crypto-aesgcm-openssl"), "crypto-mine.so")
        found = self.conform(path, "--level", "1", code=1)
        self.assertIn("looks for crypto-aesgcm-openssl.so; rename", found["tests"][0]["text"])

    def test_text_and_tap(self):
        good, bad = self.plugin("crypto-aesgcm-openssl"), self.fixture("crypto-faulty-key-kept")
        run = self.run_plug("conform", "--level", "1", "--seed", "42", good)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"(?m)^  pass +vectors +gives the known answers: 8 known")
        # A crypto plugin works with its defaults, so a conformance table is not missed.
        self.assertNotIn("conformance table", run.stdout)
        self.assertIn("pass: 6 passed, 0 failed", run.stdout.replace("1 skipped", "0 skipped"))
        self.assertIn("(level 1, seed 42)", run.stdout)
        run = self.run_plug("conform", "--tap", "--level", "1", good, bad)
        self.assertEqual((run.returncode, run.stderr), (1, ""))
        lines = run.stdout.splitlines()
        self.assertEqual(lines[0], "TAP version 13")
        results = [line for line in lines if re.match(r"(not )?ok \d+ - ", line)]
        self.assertEqual(lines[-1], f"1..{len(results)}")
        self.assertEqual(
            [int(re.search(r"\d+", line).group()) for line in results],
            list(range(1, len(results) + 1)),
        )
        self.assertTrue([line for line in results if line.startswith("not ok") and bad in line])
        self.assertFalse([line for line in results if line.startswith("not ok") and good in line])

    def test_the_name_of_a_file_forges_no_line(self):
        for what in (["--tap"], []):
            run = self.run_plug("conform", *what, "--level", "1", "x\nok 99 - \x1b[31m.so")
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertNotRegex(run.stdout, "(?m)^ok 99|\x1b")
            self.assertIn("x?ok 99 - ?[31m.so", run.stdout)

    def test_no_plugin_directory_is_said(self):
        os.rmdir(self.plugins)
        found = self.conform(self.fixture("crypto-faulty-none"), timeout=300)
        agreement = [test for test in found["tests"] if test["name"] == "agreement"]
        self.assertIn("no plugin directory", agreement[0]["text"])

    def test_wrong_arguments(self):
        for arguments, message in (
            ([], "no FILE given"),
            (["--level", "4", "x"], "--level is 1, 2 or 3, not 4"),
            (["--seed", "-1", "x"], "--seed is a number, not -1"),
            (["--seed", "1x", "x"], "--seed is a number, not 1x"),
            (["--timeout", "0", "x"], "--timeout is 1..86400 s, not 0"),
            (["--nosuch", "x"], "unknown option --nosuch"),
            (["--level"], "a value is missing after --level"),
            (["--json", "--tap", "x"], "--json or --tap, not both"),
            (["--tap", "--json", "x"], "--json or --tap, not both"),
        ):
            with self.subTest(arguments):
                run = self.run_plug("conform", *arguments)
                self.assertEqual(
                    (run.returncode, run.stdout, run.stderr),
                    (2, "", f"wtplug conform: {message}; run: wtplug --help\n"),
                )


if __name__ == "__main__":
    unittest.main()
