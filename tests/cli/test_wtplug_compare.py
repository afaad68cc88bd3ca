# SPDX-License-Identifier: MIT
"""`wtplug compare` from outside: what it proves, what it measures, and the page it writes."""

import html.parser
import json
import os
import re
import unittest
import xml.dom.minidom

from plug import Plug

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


class Compare(Plug):
    def read(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8") as file:
            return file.read()

    def compare(self, *files, code=0):
        run = self.run_plug(
            "compare", "--quick", "--json", "c.json", "--html", "c.html", *files, timeout=300
        )
        self.assertEqual(run.returncode, code, run.stderr + run.stdout)
        return json.loads(self.read("c.json")), self.read("c.html"), run.stdout

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
        self.assertEqual(plugins["hmac"]["reason"], "it is not a crypto plugin")
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
            self.assertRegex(plot, r"bytes \(logarithmic\)|>threads<")
            self.assertRegex(plot, r"MB/s|ns \(logarithmic\)")
            self.assertIn("aesgcm-sodium", plot)
            width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', plot).groups())
            # Nothing lies outside, and no number is none.
            for x, y in re.findall(r'x[12]?="(-?[\d.]+)" y[12]?="(-?[\d.]+)"', plot):
                self.assertTrue(0 <= float(x) <= width and 0 <= float(y) <= height, plot)
            self.assertNotRegex(plot, r"nan|inf\b")

    def test_one_that_is_different_fails(self):
        found, page, _ = self.compare(
            self.plugin("crypto-aesgcm-openssl"), self.fixture("crypto-faulty-one-length"), code=1
        )
        pair = found["equality"]["pairs"][0]
        self.assertEqual(pair["verdict"], "different")
        self.assertIn("1361", pair["text"])
        self.assertIn('<td class="bad">different</td>', page)

    def test_a_crash_is_no_end_of_the_others(self):
        found, page, _ = self.compare(
            self.plugin("crypto-aesgcm-openssl"), self.fixture("crypto-faulty-traps"), code=1
        )
        self.assertEqual(found["equality"]["pairs"][0]["verdict"], "different")
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
            for path, reason in (("/dev/full", "No space left"), ("none/x", "No such file")):
                run = self.run_plug("compare", "--quick", option, path, good)
                self.assertEqual(run.returncode, 1)
                self.assertIn(f"wtplug compare: {path}: {reason}", run.stderr)

    def test_wrong_arguments(self):
        for arguments, message in (
            (["--nosuch"], "unknown option --nosuch"),
            (["--html"], "a value is missing after --html"),
            (["--html", "-", "--json", "-"], "--html and --json cannot both be -"),
        ):
            run = self.run_plug("compare", *arguments)
            self.assertEqual(
                (run.returncode, run.stdout, run.stderr),
                (2, "", f"wtplug compare: {message}; run: wtplug --help\n"),
            )


if __name__ == "__main__":
    unittest.main()
