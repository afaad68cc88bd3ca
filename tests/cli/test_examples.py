# SPDX-License-Identifier: MIT
"""The plugins of examples/: a copy of each is built outside of the tree, against an installation in a
fresh prefix, by the commands of its README."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from installed import Installation, build_options, cargo_missing

SOURCE = os.environ["WT_SOURCE_DIR"]
BUILD = os.environ["WT_BUILD_DIR"]


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="wt-test-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.there = Installation(BUILD, cls.dir)

    def follow_readme(self, name):
        """Its copy, and what its commands said."""
        where = self.there.copy(os.path.join(SOURCE, "examples", name))
        with open(os.path.join(where, "README.md"), encoding="utf-8") as file:
            commands = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
        self.assertTrue(commands)
        done = self.there.shell("umask 022\n" + "".join(commands), cwd=where)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])
        return where, done.stdout

    def facts(self, path):
        done = self.there.shell(f"wtplug info --json {path}")
        self.assertEqual(done.returncode, 0, done.stdout)
        facts = json.loads(done.stdout)
        self.assertTrue(facts["usable"])
        return facts

    def test_the_toy(self):
        where, _ = self.follow_readme("crypto-toy-insecure")
        path = os.path.join(where, "build/crypto-toy-insecure.so")
        # With the sanitizers of the host, if it has some.
        done = self.there.shell(
            f"cmake -S . -B build {build_options(BUILD)} && cmake --build build"
            f" && wtplug conform {path}",
            cwd=where,
        )
        self.assertRegex(done.stdout, r"crypto-toy-insecure\.so: pass: \d+ passed, 0 failed")
        facts = self.facts(path)
        self.assertEqual(facts["algorithm"], "insecure-toy@example.org")
        self.assertIn("INSECURE", facts["summary"])
        self.assertIn("vectors                          gives the known answers: 5", done.stdout)

    def test_the_known_answers_of_the_toy_are_those_of_its_other_implementation(self):
        where = os.path.join(SOURCE, "examples/crypto-toy-insecure")
        done = subprocess.run(
            ["/usr/bin/python3", "-B", "vectors.py"], cwd=where, check=True, stdout=subprocess.PIPE
        )
        with open(os.path.join(where, "vectors.h"), "rb") as file:
            self.assertEqual(done.stdout, file.read())

    def test_rust(self):
        missing = cargo_missing()
        if missing:
            print(f"Rust: {missing}: examples/crypto-aesgcm-rust is not built")
            self.skipTest(missing)
        where, said = self.follow_readme("crypto-aesgcm-rust")
        self.assertRegex(said, r"crypto-aesgcm-rust\.so: pass: \d+ passed, 0 failed")
        self.assertRegex(said, r"pass +flips with aesgcm-openssl")
        self.assertRegex(said, r"(?m)^crypto +aesgcm-rust +0\.1\.0 .* yes$")
        path = os.path.join(where, "crypto-aesgcm-rust.so")
        self.assertEqual(self.facts(path)["algorithm"], "AES-256-GCM")
        done = subprocess.run(
            ["nm", "-D", "--defined-only", path], check=True, stdout=subprocess.PIPE, text=True
        )
        self.assertEqual(
            [line.split()[2] for line in done.stdout.splitlines()], ["wt_plugin_descriptor"]
        )


if __name__ == "__main__":
    unittest.main()
