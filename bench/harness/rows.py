# SPDX-License-Identifier: MIT
"""What a row of the table is: something between the two hosts that carries packets.

A row is started anew for each round, and ends with it.
"""

import os
import shutil
import signal
import subprocess
import time

from tests.e2e.harness.daemon import write_file
from tests.e2e.harness.sandbox import SCRATCH

from . import lab as hosts

UP_S = 20  # for the first packet to come through
END_S = 5  # for a process to end when asked


class Failed(Exception):
    """A row does not run; the text says why."""


class Row:
    """name: for the command line and the results. title: for people. outer: what carries it,
    "tcp", "udp" or None for the link itself. extra: without being asked for, it is measured in
    the headline series of a whole run only. on_bad_ways: the same for ways that lose."""

    name = title = ""
    outer = None
    extra = on_bad_ways = False
    # where the streams go, as their sender sees it
    server_address, client_address = hosts.SERVER_IN, hosts.CLIENT_IN

    def missing(self):
        """Why the row cannot run on this machine, or None."""
        return None

    def version(self):
        return ""

    def start(self, lab, congestion):
        """`congestion`: for the row's own TCP connection; lab has it as the default."""

    def pids(self):
        """The processes at both ends."""
        return []

    def stop(self):
        pass

    def wait_up(self, lab):
        """Until a packet comes back from the other end."""
        end = time.monotonic() + UP_S
        ping = lab.client.command("ping", "-n", "-q", "-c1", "-W0.2", self.server_address)
        while subprocess.run(ping, capture_output=True, check=False).returncode != 0:
            if time.monotonic() > end:
                raise Failed(f"nothing came through in {UP_S} s; {self.last_words()}")
            time.sleep(0.05)

    def last_words(self):
        """What its processes said last."""
        return "it has no log"


class Veth(Row):
    name, title = "veth", "bare veth, no tunnel"
    on_bad_ways = True
    server_address, client_address = hosts.SERVER, hosts.CLIENT


class Program(Row):
    """A row of programs that are installed on the machine: processes, logs and scratch files."""

    programs = ()  # that must be installed
    package = ""  # which brings them

    def __init__(self):
        self._processes = []
        self._logs = []

    def missing(self):
        lacking = [program for program in self.programs if not shutil.which(program)]
        if lacking:
            return f"{', '.join(lacking)} not installed (scripts/install-deps {self.package})"
        return None

    def scratch(self, name, text="", mode=0o600):
        """A file of this row; returns its path."""
        return write_file(f"{self.name}-{name}", text, mode)

    def scratch_folder(self, name, files):
        """A folder of scratch files {path in it: text}; returns its path."""
        folder = os.path.join(SCRATCH, f"{self.name}-{name}")
        for path, text in files.items():
            full = os.path.join(folder, path)
            os.makedirs(os.path.dirname(full), mode=0o700, exist_ok=True)
            write_file(full, text, 0o700)
        return folder

    def wait_until(self, true, what):
        """Until true() is, which is `what` in a message."""
        end = time.monotonic() + UP_S
        while not true():
            if time.monotonic() > end:
                raise Failed(f"{what}: not after {UP_S} s; {self.last_words()}")
            time.sleep(0.01)

    def wait_for_word(self, *words):
        """Until the process that was spawned last has said one of them."""

        def said():
            with open(self._logs[-1], encoding="utf-8", errors="replace") as file:
                text = file.read()
            return any(word in text for word in words)

        self.wait_until(said, f'"{words[0]}" in its log')

    def run(self, ns, *command, stdin=None):
        """A short command inside `ns`; returns what it printed."""
        done = subprocess.run(
            ns.command(*command), input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Failed(f"{command[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout

    def spawn(self, ns, *command, env=None):
        """A process that runs until stop()."""
        log = os.path.join(SCRATCH, f"{self.name}-{ns.name}.log")
        self._logs.append(log)
        with open(log, "wb") as file:
            process = subprocess.Popen(
                ns.command(*command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def pids(self):
        return [process.pid for process in self._processes]

    def stop(self):
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        self._logs = []

    def last_words(self):
        lines = []
        for log in self._logs:
            with open(log, encoding="utf-8", errors="replace") as file:
                lines += file.read().strip().splitlines()[-2:]
        return "its last words: " + (" | ".join(lines) or "none")
