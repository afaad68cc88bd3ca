# SPDX-License-Identifier: MIT
"""`wtplug compare` from outside: what it proves, what it measures, and the page it writes."""

import html.parser
import json
import os
import re
import signal
import subprocess
import time
import unittest
import xml.dom.minidom

from plug import WTPLUG, Plug

WTCORE = os.environ["WT_CORE"]
NOBODY = 65534

LENGTHS = {16, 64, 128, 256, 512, 1024, 1420, 2048, 4096, 8192, 16384, 32768, 65535}


class Page(html.parser.HTMLParser):
    """Sees that every element is closed, and what it refers to."""

    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.references, self.scripts = [], [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.references += [value for key, value in attrs if key in ("src", "href", "xlink:href")]
        self.scripts += tag == "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        # Cells and rows of a table may be left open; these are not.
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def running(prefix):
    """Processes whose command line has a word that begins so."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                zombie = file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            continue
        if not zombie and any(word.startswith(prefix) for word in words):
            found.add(int(pid))
    return found


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Comparing(Plug):
    def read(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8") as file:
            return file.read()

    def compare(self, *files, code=0):
        run = self.run_plug(
            "compare", "--quick", "--json", "c.json", "--html", "c.html", *files, timeout=300
        )
        self.assertEqual(run.returncode, code, run.stderr + run.stdout)
        return json.loads(self.read("c.json")), self.read("c.html"), run.stdout


class Compare(Comparing):
    def test_two_backends_and_what_cannot_be_compared(self):
        one, two = self.plugin("crypto-aesgcm-openssl"), self.plugin("crypto-aesgcm-sodium")
        found, page, text = self.compare(
            one,
            two,
            self.fixture("crypto-toy"),
            self.fixture("crypto-unavailable"),
            self.plugin("auth-hmac"),
        )
        plugins = {p["name"]: p for p in found["plugins"]}
        self.assertIn("no such?instruction", plugins["unavailable"]["reason"])
        self.assertEqual(
            plugins["hmac"]["reason"], "it is not a crypto plugin, and others are not compared"
        )
        self.assertIn("OpenSSL 3", plugins["aesgcm-openssl"]["setup"]["library"])
        self.assertGreater(plugins["aesgcm-openssl"]["setup"]["context_bytes"], 0)

        verdicts = {(p["a"], p["b"]): p for p in found["equality"]["pairs"]}
        equal = verdicts[("aesgcm-openssl", "aesgcm-sodium")]
        self.assertEqual(equal["verdict"], "equal")
        # 4097 lengths in 4 forms, and more.
        self.assertGreater(equal["cases"], 4097 * 4)
        self.assertEqual(found["equality"]["cases"], equal["cases"])
        self.assertEqual(verdicts[("aesgcm-openssl", "toy")]["verdict"], "other algorithm")
        self.assertEqual({a["verdict"] for a in found["equality"]["known_answers"]}, {"right"})

        for name in ("aesgcm-openssl", "aesgcm-sodium", "toy"):
            for operation in ("seal", "open"):
                rows = [
                    row
                    for row in found["speed"]
                    if (row["plugin"], row["operation"]) == (name, operation)
                ]
                self.assertEqual({row["bytes"] for row in rows if row["batch"] == 1}, LENGTHS)
                self.assertEqual(
                    {row["bytes"] for row in rows if row["batch"] == 32},
                    {n for n in LENGTHS if n <= 4096},
                )
                for row in rows:
                    self.assertEqual(len(row["samples"]), found["run"]["rounds"])
                    self.assertEqual(row["best"], min(row["samples"]))
                    self.assertAlmostEqual(row["mb_s"], row["bytes"] * 1000 / row["best"])
        self.assertEqual(
            {row["threads"] for row in found["threads"]},
            set(range(1, found["run"]["threads"] + 1)),
        )
        self.assertIn("not available here because: cannot work on this machine", text)
        self.check_page(page)

    def check_page(self, page):
        parsed = Page(page)
        self.assertEqual((parsed.open, parsed.references, parsed.scripts), ([], [], 0))
        self.assertIn("prefers-color-scheme:dark", page)
        self.assertIn("not available here because: cannot work on this machine", page)
        self.assertNotIn("url(", page)
        plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        self.assertGreaterEqual(len(plots), 4)
        for plot in plots:
            xml.dom.minidom.parseString(plot)
            self.assertRegex(plot, r"bytes \(logarithmic\)|>threads<|median")
            self.assertRegex(plot, r"MB/s|ns \(logarithmic\)|seconds per GB|\xb5s, median")
            self.assertRegex(plot, r'class="range s\d"')
            self.assertIn("aesgcm-sodium", plot)
            width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', plot).groups())
            # Nothing lies outside, and no number is none.
            for x, y in re.findall(r'x[12]?="(-?[\d.]+)" y[12]?="(-?[\d.]+)"', plot):
                self.assertTrue(0 <= float(x) <= width and 0 <= float(y) <= height, plot)
            self.assertNotRegex(plot, r"nan|inf\b")

    def test_no_tunnel_has_a_line_that_says_why(self):
        reason = "--no-tunnel was given"
        found, page, text = self.compare(self.plugin("crypto-aesgcm-openssl"), "--no-tunnel")
        self.assertEqual(found["tunnel"], {"available": False, "reason": reason})
        self.assertIn(f"not available here because: {reason}", text)
        self.assertIn(f"<p>not available here because: {reason}</p>", page)
        Page(page)

    def script(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def test_what_was_named_and_is_not_there_is_said_before_anything_is_measured(self):
        good = self.plugin("crypto-aesgcm-openssl")
        self.script("noise", "neither a script nor a program\n")
        self.script("grumpy", "#!/bin/sh\necho out of order >&2\nexit 1\n")
        self.script("killed", "#!/bin/sh\nkill -9 $$\n")
        for arguments, code, message in (
            (["none.so"], 4, "none.so: cannot be opened: No such file or directory; name a"),
            (["plugins"], 4, "plugins: is a directory; name a plugin's file in it"),
            (["--wtcore", "none"], 2, "--wtcore none: No such file or directory; name the daemon"),
            (["--wtcore", "plugins"], 2, "--wtcore plugins: cannot be run: Permission denied; "),
            (["--wtcore", "noise"], 2, "--wtcore noise: cannot be run: Exec format error; name a"),
            (
                ["--wtcore", "grumpy"],
                2,
                "--wtcore grumpy: does not print its version when asked with --version, but says: "
                "out of order; name a wtcore that works here",
            ),
            (["--wtcore", "killed"], 2, "--wtcore killed: does not print its version when asked"),
            (["--html", "none/x"], 2, "none/x: No such file or directory; name a file that can be"),
            (["--json", "none/x"], 2, "none/x: No such file or directory; name a file that can be"),
            (["--json", "plugins"], 2, "plugins: Is a directory; name a file that can be written"),
        ):
            with self.subTest(arguments):
                # Measuring at full length takes longer than this.
                run = self.run_plug("compare", good, *arguments)
                self.assertEqual((run.returncode, run.stdout), (code, ""))
                self.assertTrue(
                    run.stderr.startswith(f"wtplug compare: {message}"), run.stderr
                )
                self.assertEqual(run.stderr.count("\n"), 1)

    @unittest.skipUnless(os.geteuid() == 0, "becomes another user, for which it must be root")
    def test_without_root_there_is_a_line_for_it(self):
        os.chmod(self.dir, 0o777)
        run = self.run_plug(
            "compare",
            "--quick",
            "--wtcore",
            WTCORE,
            "--json",
            "c.json",
            self.plugin("crypto-aesgcm-openssl"),
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            timeout=300,
        )
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(
            "tunnels            not available here because: network namespaces and TUN devices "
            "need root; run it as root, or with --no-tunnel\n",
            run.stdout,
        )
        self.assertFalse(json.loads(self.read("c.json"))["tunnel"]["available"])

    def test_one_that_is_different_fails(self):
        found, page, _ = self.compare(
            self.plugin("crypto-aesgcm-openssl"), self.fixture("crypto-faulty-one-length"), code=1
        )
        pair = found["equality"]["pairs"][0]
        self.assertEqual(pair["verdict"], "different")
        self.assertIn("1361", pair["text"])
        self.assertIn("at one length only", pair["text"])
        self.assertRegex(page, r'<td class="bad">different<br><small>in comparison \d+<')
        self.assertIn('<td class="bad">no</td>', page)
        self.assertIn('class="bad">aesgcm-openssl and faulty-one-length: ', page)

    def test_a_crash_is_no_end_of_the_others(self):
        found, page, _ = self.compare(
            self.plugin("crypto-aesgcm-openssl"), self.fixture("crypto-faulty-traps"), code=1
        )
        pair = found["equality"]["pairs"][0]
        self.assertEqual((pair["verdict"], pair["text"]), ("different", "it crashed: SIGILL"))
        self.assertTrue(found["speed"])
        Page(page)

    def test_the_plugins_of_the_directory(self):
        run = self.run_plug("compare", "--quick")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn(f"{self.plugins}: there is no crypto plugin", run.stderr)
        self.install(self.plugin("crypto-aesgcm-openssl"))
        self.install(self.plugin("transport-tcp"))
        run = self.run_plug("compare", "--quick", "--json", "-")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        names = [plugin["name"] for plugin in json.loads(run.stdout)["plugins"]]
        self.assertEqual(names, ["aesgcm-openssl"])

    def test_what_cannot_be_written_is_a_failure(self):
        good = self.plugin("crypto-aesgcm-openssl")
        for option in ("--html", "--json"):
            run = self.run_plug("compare", "--quick", "--no-tunnel", option, "/dev/full", good)
            self.assertEqual(run.returncode, 1)
            self.assertIn("wtplug compare: /dev/full: No space left", run.stderr)
            # What could be printed was.
            self.assertIn("aesgcm-openssl", run.stdout)

    def test_nothing_to_compare(self):
        run = self.run_plug("compare", "--quick", "--no-tunnel", self.plugin("auth-hmac"))
        self.assertEqual(run.returncode, 4)
        self.assertIn("not available here because: it is not a crypto plugin", run.stdout)

    def test_wrong_arguments(self):
        for arguments, message in (
            (["--nosuch"], "unknown option --nosuch"),
            (["--html"], "a value is missing after --html"),
            (["--html", "-", "--json", "-"], "--html and --json cannot both be -"),
            (["--html", "x", "--json", "x"], "--html and --json cannot both be x"),
            (["--wtcore", "x", "--no-tunnel"], "--wtcore or --no-tunnel, not both"),
        ):
            run = self.run_plug("compare", *arguments)
            self.assertEqual(
                (run.returncode, run.stdout, run.stderr),
                (2, "", f"wtplug compare: {message}; run: wtplug --help\n"),
            )


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(os.path.exists("/dev/net/tun"), "no /dev/net/tun on this machine")
class Tunnels(Comparing):
    """Speeds are not judged here: what was measured, and that bytes came through."""

    def install_daemons(self, *names):
        for name in names or ("transport-tcp", "transport-udp", "auth-hmac"):
            self.install(self.plugin(name))

    def compare_tunnels(self, *files, code=0):
        found, page, text = self.compare("--wtcore", WTCORE, *files, code=code)
        Page(page)
        return found["tunnel"], page, text

    def test_each_backend_and_a_pair_over_both_transports(self):
        self.install_daemons()
        one, two, toy = "aesgcm-openssl", "aesgcm-sodium", "toy"
        tunnel, page, text = self.compare_tunnels(
            self.plugin(f"crypto-{one}"), self.plugin(f"crypto-{two}"), self.fixture("crypto-toy")
        )
        self.assertTrue(tunnel["available"], tunnel)
        self.assertEqual(tunnel["wtcore"], os.path.realpath(WTCORE))
        self.assertEqual(
            [(row["a"], row["b"], row["transport"]) for row in tunnel["rows"]],
            [
                (a, b, transport)
                for transport in ("tcp", "udp")
                for a, b in ((one, one), (two, two), (toy, toy), (one, two))
            ],
        )
        for row in tunnel["rows"]:
            self.assertTrue(row["available"], row)
            # More than fits into buffers of the two ends.
            self.assertGreater(row["bytes"], 0)
            for key, best in (("mb_s", max), ("cpu_s_gb", min), ("rtt_us", min)):
                samples = row[key]["samples"]
                self.assertEqual(len(samples), tunnel["rounds"])
                self.assertGreater(min(samples), 0, row)
                self.assertEqual(row[key]["best"], best(samples))
                self.assertEqual(row[key]["median"], sorted(samples)[len(samples) // 2])
        self.check_bars(page)
        self.assertRegex(text, r"\naesgcm-openssl - aesgcm-sodium, udp +\d+ +\d+\.\d{3} +\d+\.\d\n")

    def check_bars(self, page):
        plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)[-3:]
        for plot in plots:
            xml.dom.minidom.parseString(plot)
            self.assertEqual(plot.count('class="bar f'), 8)
            # Each bar, and each of its samples.
            self.assertEqual(plot.count('class="dot s'), 24)
            self.assertIn("aesgcm-openssl - aesgcm-sodium, tcp", plot)
            for x, width in re.findall(r'class="bar f\d" x="(\S+)" y="\S+" width="(\S+)"', plot):
                self.assertTrue(float(width) > 0 and float(x) + float(width) <= 760, plot)

    def test_a_transport_that_is_not_there_has_a_row(self):
        self.install_daemons("transport-udp", "auth-hmac")
        tunnel, page, text = self.compare_tunnels(self.plugin("crypto-aesgcm-openssl"))
        tcp, udp = tunnel["rows"]
        self.assertFalse(tcp["available"])
        self.assertIn("tcp", tcp["reason"])
        self.assertTrue(udp["available"])
        self.assertRegex(text, r"\ntunnels over tcp +not available here because: .*tcp")
        self.assertIn('<td class="t" colspan="4">not available here because: ', page)

    def test_without_the_auth_plugin_there_is_none(self):
        self.install_daemons("transport-tcp")
        tunnel, _, _ = self.compare_tunnels(self.plugin("crypto-aesgcm-openssl"))
        self.assertFalse(tunnel["available"])
        self.assertIn("hmac", tunnel["reason"])

    def test_a_tunnel_that_does_not_come_up_is_a_failure(self):
        self.install_daemons()
        false = os.path.join(self.dir, "false")
        with open(false, "w", encoding="utf-8") as file:
            file.write(
                '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho error: out of order >&2\nexit 1\n'
            )
        os.chmod(false, 0o755)
        found, page, text = self.compare(
            "--wtcore", "./false", self.plugin("crypto-aesgcm-openssl"), code=1
        )
        # Whichever is gone first.
        complaint = "no tunnel; the end that (dials|listens): error: out of order"
        for row in found["tunnel"]["rows"]:
            self.assertRegex(row["failure"], f"^{complaint}$")
        self.assertRegex(text, f"failed: {complaint}\n")
        self.assertIn('<td class="t bad" colspan="4">failed: no tunnel', page)

    def start_and_wait_for_daemons(self):
        process = subprocess.Popen(
            [WTPLUG, "compare", "--wtcore", WTCORE, self.plugin("crypto-aesgcm-openssl")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "WT_PLUGIN_DIR": self.plugins},
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        daemons = set()

        def started():
            daemons.update(pid for pid in running("/dev/shm/") if descends(pid, process.pid))
            return len(daemons) >= 4 or process.poll() is not None

        self.assertTrue(wait_for(started, 120))
        self.assertIsNone(process.poll())
        return process, daemons

    def test_nothing_is_left_when_it_is_ended(self):
        self.install_daemons()
        for number in (signal.SIGINT, signal.SIGKILL):
            outside = set(os.listdir("/dev/shm")), set(os.listdir("/tmp"))
            process, daemons = self.start_and_wait_for_daemons()
            # What they have is theirs alone.
            self.assertEqual(set(os.listdir("/dev/shm")), outside[0])
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            self.assertTrue(wait_for(lambda: not daemons & running("/dev/shm/")), daemons)
            self.assertEqual(set(os.listdir("/dev/shm")), outside[0])
            # What another wtplug has there just now goes by itself.
            left = {name for name in set(os.listdir("/tmp")) - outside[1]
                    if name.startswith("wtplug")}
            self.assertTrue(wait_for(lambda: not left & set(os.listdir("/tmp"))), left)


def descends(pid, ancestor):
    while pid > 1 and pid != ancestor:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                pid = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            return False
    return pid == ancestor


if __name__ == "__main__":
    unittest.main()
