# SPDX-License-Identifier: MIT
"""Plugins built outside of the tree, against an installation in a fresh prefix: what `wtplug new`
writes, one test for each kind and way."""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

from installed import Installation, build_options

SOURCE = os.environ["WT_SOURCE_DIR"]
BUILD = os.environ["WT_BUILD_DIR"]

# What there is a template for: its options, and the libraries it uses, as pkg-config calls them.
TEMPLATES = {
    "auth": ("--kind auth", "libcrypto"),
    "crypto": ("--kind crypto", "libcrypto"),
    "stream": ("--kind transport", ""),
    "datagram": ("--kind transport --mode datagram", ""),
}

WARNINGS = "-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef"
COMPILERS = ("gcc -std=c11", "gcc -std=gnu17", "clang -std=c11", "clang -std=gnu17")


def one_line():
    """The command of docs/plugin-guide.md that builds a plugin without CMake."""
    with open(os.path.join(SOURCE, "docs/plugin-guide.md"), encoding="utf-8") as file:
        (line,) = re.findall(r"^gcc .*-shared .*$", file.read(), re.MULTILINE)
    return line


CONFIGURATION = """[tunnel]
interface = wt0
address = 10.8.0.1/24
[crypto]
plugin = aesgcm-openssl
[transport tcp]
listen = 127.0.0.1:4433
[transport udp]
listen = 127.0.0.1:4433
[auth hmac]
[peer alice]
psk_file = alice.psk
allowed_ips = 10.8.0.2/32
"""


class OutOfTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="wt-test-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.there = Installation(BUILD, cls.dir)

    def good(self, script, **options):
        done = self.there.shell(script, **options)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])
        return done.stdout

    def installed_at(self, prefix):
        """The programs below `prefix` use the plugins there, and nobody told them where."""
        plugins = self.there.plugin_dir.replace(self.there.prefix, prefix)
        place = f"plugin directory {plugins} (of this program's installation)\n"
        for name in ("bin/wtplug", "sbin/wtcore"):
            self.assertIn(place, self.good(f"{prefix}/{name} --version"))
        found = json.loads(self.good(f"{prefix}/bin/wtplug list --json"))
        self.assertEqual(found["directory"], plugins)
        names = {f"{each['kind']}-{each['name']}": each["usable"] for each in found["plugins"]}
        for name in ("crypto-aesgcm-openssl", "transport-tcp", "transport-udp", "auth-hmac"):
            self.assertIs(names.get(name), True, names)
        said = self.good(f"{prefix}/sbin/wtcore -t -c tunnel.ini")
        self.assertIn("ok, 1 peer, crypto aesgcm-openssl, transports tcp udp", said)
        return plugins

    def configure(self):
        path = os.path.join(self.dir, "tunnel.ini")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        os.chmod(path, 0o600)
        self.good("umask 077; prefix/sbin/wtcore genpsk > alice.psk")

    def test_programs_find_their_plugins_in_any_prefix(self):
        self.configure()
        self.assertEqual(self.installed_at(self.there.prefix), self.there.plugin_dir)

        # As it is when a package is unpacked elsewhere, and links lead to its programs.
        moved = os.path.join(self.dir, "moved")
        shutil.copytree(self.there.prefix, moved, symlinks=True)
        self.addCleanup(shutil.rmtree, moved)
        plugins = self.installed_at(moved)
        links = os.path.join(self.dir, "links")
        os.mkdir(links)
        os.symlink(f"{moved}/sbin/wtcore", f"{links}/wtcore")
        self.assertIn(f"plugin directory {plugins} (", self.good("links/wtcore --version"))

        # What the loader asks of a directory, it asks of this one.
        os.chmod(moved, 0o777)
        done = self.there.shell("moved/sbin/wtcore -t -c tunnel.ini")
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn(f"others can write to directory {moved} (mode 0777)", done.stdout)

        shutil.rmtree(plugins)
        done = self.there.shell("moved/sbin/wtcore -t -c tunnel.ini")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"there is no {plugins}", done.stdout)

    def test_a_library_directory_that_does_not_move(self):
        """Is not searched for beside the programs, and not below pkg-config's prefix."""
        build = os.path.join(self.dir, "fixed")
        fixed = os.path.join(self.dir, "lib")
        self.good(
            f"cmake -G Ninja -S {SOURCE} -B {build} -DWT_TESTS=OFF -DWT_BENCH=OFF"
            f" -DCMAKE_INSTALL_PREFIX={self.dir}/prefix -DCMAKE_INSTALL_LIBDIR={fixed}"
        )
        with open(f"{build}/core/base/build.h", encoding="utf-8") as file:
            facts = dict(re.findall(r'^#define (\w+) "(.*)"$', file.read(), re.MULTILINE))
        self.assertEqual(facts["WT_PLUGIN_DIR_DEFAULT"], f"{fixed}/whispertunnel")
        self.assertEqual((facts["WT_PLUGINS_FROM_BIN"], facts["WT_PLUGINS_FROM_SBIN"]), ("", ""))
        self.assertEqual(facts["WT_SBIN_FROM_BIN"], "../sbin")
        with open(f"{build}/include/whispertunnel.pc", encoding="utf-8") as file:
            pc = file.read()
        self.assertIn(f"\nplugindir={fixed}/whispertunnel\n", pc)
        self.assertIn("\nincludedir=${prefix}/include\n", pc)

    def new(self, template, name):
        """A project of that name: its directory, and the kind of its plugin."""
        options = TEMPLATES[template][0]
        self.good(f"wtplug new {name} {options} --dir {template}-{name} --author Somebody")
        return os.path.join(self.dir, f"{template}-{name}"), options.split()[1]

    def check_facts(self, path, kind, name):
        facts = json.loads(self.good(f"wtplug info --json {path}"))
        self.assertEqual((facts["kind"], facts["name"], facts["usable"]), (kind, name, True))
        self.assertEqual((facts["exports"], facts["warnings"]), ([], []))

    def with_cmake(self, template):
        where, kind = self.new(template, "tree")
        options = build_options(BUILD)
        said = self.good(
            f"cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo {options}\n"
            "cmake --build build\n"
            "ctest --test-dir build --verbose",
            cwd=where,
        )
        self.assertRegex(said, rf"{kind}-tree\.so: pass: \d+ passed, 0 failed.*level 2")
        if not options:  # a sanitizer has symbols of its own
            self.check_facts(os.path.join(where, f"build/{kind}-tree.so"), kind, "tree")
        self.good("cmake --install build", cwd=where)
        installed = os.path.join(self.there.plugin_dir, f"{kind}-tree.so")
        self.addCleanup(os.remove, installed)
        self.assertRegex(self.good("wtplug list"), rf"(?m)^{kind} +tree +0\.1\.0 .* yes$")

    def with_one_line(self, template):
        where, kind = self.new(template, "line")
        line = one_line()
        self.assertIn("crypto-mine.so", line)
        self.assertIn(" libcrypto)", line)
        line = line.replace("crypto-mine.so", f"{kind}-line.so")
        line = line.replace(" libcrypto)", f" {TEMPLATES[template][1]})")
        said = self.good(f"{line}\nwtplug conform --level 2 {kind}-line.so", cwd=where)
        self.assertRegex(said, rf"{kind}-line\.so: pass: \d+ passed, 0 failed.*level 2")
        self.check_facts(os.path.join(where, f"{kind}-line.so"), kind, "line")

    def without_warnings(self, template):
        where, _ = self.new(template, "warned")
        flags = self.good(f"pkg-config --cflags whispertunnel {TEMPLATES[template][1]}").split()
        for compiler in COMPILERS:
            with self.subTest(compiler):
                if not shutil.which(compiler.split()[0]):
                    print(f"{compiler}: not installed, {template} not tried with it")
                    continue
                for source in glob.glob(f"{where}/*.c"):
                    command = [*compiler.split(), *WARNINGS.split(), "-Werror", "-pedantic"]
                    done = subprocess.run(
                        [*command, *flags, "-fsyntax-only", source],
                        check=False,
                        stderr=subprocess.PIPE,
                        text=True,
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_odd_texts(self):
        """What is taken does no harm where it is put."""
        name, rude = "Somebody", "O'Neil \"x\" \\ */ // ; ${HOME} $(id) @NAME@ %s <a@b.example>"
        license = "(MIT OR Apache-2.0+) AND GPL-2.0-only WITH Classpath-exception-2.0 AND 0BSD OR X"
        self.assertEqual(len(license), 80)
        for template, plugin, licence, author in (
            ("auth", "-", "MIT", rude),
            ("crypto", "9" * 31, license, name),
            ("stream", "0-", "0BSD", "\u00e9" * 100),
            ("datagram", "-" * 31, license, name),
        ):
            with self.subTest(template):
                options = TEMPLATES[template][0]
                kind, where = options.split()[1], os.path.join(self.dir, f"odd-{template}")
                self.good(
                    f"wtplug new {options} --dir {where} --license '{licence}'"
                    f" --author {shlex.quote(author)} -- {plugin}"
                )
                self.good(
                    f"cmake -S . -B build {build_options(BUILD)}\ncmake --build build", cwd=where
                )
                path = os.path.join(where, f"build/{kind}-{plugin}.so")
                facts = json.loads(self.good(f"wtplug info --json {path}"))
                self.assertEqual(
                    (facts["name"], facts["license"], facts["usable"]), (plugin, licence, True)
                )
                self.good(f"wtplug conform --level 1 --json {path} >{where}/found || [ $? = 5 ]")
                if licence != license:
                    with open(os.path.join(where, "LICENSE"), encoding="utf-8") as file:
                        self.assertRegex(file.read(), rf"20\d\d {re.escape(author)}\n")


for each in TEMPLATES:
    for way in ("with_cmake", "with_one_line", "without_warnings"):
        setattr(
            OutOfTree,
            f"test_{each}_{way}",
            lambda self, way=way, template=each: getattr(self, way)(template),
        )


if __name__ == "__main__":
    unittest.main()
