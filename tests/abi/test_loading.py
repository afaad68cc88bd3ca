# SPDX-License-Identifier: MIT
"""Plugins that were built with the headers of another ABI, as `wtplug` and `wtcore -t` see them.

The build makes them (CMakeLists.txt): of each recorded ABI that is spoken, and of one to come. Those
that must be refused are built here."""

import base64
import os
import re
import shutil
import subprocess
import unittest

import abi
from plug import Plug

COMPILER = os.environ["WT_CC"]
BASELINES = os.environ["WT_BASELINES"]
SOURCE = os.environ["WT_SOURCE_DIR"]
INCLUDE = os.path.join(SOURCE, "include")
MAJOR, MINOR, OLDEST = abi.numbers(INCLUDE)
# source of plugins/ -> what it makes
PLUGINS = {
    "crypto": "crypto-elder",
    "auth": "auth-elder",
    "stream": "transport-elder-stream",
    "datagram": "transport-elder-datagram",
}
INI = """[tunnel]
address = 10.8.0.1/24
[crypto]
plugin = elder
allow_insecure = yes
[transport elder-stream]
listen = 127.0.0.1:4433
[transport elder-datagram]
listen = 127.0.0.1:4433
[auth elder]
[peer alice]
psk_file = alice.psk
allowed_ips = 10.8.0.2/32
"""


def compile_plugin(name, include, *options):
    flags = ["-D_GNU_SOURCE", "-fPIC", "-shared", f"-I{include}", f"-I{SOURCE}/tests/fixtures"]
    source = os.path.join(SOURCE, "tests/abi/plugins", f"{name}.c")
    done = subprocess.run(
        [COMPILER, *flags, *options, source], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)


class Loading(Plug):
    def check_configuration(self):
        for name, text in (("t.ini", INI), ("alice.psk", base64.b64encode(b"k" * 32).decode())):
            with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(text)
        return subprocess.run(
            [os.environ["WT_CORE"], "-t", "-c", "t.ini"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
            cwd=self.dir,
            env={**os.environ, "WT_PLUGIN_DIR": self.plugins},
        )

    def headers(self, **numbers):
        """The include/ of a copy of the headers, with other numbers for their version."""
        include = os.path.join(self.dir, "include")
        shutil.rmtree(include, ignore_errors=True)
        shutil.copytree(os.path.join(INCLUDE, "whispertunnel"), include + "/whispertunnel")
        path = os.path.join(include, "whispertunnel/plugin.h")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for name, number in numbers.items():
            text, n = re.subn(rf"(#define WT_ABI_{name}) \d+", rf"\1 {number}", text)
            self.assertEqual(n, 1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return include


class Accepted(Loading):
    def versions(self):
        spoken = [v for v in abi.recorded() if abi.spoken(v, (MAJOR, MINOR, OLDEST))]
        self.assertIn((MAJOR, MINOR), spoken)
        self.assertIn((MAJOR, OLDEST), spoken, "the oldest that is spoken has no record")
        return [f"{v[0]}.{v[1]}" for v in spoken] + [f"{MAJOR}.{MINOR + 100}"]

    def test_each_version_has_its_plugins(self):
        built = [name for name in os.listdir(BASELINES) if re.fullmatch(r"\d+\.\d+", name)]
        self.assertEqual(sorted(set(self.versions()) - set(built)), [])

    def test_each_is_usable_and_conforms(self):
        for version in self.versions():
            for name in PLUGINS.values():
                path = os.path.join(BASELINES, version, f"{name}.so")
                with self.subTest(path):
                    facts = self.run_json("info", path)
                    self.assertEqual((facts["abi"], facts["usable"]), (version, True))
                    oldest, newest = f"{MAJOR}.{OLDEST}", f"{MAJOR}.{MINOR}"
                    self.assertEqual(facts["spoken"], {"oldest": oldest, "newest": newest})
                    self.assertIn(
                        f"\nABI          {version} (spoken here: {oldest} to {newest})\n",
                        self.run_plug("info", path).stdout,
                    )
                    run = self.run_plug("conform", "--level", "1", "--dir", self.plugins, path)
                    self.assertIn(run.returncode, (0, 5), run.stdout)
                    self.assertIn(" 0 failed", run.stdout)

    def test_the_daemon_takes_them_together(self):
        for version in self.versions():
            with self.subTest(version):
                for name in PLUGINS.values():
                    self.install(os.path.join(BASELINES, version, f"{name}.so"))
                run = self.check_configuration()
                self.assertEqual(run.returncode, 0, run.stderr)


class Refused(Loading):
    def assert_refused(self, message, **numbers):
        include = self.headers(**numbers)
        for source, name in PLUGINS.items():
            with self.subTest(name):
                path = os.path.join(self.plugins, f"{name}.so")
                compile_plugin(source, include, "-o", path)
                os.chmod(path, 0o644)
                run = self.run_plug("info", path)
                self.assertEqual((run.returncode, run.stdout), (4, ""))
                self.assertEqual(run.stderr, f"wtplug info: {path}: note: {message}\n")
        run = self.check_configuration()
        self.assertEqual(run.returncode, 4, run.stdout + run.stderr)
        self.assertEqual(run.stderr.count(message), len(PLUGINS), run.stderr)

    @unittest.skipIf(MAJOR > 0, "within a major from 1 on nothing is too old")
    def test_an_older_minor(self):
        self.assert_refused(
            f"was built for plugin ABI {MAJOR}.{OLDEST - 1}, this program speaks {MAJOR}.{MINOR} "
            f"and nothing older than {MAJOR}.{OLDEST}; build it with this version's headers",
            MINOR=OLDEST - 1,
        )

    def test_another_major(self):
        self.assert_refused(
            f"was built for plugin ABI {MAJOR + 1}.{MINOR}, this program speaks {MAJOR}.{MINOR}; "
            "build it with this version's headers",
            MAJOR=MAJOR + 1,
        )


class Languages(Loading):
    def test_what_the_macros_make_is_c(self):
        for standard in ("c11", "c17"):
            for source in PLUGINS:
                with self.subTest(f"{source} as {standard}"):
                    options = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-std={standard}"]
                    compile_plugin(source, INCLUDE, *options, "-o", f"{self.dir}/a.so")


if __name__ == "__main__":
    unittest.main()
