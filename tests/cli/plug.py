# SPDX-License-Identifier: MIT
"""What the tests of `wtplug` share: the command, the built plugins, a directory of their own."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

WTPLUG = os.environ["WT_PLUG"]
PLUGINS = os.environ["WT_BUILT_PLUGINS"]
FIXTURES = os.environ["WT_BUILT_FIXTURES"]


def abi():
    with open(os.environ["WT_ABI_HEADER"], encoding="utf-8") as file:
        return ".".join(re.findall(r"#define WT_ABI_(?:MAJOR|MINOR) (\d+)", file.read()))


class Plug(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="wt-test-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.plugins = os.path.join(self.dir, "plugins")
        os.mkdir(self.plugins, 0o755)

    def run_plug(self, *arguments, timeout=300, **options):
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            [WTPLUG, *arguments],
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=timeout,
            cwd=self.dir,
            env={**os.environ, "WT_PLUGIN_DIR": self.plugins},
            **options,
        )

    def run_json(self, *arguments, code=0, **options):
        run = self.run_plug(*arguments, "--json", **options)
        self.assertEqual(run.returncode, code, run.stderr + run.stdout)
        return json.loads(run.stdout)

    def install(self, path, name=None, mode=0o644):
        """A copy where only its owner may write, as the loader demands it."""
        to = os.path.join(self.plugins, name or os.path.basename(path))
        shutil.copyfile(path, to)
        os.chmod(to, mode)
        return to

    def fixture(self, name):
        return os.path.join(FIXTURES, f"{name}.so")

    def plugin(self, name):
        return os.path.join(PLUGINS, f"{name}.so")
