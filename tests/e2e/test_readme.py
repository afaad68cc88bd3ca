# SPDX-License-Identifier: MIT
"""What README.md shows works as it stands there."""

import os
import re
import subprocess

from harness import case, runner
from harness.daemon import environment, run, write_file
from harness.sandbox import PREFIX, SCRATCH
from harness.traffic import ping


def blocks(language):
    with open(os.path.join(runner.ROOT, "README.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)


class Readme(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.server_text, self.client_text = blocks("ini")
        code, key, _ = run("genpsk")
        self.assertEqual(code, 0)
        write_file("alice.psk", key)

    def test_two_hosts(self):
        self.hosts()
        near = self.daemon(self.server, "server", self.server_text).ready()
        hosts = f"{case.SERVER} vpn.example.net\n"
        far = self.daemon(self.client, "client", self.client_text, hosts=hosts)
        near.peer_up("alice")
        far.peer_up("office")
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_without_root(self):
        write_file("server.ini", self.server_text)
        write_file("client.ini", self.client_text.replace("vpn.example.net", case.SERVER))
        (script,) = (block for block in blocks("sh") if "unshare -Urn" in block)
        first, _, rest = script.partition("\n")
        self.assertTrue(first.startswith("unshare -Urn "))
        # The sandbox is in the place of the first line; a human is slower than a script.
        lines = rest.rstrip().split("\n")
        lines.insert(-1, "until " + lines[-1].replace("-c 3", "-c 1 -W 1") + "; do sleep 0.1; done")
        lines.append('kill %2 %3 "$client"; wait')
        env = environment()
        env["PATH"] = f"{PREFIX}:{env['PATH']}"
        log = os.path.join(SCRATCH, "readme.log")
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen(
                [
                    "timeout",
                    "--kill-after=5",
                    "40",
                    "unshare",
                    "-n",
                    "bash",
                    "-euc",
                    "\n".join(lines),
                ],
                cwd=SCRATCH,
                env=env,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            code = process.wait()
        with open(log, encoding="utf-8") as file:
            output = file.read()
        self.assertEqual(code, 0, output)
        self.assertIn(" 0% packet loss", output)


runner.main()
