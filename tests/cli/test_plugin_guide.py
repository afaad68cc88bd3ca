# SPDX-License-Identifier: MIT
"""docs/plugin-guide.md: its commands are run as they stand there, against an installation.

And `wtplug new`: what it writes, and what it refuses."""

import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import unittest

from installed import Installation
from plug import WTPLUG, Plug, abi

SOURCE = os.environ["WT_SOURCE_DIR"]
BUILD = os.environ["WT_BUILD_DIR"]


def blocks(page, language):
    with open(os.path.join(SOURCE, "docs", page), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class Installed(Plug):
    def setUp(self):
        super().setUp()
        self.there = Installation(BUILD, self.dir)
        self.plugin_dir = self.there.plugin_dir
        self.pkg_config = self.there.pkg_config
        self.shell = self.there.shell


class Guide(Installed):
    def test_the_commands_of_the_page_in_their_order(self):
        commands = blocks("plugin-guide.md", "sh")
        self.assertGreaterEqual(len(commands), 5)
        run = self.shell("set -x\numask 022\n" + "".join(commands))
        self.assertEqual(run.returncode, 0, run.stdout[-6000:])
        self.assertRegex(run.stdout, r"crypto-mine\.so: pass: ")
        self.assertRegex(run.stdout, r"pass +lengths with aesgcm-openssl")
        self.assertRegex(run.stdout, r"crypto +mine +0\.1\.0 .* yes\n")
        self.assertRegex(run.stdout, r"auth-handshake\.so: pass: ")
        self.assertRegex(run.stdout, r"transport-way\.so: pass: ")
        for name in ("compare.html", "compare.json"):
            self.assertTrue(os.path.getsize(os.path.join(self.dir, "crypto-mine", name)))
        self.assertTrue(os.path.exists(os.path.join(self.plugin_dir, "crypto-mine.so")))
        # The daemon is in sbin, where the PATH of most people does not lead.
        with open(os.path.join(self.dir, "crypto-mine", "compare.json"), encoding="utf-8") as file:
            tunnel = json.load(file)["tunnel"]
        if tunnel["available"]:
            self.assertEqual(tunnel["wtcore"], os.path.join(self.there.prefix, "sbin/wtcore"))
        else:
            print(f"not seen which daemon is measured: {tunnel['reason']}")
            self.assertNotIn("no wtcore", tunnel["reason"])

    def test_the_c_plus_plus_of_the_page(self):
        (text,) = blocks("plugin-guide.md", "cpp")
        for standard in ("c++17", "c++20"):
            done = subprocess.run(
                ["g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
                + ["-I", self.pkg_config("--variable=includedir"), "-x", "c++", "-"],
                input=text,
                text=True,
                check=False,
                stderr=subprocess.PIPE,
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_rust_of_the_page_is_that_of_the_example(self):
        (text,) = blocks("plugin-guide.md", "rust")
        with open(
            os.path.join(SOURCE, "examples/crypto-aesgcm-rust/src/lib.rs"), encoding="utf-8"
        ) as file:
            self.assertIn(text, file.read())

    def test_what_pkg_config_says(self):
        self.assertTrue(
            os.path.exists(os.path.join(self.plugin_dir, "crypto-aesgcm-openssl.so"))
        )
        version = f"{self.pkg_config('--variable=abi_major')}.{self.pkg_config('--variable=abi_minor')}"
        self.assertEqual(version, abi())
        self.assertEqual(
            self.pkg_config("--cflags"), "-I" + self.pkg_config("--variable=includedir")
        )


class New(Plug):
    def read(self, *names):
        with open(os.path.join(self.dir, *names), encoding="utf-8") as file:
            return file.read()

    def test_what_it_writes(self):
        run = self.run_plug("new", "my-aead", "--kind", "crypto", "--author", "Somebody")
        told = run.stdout.partition(" Now:\n")[2]
        self.assertTrue(told.startswith("  cd crypto-my-aead\n"), run.stdout)
        for line in told.splitlines()[1:]:
            self.assertIn(line.strip(), self.read("crypto-my-aead", "README.md"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(
            sorted(os.listdir(os.path.join(self.dir, "crypto-my-aead"))),
            [".gitignore", "CMakeLists.txt", "LICENSE", "README.md", "plugin.c"],
        )
        self.assertIn("cd crypto-my-aead\n", run.stdout)
        self.assertRegex(self.read("crypto-my-aead", "LICENSE"), r"Copyright \(c\) 20\d\d Somebody")
        source = self.read("crypto-my-aead", "plugin.c")
        self.assertTrue(source.startswith("/* SPDX-License-Identifier: MIT\n"))
        self.assertIn('WT_PLUGIN(WT_KIND_CRYPTO, "my-aead", "0.1.0", .license = "MIT"', source)
        for name in ("CMakeLists.txt", "README.md", "plugin.c", "LICENSE"):
            self.assertNotRegex(self.read("crypto-my-aead", name), r"@[A-Z_]+@")

    def test_what_it_writes_of_a_handshake(self):
        run = self.run_plug("new", "hello", "--kind", "auth", "--author", "Somebody")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        where = os.path.join(self.dir, "auth-hello")
        files = sorted(os.listdir(where))
        self.assertEqual(
            files,
            [".gitignore", "CMakeLists.txt", "LICENSE", "README.md"]
            + ["handshake.c", "handshake.h", "plugin.c"],
        )
        for name in files:
            self.assertNotRegex(self.read(where, name), r"@[A-Z_]+@")
        # In a configuration, comments stand on lines of their own.
        self.assertNotRegex(self.read(where, "README.md"), r"(?m)^\w+ = .*\s[;#]")
        # Two plugins of different names do not understand each other.
        self.assertIn('domain[] = "auth-hello 1"', self.read(where, "handshake.c"))

    def test_what_it_writes_of_a_transport(self):
        for mode, options in (
            ("stream", []),
            ("stream", ["--mode", "stream"]),
            ("datagram", ["--mode", "datagram"]),
        ):
            with self.subTest(mode, options=options):
                run = self.run_plug(
                    "new", "my-way", "--kind", "transport", *options, "--dir", "there"
                )
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertIn(f'there: {mode} transport plugin "my-way". Now:\n', run.stdout)
                files = sorted(os.listdir(os.path.join(self.dir, "there")))
                self.assertEqual(
                    files,
                    [".gitignore", "CMakeLists.txt", "LICENSE", "README.md", "plugin.c"]
                    + ["socket.h"],
                )
                for name in files:
                    self.assertNotRegex(self.read("there", name), r"@[A-Z_]+@")
                source = self.read("there", "plugin.c")
                self.assertIn(f".mode = WT_CHANNEL_{mode.upper()},", source)
                self.assertIn('WT_PLUGIN(WT_KIND_TRANSPORT, "my-way", "0.1.0"', source)
                # In the name of a counter there is no hyphen.
                self.assertIn('host->counter(host, "my_way_', source)
                shutil.rmtree(os.path.join(self.dir, "there"))

    def test_another_licence(self):
        self.run_plug("new", "a", "--kind", "crypto", "--license", "0BSD", "--author", "X")
        self.assertIn("X\n\nPermission to use, copy", self.read("crypto-a", "LICENSE"))
        run = self.run_plug(
            "new", "b", "--kind", "crypto", "--license", "GPL-2.0-or-later", "--dir", "there"
        )
        self.assertEqual(run.returncode, 0)
        self.assertIn("Put the text of GPL-2.0-or-later into there/LICENSE.", run.stdout)
        self.assertNotIn("LICENSE", os.listdir(os.path.join(self.dir, "there")))
        self.assertIn('.license = "GPL-2.0-or-later"', self.read("there", "plugin.c"))

    def test_nothing_is_overwritten(self):
        os.mkdir(os.path.join(self.dir, "crypto-x"))
        with open(os.path.join(self.dir, "crypto-x", "mine"), "w", encoding="utf-8"):
            pass
        run = self.run_plug("new", "x", "--kind", "crypto")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("wtplug new: crypto-x is not empty; name another", run.stderr)
        self.assertEqual(os.listdir(os.path.join(self.dir, "crypto-x")), ["mine"])
        run = self.run_plug("new", "x", "--kind", "crypto", "--dir", "no/where")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no/where cannot be made: No such file or directory; name another", run.stderr)

    def test_a_name_that_is_taken(self):
        taken = self.install(self.plugin("transport-tcp"))
        for name, told in (("tcp", True), ("tcp2", False)):
            run = self.run_plug("new", name, "--kind", "transport")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(f"There is a {taken} already" in run.stdout, told, run.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "mounts a small file system, for which it must be root")
    def test_a_full_disk(self):
        os.mkdir(os.path.join(self.dir, "small"))
        script = "mount -t tmpfs -o size=8k none small && exec {} new x --kind auth --dir small/x"
        run = subprocess.run(
            ["unshare", "-m", "sh", "-c", script.format(shlex.quote(WTPLUG))],
            cwd=self.dir,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertRegex(
            run.stderr,
            r"^wtplug new: small/x/\S+: No space left on device; remove small/x before",
        )

    def test_wrong_arguments(self):
        kind = "--kind is one of auth|crypto|transport"
        for arguments, message in (
            ([], "no NAME given"),
            (["a", "b"], "unexpected argument b"),
            (["a"], kind),
            (["auto", "--kind", "crypto"], "in [crypto] the fastest plugin is meant by auto, so none can be called that"),
            (["a", "--kind", "licenses"], kind),
            (["a", "--kind", "../crypto"], kind),
            (["a", "--kind", "common"], kind),
            (["a", "--kind", "transport-stream"], kind),
            (["a", "--kind", "crypto", "--mode", "stream"], "--mode is for --kind transport, not for crypto"),
            (["a", "--kind", "transport", "--mode", "tcp"], "--mode is stream or datagram, not tcp"),
            (["a", "--kind", "transport", "--mode", ""], "--mode is stream or datagram, not "),
            (["A", "--kind", "crypto"], "a NAME is 1 to 31 of a-z, 0-9 and -, not A"),
            (["a/b", "--kind", "crypto"], "a NAME is 1 to 31 of a-z, 0-9 and -, not a/b"),
            (["a" * 32, "--kind", "crypto"], "a NAME is 1 to 31 of a-z, 0-9 and -, not " + "a" * 32),
            (
                ["a", "--kind", "crypto", "--license", 'MIT"'],
                '--license is an SPDX expression of at most 80 bytes, not MIT"',
            ),
            *(
                (
                    ["a", "--kind", "crypto", "--license", text],
                    f"--license is an SPDX expression of at most 80 bytes, not {text}",
                )
                for text in ("", "  ", "1.0", "MIT\n", "*/", "MIT\\", "a;b", "${x}", "é", "a" * 81)
            ),
            *(
                (
                    ["a", "--kind", "crypto", "--author", text],
                    "--author is 1 to 200 bytes of printable UTF-8",
                )
                for text in ("", "  ", "a\nb", "\x1b[2J", "a\tb", "\x7f", "\x9b", "\udcff", "é" * 101)
            ),
            *(
                ([text, "--kind", "auth"], f"a NAME is 1 to 31 of a-z, 0-9 and -, not {text}")
                for text in ("", "a\nb", '"', "a b", "a*/", "a\\", "a;b", "${x}", "@NAME@", "é")
            ),
            (["--nosuch"], "unknown option --nosuch"),
        ):
            with self.subTest(arguments):
                run = self.run_plug("new", *arguments)
                self.assertEqual(
                    (run.returncode, run.stdout, run.stderr),
                    (2, "", f"wtplug new: {message}; run: wtplug --help\n"),
                )
                self.assertEqual(os.listdir(self.dir), ["plugins"])

    def test_what_it_says_can_be_pasted(self):
        for where in ("it's here", "a;b ${HOME} \\", '-n "$(false)"', "two\nlines"):
            with self.subTest(where):
                run = self.run_plug("new", "x", "--kind", "crypto", "--dir", where)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                change = run.stdout.partition(" Now:\n")[2].partition("\n  cmake")[0]
                done = subprocess.run(
                    ["sh", "-c", f"{change}\npwd"],
                    cwd=self.dir,
                    check=False,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                self.assertEqual(done.stdout, os.path.join(self.dir, where) + "\n")

    def test_whoever_runs_it_is_the_author_unless_one_is_named(self):
        self.assertEqual(self.run_plug("new", "x", "--kind", "crypto").returncode, 0)
        user = pwd.getpwuid(os.getuid())
        name = user.pw_gecos.partition(",")[0] or user.pw_name
        self.assertRegex(
            self.read("crypto-x", "LICENSE"), rf"Copyright \(c\) 20\d\d {re.escape(name)}\n"
        )


class AbiPage(unittest.TestCase):
    def test_it_names_the_abi_of_the_header(self):
        with open(os.path.join(SOURCE, "docs/abi.md"), encoding="utf-8") as file:
            rows = re.findall(r"^\| (\d+\.\d+) \|", file.read(), re.MULTILINE)
        self.assertEqual(rows[0], abi())


if __name__ == "__main__":
    unittest.main()
