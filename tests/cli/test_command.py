# SPDX-License-Identifier: MIT
"""`wtcore` from outside: exit codes, messages, and what it leaves alone."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

WTCORE = os.environ["WT_CORE"]
SOURCE = os.environ["WT_SOURCE_DIR"]
PLUGINS = os.environ["WT_BUILT_PLUGINS"]
FIXTURES = os.environ["WT_BUILT_FIXTURES"]
NOBODY = 65534

TUNNEL = "[tunnel]\naddress = 10.8.0.1/24\n"
CRYPTO = "[crypto]\nplugin = aesgcm-openssl\n"
TCP = "[transport tcp]\nlisten = 127.0.0.1:4433\n"
ALICE = "[peer alice]\npsk_file = alice.psk\nallowed_ips = 10.8.0.2/32\n"
GOOD = TUNNEL + CRYPTO + TCP + "[auth hmac]\n" + ALICE


def links():
    return sorted(os.listdir("/sys/class/net"))


class Command(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wt-test-")
        self.addCleanup(shutil.rmtree, self.dir)

    def run_wtcore(self, *arguments, plugins=PLUGINS, program=WTCORE, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("cwd", self.dir)
        options.setdefault("env", {**os.environ, "WT_PLUGIN_DIR": plugins})
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [program, *arguments],
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            **options,
        )

    def expect(self, run, code, stdout="", stderr=""):
        self.assertEqual((run.returncode, run.stdout or "", run.stderr), (code, stdout, stderr))

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        return path

    def write_key(self, name, mode=0o600):
        return self.write(name, base64.b64encode(os.urandom(32)).decode() + "\n", mode)

    def check(self, ini, **options):
        self.write("t.ini", ini)
        return self.run_wtcore("-t", "-c", "t.ini", **options)


class Usage(Command):
    def test_help_names_every_way_to_call(self):
        for flag in ("--help", "-h"):
            run = self.run_wtcore(flag)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            for word in ("-c FILE", "-t -c FILE", "genpsk", "genkey", "pubkey", "--auth", "--config-keys", "--version", "Exit"):
                self.assertIn(word, run.stdout)

    def test_version_names_abi_and_plugin_directory(self):
        with open(os.environ["WT_ABI_HEADER"], encoding="utf-8") as file:
            header = file.read()
        abi = ".".join(re.findall(r"#define WT_ABI_(?:MAJOR|MINOR) (\d+)", header))
        run = self.run_wtcore("--version", plugins="/some/where")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"\Awtcore \d+\.\d+\.\d+\nplugin ABI ")
        self.assertIn(f"plugin ABI {abi}\n", run.stdout)
        self.assertIn("plugin directory /some/where (WT_PLUGIN_DIR)\n", run.stdout)

    def test_wrong_arguments(self):
        for arguments, message in (
            ([], "no configuration given"),
            (["-t"], "no configuration given"),
            (["-c"], "a FILE is missing after -c"),
            (["--config"], "a FILE is missing after --config"),
            (["-x"], "unknown option -x"),
            (["-tx"], "unknown option -x"),
            (["--nosuch"], "unknown option --nosuch"),
            (["--version=1"], "unknown option --version=1"),
            (["-c", "a", "-c", "b"], "two configurations given: b"),
            (["-c", "a", "b"], "unexpected argument b"),
            (["run"], "unexpected argument run"),
            (["genpsk", "x"], "unexpected argument x"),
            (["genkey", "x"], "unexpected argument x"),
            (["genkey", "--auth"], "a NAME is missing after --auth"),
            (["pubkey", "--auth", "noise", "x"], "unexpected argument x"),
            (["pubkey", "--auth=noise", "x"], "unexpected argument x"),
        ):
            with self.subTest(arguments):
                run = self.run_wtcore(*arguments)
                self.expect(run, 2, "", f"wtcore: {message}; run: wtcore --help\n")

    def test_lost_output_is_a_failure(self):
        for flag in ("--help", "--version", "--config-keys"):
            with self.subTest(flag), open("/dev/full", "w", encoding="utf-8") as full:
                run = self.run_wtcore(flag, stdout=full)
                self.assertEqual(run.returncode, 1)
                self.assertIn("standard output cannot be written: No space left on", run.stderr)

    def test_config_keys_without_plugins(self):
        run = self.run_wtcore("--config-keys", plugins=os.path.join(self.dir, "none"))
        self.assertEqual(run.returncode, 4)
        self.assertIn("| `allowed_ips` |", run.stdout)
        self.assertIn("set plugin_dir, or WT_PLUGIN_DIR in the environment", run.stderr)


class Genpsk(Command):
    COMMANDS = ("genpsk", "genkey")

    def test_a_key_is_44_characters_and_a_newline(self):
        for command in self.COMMANDS:
            keys = set()
            for _ in range(4):
                run = self.run_wtcore(command)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertRegex(run.stdout, r"\A[A-Za-z0-9+/]{43}=\n\Z")
                self.assertEqual(len(base64.b64decode(run.stdout, validate=False)), 32)
                keys.add(run.stdout)
            self.assertEqual(len(keys), 4)

    def test_a_file_that_others_can_read_gets_none(self):
        for command in self.COMMANDS:
            for mode in (0o644, 0o640, 0o604, 0o660, 0o601):
                path = self.write("k", "", mode)
                with self.subTest(oct(mode)), open(path, "w", encoding="utf-8") as file:
                    run = self.run_wtcore(command, stdout=file)
                    self.assertEqual(run.returncode, 2)
                    self.assertIn(f"standard output is a file of mode {mode:04o}", run.stderr)
                    self.assertIn(f"(umask 077; wtcore {command} > FILE)", run.stderr)
                    self.assertEqual(os.path.getsize(path), 0)

    def test_a_private_file_gets_one(self):
        for command in self.COMMANDS:
            path = self.write("k", "", 0o600)
            with open(path, "w", encoding="utf-8") as file:
                self.expect(self.run_wtcore(command, stdout=file), 0)
            self.assertEqual(os.path.getsize(path), 45)

    def test_what_cannot_be_written_is_a_failure(self):
        for command in self.COMMANDS:
            with open("/dev/full", "w", encoding="utf-8") as full:
                run = self.run_wtcore(command, stdout=full)
            why = "the key cannot be written: No space left on device"
            self.expect(run, 1, "", f"wtcore: {command}: {why}\n")
            closed = subprocess.run(
                ["sh", "-c", f'"$0" {command} >&-', WTCORE],
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            self.assertEqual(closed.returncode, 1)
            self.assertIn("there is no standard output", closed.stderr)


class KeyPairs(Command):
    # RFC 7748, section 6.1: Alice's.
    PRIVATE = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
    PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"

    def pubkey(self, text, *arguments):
        with tempfile.TemporaryFile("w+") as file:
            file.write(text)
            file.seek(0)
            return self.run_wtcore("pubkey", *arguments, stdin=file)

    def test_a_public_key_belongs_to_its_private_key(self):
        private, public = (
            base64.b64encode(bytes.fromhex(key)).decode() for key in (self.PRIVATE, self.PUBLIC)
        )
        for arguments in ((), ("--auth", "noise"), ("--auth=noise",)):
            for end in ("\n", ""):
                self.expect(self.pubkey(private + end, *arguments), 0, public + "\n")
        made = self.run_wtcore("genkey", "--auth", "noise").stdout
        self.assertRegex(self.pubkey(made).stdout, r"\A[A-Za-z0-9+/]{43}=\n\Z")

    def test_what_is_no_private_key_is_refused(self):
        key = base64.b64encode(bytes.fromhex(self.PRIVATE)).decode()
        for text, why in (
            ("", "has 0 characters"),
            (key[:-2] + "\n", "has 42 characters"),
            (key + "\n" + key, "has 47 characters"),
            (key + "\r\n", "ends its line with CR LF"),
            ("*" + key[1:], "is not base64"),
            ("A" * 43 + "=", "is all zero"),
        ):
            with self.subTest(text):
                run = self.pubkey(text)
                self.assertEqual((run.returncode, run.stdout), (2, ""))
                self.assertIn(
                    f"wtcore: pubkey: what standard input has is no private key: it {why}",
                    run.stderr,
                )
                self.assertNotIn(key[:20], run.stderr)

    def test_a_method_without_key_pairs_says_so(self):
        for command in ("genkey", "pubkey"):
            run = self.run_wtcore(command, "--auth", "hmac", stdin=subprocess.DEVNULL)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(f'wtcore: {command}: ', run.stderr)
        run = self.run_wtcore("genkey", "--auth", "hmac")
        self.assertIn("this method has no key pairs to make; name one that has", run.stderr)

    def test_a_missing_plugin_is_a_plugin_failure(self):
        run = self.run_wtcore("genkey", "--auth", "nosuch")
        self.assertEqual((run.returncode, run.stdout), (4, ""))
        self.assertIn('auth plugin "nosuch"', run.stderr)


NOISE = "[auth noise]\nprivate_key_file = own.key\n"


class Noise(Command):
    """What a configuration with both methods may say, and what not."""

    def setUp(self):
        super().setUp()
        self.write_key("alice.psk")
        self.write_key("own.key")
        with open(os.path.join(self.dir, "own.key"), encoding="utf-8") as file:
            self.own = self.run_wtcore("pubkey", stdin=file).stdout.strip()
        self.public = [self.new_public() for _ in range(2)]

    def new_public(self):
        key = self.write_key("tmp.key")
        with open(key, encoding="utf-8") as file:
            return self.run_wtcore("pubkey", stdin=file).stdout.strip()

    def peer(self, name, host, *lines):
        return f"[peer {name}]\nallowed_ips = 10.8.0.{host}/32\n" + "".join(
            line + "\n" for line in lines
        )

    def ini(self, *peers, auths="[auth hmac]\n" + NOISE):
        return TUNNEL + CRYPTO + TCP + auths + "".join(peers)

    def test_peers_of_both_methods_side_by_side(self):
        alice = self.peer("alice", 2, "auth = hmac", "psk_file = alice.psk")
        bob = self.peer("bob", 3, "auth = noise", f"public_key = {self.public[0]}")
        carol = self.peer(
            "carol", 4, "auth = noise", f"public_key = {self.public[1]}", "psk_file = alice.psk"
        )
        run = self.check(self.ini(alice, bob, carol))
        said = "t.ini: ok, 3 peers, crypto aesgcm-openssl, transports tcp, auth hmac noise\n"
        self.expect(run, 0, said)
        run = self.check(self.ini(self.peer("bob", 3, f"public_key = {self.public[0]}"),
                                  auths=NOISE))
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_wrong_combinations(self):
        noise, public = "auth = noise", f"public_key = {self.public[0]}"
        for lines, said in (
            (("auth = hmac", "psk_file = alice.psk", public),
             "it is a key of plugin auth-noise that this peer does not use"),
            (("auth = hmac", public), "[peer bob] psk_file: not found, but needed"),
            ((noise, "psk_file = alice.psk"), "[peer bob] public_key: not found, but needed"),
            ((noise,), "[peer bob] public_key: not found, but needed"),
            ((noise, public, "psk_file_next = alice.psk"),
             "it is a key of plugin auth-hmac that this peer does not use"),
            ((noise, f"public_key = {self.own}"), "[peer bob] public_key: it is this end's own"),
            ((noise, "public_key = alice.psk"),
             "[peer bob] public_key: the value has 9 characters, allowed are 44"),
            ((noise, "public_key = " + "A" * 43 + "="), "the value is all zero"),
            ((noise, "public_key = " + "/" * 42 + "8="), "it is no X25519 public key"),
            ((public,), "[peer bob] auth: not found, but needed with several auth sections"),
            (("auth = nois", public), "[auth] sections are there for: hmac, noise (did you mean"),
        ):
            with self.subTest(lines):
                run = self.check(self.ini(self.peer("bob", 3, *lines)))
                self.assertEqual(run.returncode, 2)
                self.assertIn(said, run.stderr)

    def test_two_peers_with_one_key(self):
        lines = ("auth = noise", f"public_key = {self.public[0]}")
        run = self.check(self.ini(self.peer("bob", 3, *lines), self.peer("eve", 4, *lines)))
        self.assertEqual(run.returncode, 2)
        self.assertIn("[peer bob] and [peer eve] have the same public_key", run.stderr)

    def test_one_section_for_each_method(self):
        bob = self.peer("bob", 3, "auth = noise", f"public_key = {self.public[0]}")
        run = self.check(self.ini(bob, auths=NOISE + NOISE.replace("noise", "other")
                                  + "plugin = noise\n"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("[auth other] plugin: auth-noise found, which [auth noise]", run.stderr)

    def test_a_private_key_file_is_needed(self):
        bob = self.peer("bob", 3, f"public_key = {self.public[0]}")
        run = self.check(self.ini(bob, auths="[auth noise]\n"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("[auth noise] private_key_file: not found, but needed", run.stderr)
        os.unlink(os.path.join(self.dir, "own.key"))
        run = self.check(self.ini(bob, auths=NOISE))
        self.assertEqual(run.returncode, 2)
        self.assertIn("there is no key file", run.stderr)
        self.assertIn("(umask 077; wtcore genkey > ", run.stderr)
        self.write_key("own.key", 0o644)
        run = self.check(self.ini(bob, auths=NOISE))
        self.assertIn("own.key has mode 0644, allowed is 0600 or 0400", run.stderr)


class Check(Command):
    def setUp(self):
        super().setUp()
        self.write_key("alice.psk")

    def test_a_sound_file_is_ok_and_nothing_is_made(self):
        before = links()
        run = self.check(GOOD)
        self.expect(run, 0, "t.ini: ok, 1 peer, crypto aesgcm-openssl, transports tcp, auth hmac\n")
        self.assertEqual(links(), before)
        self.assertEqual(sorted(os.listdir(self.dir)), ["alice.psk", "t.ini"])

    def test_the_example_passes(self):
        shutil.copy(os.path.join(SOURCE, "etc/tunnel.ini"), os.path.join(self.dir, "t.ini"))
        os.chmod(os.path.join(self.dir, "t.ini"), 0o644)
        self.write_key("office.psk")
        run = self.run_wtcore("-t", "-c", "t.ini")
        self.expect(
            run, 0, "t.ini: ok, 2 peers, crypto aesgcm-openssl, transports tcp udp, auth hmac\n"
        )

    def test_paths_begin_where_the_file_is(self):
        self.write("t.ini", GOOD)
        run = self.run_wtcore("-t", "-c", os.path.join(self.dir, "t.ini"), cwd="/")
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_plugin_dir_of_the_file_wins(self):
        os.symlink(PLUGINS, os.path.join(self.dir, "lib"))
        ini = GOOD.replace("[crypto]", "plugin_dir = lib\n[crypto]")
        self.assertEqual(self.check(ini, plugins="/nosuch").returncode, 0)

    def test_all_problems_of_a_file_in_order(self):
        run = self.check(GOOD.replace("address", "adress") + "mtu = 1\n[pear bob]\n")
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        places = [line.split(": ")[:2] for line in run.stderr.splitlines()]
        self.assertEqual(
            places,
            [
                ["t.ini:1", "[tunnel] address"],
                ["t.ini:2", "[tunnel] adress"],
                ["t.ini:11", "[peer alice] mtu"],
                ["t.ini:12", "[pear bob]"],
            ],
        )

    def test_a_missing_plugin_is_4(self):
        run = self.check(GOOD.replace("aesgcm-openssl", "aesgcm-opensl"))
        self.assertEqual(run.returncode, 4)
        self.assertTrue(run.stderr.startswith("t.ini:4: [crypto] plugin: crypto plugin "))
        self.assertIn('(did you mean "aesgcm-openssl"?)', run.stderr)

    def install(self, *plugins):
        """A plugin directory of copies of these."""
        directory = os.path.join(self.dir, "lib")
        os.mkdir(directory)
        for path in plugins:
            shutil.copy(path, directory)
        return directory

    def test_auto_takes_the_fastest_that_is_sound(self):
        ini = GOOD.replace("aesgcm-openssl", "auto")
        sound = ("transport-tcp.so", "auth-hmac.so", "crypto-aesgcm-openssl.so")
        lib = self.install(
            *(os.path.join(PLUGINS, name) for name in sound),
            os.path.join(FIXTURES, "crypto-unavailable.so"),
            os.path.join(FIXTURES, "crypto-sigsegv.so"),
        )
        run = self.check(ini, plugins=lib)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(
            run.stdout, "t.ini: ok, 1 peer, crypto aesgcm-openssl, transports tcp, auth hmac\n"
        )
        warning, figures = run.stderr.splitlines()
        self.assertRegex(
            warning, r'\Awarning: crypto auto: left out: crypto plugin "sigsegv" .*SIGSEGV'
        )
        self.assertRegex(
            figures,
            r"\Ainfo: crypto auto: aesgcm-openssl \d+ and \d+ ns per record of 1420 and 16384 "
            r"bytes: aesgcm-openssl is used\Z",
        )
        quiet = ini.replace("[crypto]", "log_level = error\n[crypto]")
        self.assertEqual(self.check(quiet, plugins=lib).stderr, "")
        debug = ini.replace("[crypto]", "log_level = debug\nlog_format = json\n[crypto]")
        self.assertIn('crypto plugin \\"unavailable\\"', self.check(debug, plugins=lib).stderr)

    def test_auto_with_none_left_is_4_and_names_each(self):
        lib = self.install(
            os.path.join(PLUGINS, "transport-tcp.so"),
            os.path.join(PLUGINS, "auth-hmac.so"),
            os.path.join(FIXTURES, "crypto-toy.so"),
            os.path.join(FIXTURES, "crypto-sigsegv.so"),
        )
        run = self.check(GOOD.replace("aesgcm-openssl", "auto"), plugins=lib)
        self.assertEqual((run.returncode, run.stdout), (4, ""))
        head, sigsegv, toy = run.stderr.splitlines()
        place = "t.ini:4: [crypto] plugin: "
        self.assertTrue(head.startswith(f"{place}auto found, but none of the 2 crypto plugins in "))
        self.assertTrue(sigsegv.startswith(f'{place}crypto plugin "sigsegv" ('))
        self.assertTrue(toy.startswith(f'{place}crypto plugin "toy": its algorithm is TOY'))

    def test_a_crashing_plugin_is_4(self):
        os.mkdir(os.path.join(self.dir, "lib"))
        for name in ("transport-tcp.so", "auth-hmac.so"):
            shutil.copy(os.path.join(PLUGINS, name), os.path.join(self.dir, "lib"))
        shutil.copy(os.path.join(FIXTURES, "crypto-sigill.so"), os.path.join(self.dir, "lib"))
        run = self.check(
            GOOD.replace("aesgcm-openssl", "sigill"), plugins=os.path.join(self.dir, "lib")
        )
        self.assertEqual(run.returncode, 4)
        self.assertIn("SIGILL", run.stderr)

    def install_instances(self, *transports):
        """A plugin directory with these fixtures, and what a tunnel needs beside them."""
        built = [f"{PLUGINS}/auth-hmac.so", f"{PLUGINS}/crypto-aesgcm-openssl.so"]
        return self.install(*built, *(f"{FIXTURES}/transport-{name}.so" for name in transports))

    def test_a_plugin_that_crashes_as_an_instance_is_made_is_named(self):
        cases = {"create-crashes": signal.SIGSEGV, "create-aborts": signal.SIGABRT}
        plugins = self.install_instances(*cases)
        for name, number in cases.items():
            run = self.check(GOOD.replace("transport tcp", f"transport {name}"), plugins=plugins)
            if "Sanitizer:" in run.stderr:
                self.skipTest("a sanitizer says what crashes, and ends the process its own way")
            self.assertEqual(run.returncode, -number)
            self.assertIn(
                f'error: {number.name} in create() of transport plugin "{name}": this process ends. '
                "Report it to who made it\n",
                run.stderr,
            )

    def test_a_plugin_that_hangs_as_an_instance_is_made_is_named(self):
        plugins = self.install_instances("create-blocks")
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        self.write("t.ini", GOOD.replace("transport tcp", "transport create-blocks"))
        with subprocess.Popen(
            [WTCORE, "-t", "-c", "t.ini"],
            cwd=self.dir,
            env={**os.environ, "WT_PLUGIN_DIR": plugins, "WT_FIXTURE_FIFO": fifo},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.addCleanup(process.kill)
            place = r'warning: create\(\) of transport plugin "create-blocks" '
            self.assertRegex(process.stderr.readline(), place + r"has not returned for 5\.0 s, and ")
            # It ends with this, and the next one does not wait.
            held = os.open(fifo, os.O_RDWR)
            self.addCleanup(os.close, held)
            self.assertRegex(process.stderr.read(), place + r"has returned, after \d+\.\d s\n$")
            self.assertEqual(process.wait(), 0)

    def test_bad_plugins_are_4_and_say_why(self):
        ini = (
            "[tunnel]\naddress = 10.8.0.1/24\n[crypto]\nplugin = {}\nallow_insecure = yes\n"
            "[transport {}]\n[auth {}]\n[peer alice]\nsecret_file = alice.psk\n"
            "allowed_ips = 10.8.0.2\nendpoint = {}://h:1\n"
        )
        for crypto, transport, auth, problem in (
            ("abi-major", "still", "nobody", r"note: was built for plugin ABI 9\.\d+"),
            ("no-symbol", "still", "nobody", r"descriptor: does not export the symbol wt_plugin_"),
            ("ops-short", "still", "nobody", r"operations: has a table of operations of 16 bytes"),
            ("vector-tag", "still", "nobody", r"self-test: toy vector 1: seal gave a wrong answer"),
            ("hang", "still", "nobody", r"load: hung: its constructors did not end within 5000 ms"),
            ("unavailable", "still", "nobody", r"available: cannot work on this machine: no such"),
            ("create-fails", "still", "nobody", r"the card is not there\S*$"),
            ("toy", "no-send", "nobody", r"operations: has no send, which is required"),
            ("toy", "create-fails", "nobody", r"the card is not there\S*$"),
            ("toy", "still", "no-accept", r"operations: has no accept, which is required"),
            ("toy", "still", "create-fails", r"the card is not there\S*$"),
        ):
            kind = "crypto" if crypto != "toy" else "transport" if auth == "nobody" else "auth"
            name = {"crypto": crypto, "transport": transport, "auth": auth}[kind]
            with self.subTest(kind + " " + name):
                run = self.check(ini.format(crypto, transport, auth, transport), plugins=FIXTURES)
                self.assertEqual((run.returncode, run.stdout), (4, ""), run.stderr)
                self.assertRegex(
                    run.stderr, rf'(?m)^t\.ini:\d+: .*{kind} plugin "{name}".*: {problem}'
                )
                self.assertNotRegex(run.stderr, r"[^\n -~]")

    def test_one_key_for_two_peers_names_both(self):
        run = self.check(GOOD + "[peer bob]\npsk_file = alice.psk\nallowed_ips = 10.8.0.3\n")
        self.assertEqual(run.returncode, 2)
        self.assertRegex(run.stderr, r"\At\.ini:11: \[peer bob\]: .*\[peer alice\].*\[peer bob\]")

    def test_another_algorithm_needs_permission(self):
        ini = (
            "[tunnel]\naddress = 10.8.0.1/24\nself_test = no\n[crypto]\nplugin = toy\n"
            "[transport still]\n[auth nobody]\n[peer alice]\nsecret_file = alice.psk\n"
            "allowed_ips = 10.8.0.2\nendpoint = still://h:1\n"
        )
        run = self.check(ini, plugins=FIXTURES)
        self.assertEqual(run.returncode, 2)
        self.assertIn('t.ini:5: [crypto] plugin: "toy" found, whose algorithm is TOY', run.stderr)
        run = self.check(ini.replace("toy\n", "toy\nallow_insecure = yes\n"), plugins=FIXTURES)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr.count("warning: "), 1)
        self.assertIn("TOY instead of AES-256-GCM", run.stderr)

    def test_a_library_that_is_there_twice_is_reported(self):
        ini = (
            "[tunnel]\naddress = 10.8.0.1/24\n[crypto]\nplugin = twin-two\n"
            "allow_insecure = yes\n[transport twin-one]\n[auth nobody]\n[peer alice]\n"
            "secret_file = alice.psk\nallowed_ips = 10.8.0.2\nendpoint = twin-one://h:1\n"
        )
        run = self.check(ini, plugins=FIXTURES)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(
            run.stderr,
            r"(?m)^warning: libwttwin\.so is in this process twice: "
            r'/\S+/libwttwin\.so\.\d \(\w+ plugin "twin-\w+"\) and '
            r'/\S+/libwttwin\.so\.\d \(\w+ plugin "twin-\w+"\); .* build ',
        )
        run = self.check(ini.replace("twin-two", "twin-same"), plugins=FIXTURES)
        self.assertEqual((run.returncode, run.stderr.count("twice")), (0, 0), run.stderr)

    def test_two_plugins_of_one_peer_key(self):
        ini = GOOD.replace("aesgcm-openssl", "toy").replace("[transport tcp]", "[transport still]")
        ini = ini.replace("listen = 127.0.0.1:4433\n", "").replace(
            "[auth hmac]", "[transport same-key]\n[auth nobody]"
        )
        run = self.check(ini, plugins=FIXTURES)
        self.assertIn('t.ini:7: [auth nobody]: auth plugin "nobody"', run.stderr)
        self.assertIn('as transport plugin "same-key" does', run.stderr)

    def test_files_that_others_can_write(self):
        self.write("t.ini", GOOD, 0o666)
        run = self.run_wtcore("-t", "-c", "t.ini")
        self.expect(
            run,
            2,
            "",
            "t.ini: configuration file t.ini has mode 0666, allowed is one that group and others "
            "cannot write to; run: chmod go-w t.ini\n",
        )
        os.chmod(os.path.join(self.dir, "t.ini"), 0o644)
        os.chmod(self.dir, 0o777)
        run = self.run_wtcore("-t", "-c", "t.ini")
        self.assertEqual(run.returncode, 2)
        self.assertIn("mode 0777, where others could exchange it", run.stderr)
        os.chmod(self.dir, 0o1777)
        self.assertEqual(self.run_wtcore("-t", "-c", "t.ini").returncode, 0)

    def test_no_file(self):
        run = self.run_wtcore("-t", "-c", "none.ini")
        self.expect(
            run,
            2,
            "",
            "none.ini: there is no configuration file none.ini; write it, or name another one\n",
        )

    def test_key_files(self):
        path = os.path.join(self.dir, "alice.psk")
        for break_it, message in (
            (lambda: os.chmod(path, 0o640), "has mode 0640, allowed is 0600 or 0400"),
            (lambda: self.write("alice.psk", "c2VjcmV0\n"), "has 8 characters, allowed are 44"),
            (lambda: os.remove(path), "there is no key file"),
            (lambda: os.symlink("other", path), "is a symbolic link"),
            (lambda: (os.remove(path), os.mkfifo(path, 0o600)), "is a FIFO"),
        ):
            break_it()
            run = self.check(GOOD)
            self.assertEqual(run.returncode, 2)
            self.assertTrue(run.stderr.startswith("t.ini:9: [peer alice] psk_file: "), run.stderr)
            self.assertIn(message, run.stderr)
            self.assertNotIn("c2VjcmV0", run.stderr)

    def test_credentials_of_a_service(self):
        self.write_key("alice.psk", 0o440)
        self.assertEqual(self.check(GOOD).returncode, 2)
        env = {**os.environ, "WT_PLUGIN_DIR": PLUGINS, "CREDENTIALS_DIRECTORY": self.dir}
        self.assertEqual(self.check(GOOD, env=env).returncode, 0)

    def test_without_root(self):
        """A copy of all, because the build directory may be closed to others."""
        if os.geteuid() != 0:
            self.skipTest("every test of this file ran without root already")
        os.chmod(self.dir, 0o755)
        program = shutil.copy(WTCORE, self.dir)
        plugins = shutil.copytree(PLUGINS, os.path.join(self.dir, "lib"))
        home = os.path.join(self.dir, "home")
        os.mkdir(home, 0o700)
        self.write("home/t.ini", GOOD)
        self.write_key("home/alice.psk")
        for path in (home, f"{home}/t.ini", f"{home}/alice.psk"):
            os.chown(path, NOBODY, NOBODY)
        options = {
            "program": program,
            "plugins": plugins,
            "cwd": home,
            "user": NOBODY,
            "group": NOBODY,
            "extra_groups": [],
        }
        run = self.run_wtcore("-t", "-c", "t.ini", **options)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        # Root's files are as good as one's own; those of a third are not.
        os.chmod(f"{home}/t.ini", 0o644)
        os.chown(f"{home}/t.ini", 0, 0)
        self.assertEqual(self.run_wtcore("-t", "-c", "t.ini", **options).returncode, 0)
        os.chown(f"{home}/t.ini", 1, 1)
        run = self.run_wtcore("-t", "-c", "t.ini", **options)
        self.assertEqual(run.returncode, 2)
        self.assertIn(f"belongs to uid 1, allowed is root or uid {NOBODY}", run.stderr)
        os.chown(f"{home}/t.ini", NOBODY, NOBODY)
        os.chown(f"{home}/alice.psk", 1, 1)
        run = self.run_wtcore("-t", "-c", "t.ini", **options)
        self.assertEqual(run.returncode, 2)
        self.assertIn("permission denied; run as its owner or as root", run.stderr)


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    for test, reason in program.result.skipped:
        print(f"skipped: {test}: {reason}")
    sys.exit(not program.result.wasSuccessful())
