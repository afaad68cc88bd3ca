# SPDX-License-Identifier: MIT
"""A running `wtcore`: its files, its start and end, and its log as events to wait for."""

import base64
import os
import re
import signal
import subprocess
import threading
import time

from .sandbox import PREFIX, SCRATCH

SANITIZER = re.compile(
    r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|WARNING: ThreadSan|Sanitizer has encountered"
)

# Generous, since a sanitizer build on a busy machine is slow; nothing waits this long by itself.
EVENT_S = 30


def write_file(name, text, mode=0o600):
    """Writes below the scratch directory and returns the path."""
    path = os.path.join(SCRATCH, name)
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    return path


def write_key(name, key=None):
    """A pre-shared key file, random unless given; returns the path."""
    return write_file(name, base64.b64encode(key or os.urandom(32)).decode() + "\n")


def write_key_pair(name):
    """(path of a private key file, public key), by `wtcore genkey` and `pubkey`."""
    code, private, said = run("genkey")
    assert code == 0, said
    path = write_file(name, private)
    with open(path, encoding="utf-8") as file:
        code, public, said = run("pubkey", stdin=file)
    assert code == 0, said
    return path, public.strip()


def ini(sections):
    """INI text from [(header, {key: value or None})]; None leaves the key out."""
    lines = []
    for header, keys in sections:
        lines.append(f"[{header}]")
        lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


class Daemon:
    """One `wtcore -c` in a namespace. The log is read all the time by a thread, so that a slow
    reader never stops the daemon."""

    def __init__(self, ns, name, text, env=None, wrap=(), hosts=None):
        self.ns = ns
        self.name = name
        self.config = write_file(f"{name}.ini", text)
        self.lines = []
        self._changed = threading.Condition()
        command = [*wrap, f"{PREFIX}/wtcore", "-c", self.config]
        if hosts:  # a hosts file for this process alone
            script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
            hosts_file = write_file(f"{name}.hosts", hosts, 0o644)
            command = ["unshare", "-m", "sh", "-c", script, "sh", hosts_file, *command]
        self.process = subprocess.Popen(
            ns.command(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(env),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for raw in self.process.stderr:
            with self._changed:
                self.lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def mark(self):
        """A place in the log; expect() can start from it."""
        with self._changed:
            return len(self.lines)

    def expect(self, pattern, since=0, timeout=EVENT_S, times=1):
        """Waits for the `times`-th line that matches; returns its match. AssertionError if the
        daemon ends or the time is over before that."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [m for m in map(wanted.search, self.lines[since:]) if m]
                if len(found) >= times:
                    return found[times - 1]
                left = deadline - time.monotonic()
                if not self._reader.is_alive():
                    raise AssertionError(f"{self.name} ended without a line like: {pattern}")
                if left <= 0:
                    raise AssertionError(f"{self.name}: no line in {timeout} s like: {pattern}")
                self._changed.wait(min(left, 1))

    def count(self, pattern, since=0):
        with self._changed:
            return sum(1 for line in self.lines[since:] if re.search(pattern, line))

    def ready(self):
        self.expect(r"info: ready: ")
        return self

    def peer_up(self, peer, since=0, timeout=EVENT_S):
        return self.expect(rf"info: peer {peer} up: (.*)", since, timeout)

    def counters(self):
        """What SIGUSR1 logs: ({name: value}, {peer: {name: value}})."""
        since = self.mark()
        self.signal(signal.SIGUSR1)
        whole = _pairs(self.expect(r"info: counters: (.*)", since).group(1))
        peers = {}
        for peer in re.findall(r"^\[peer (.*)\]$", _read_text(self.config), re.MULTILINE):
            line = self.expect(rf"info: peer {re.escape(peer)}: (state=.*)", since)
            peers[peer] = _pairs(line.group(1))
        return whole, peers

    def reaches(self, peer, name, least):
        """Waits until a counter of a peer is that high."""
        deadline = time.monotonic() + EVENT_S
        while (count := self.counters()[1][peer].get(name, 0)) < least:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: {name} of {peer} is {count}, not {least}")
            time.sleep(0.1)

    def descriptors(self):
        """How many files it has open; -1 where the kernel does not say (without root)."""
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except PermissionError:
            return -1

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=EVENT_S):
        """The exit code; negative for a signal."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def stop(self):
        """An orderly end; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def running(self):
        return self.process.poll() is None

    def release(self):
        """For clean-up: ends it in any state and closes the pipe."""
        if self.running():
            self.signal(signal.SIGCONT)
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stderr.close()

    def sanitized(self, library="san.so"):
        """Whether a sanitizer runs with it, which takes memory of its own; "libtsan.so": the one that
        takes most time, too."""
        return library in _read_text(f"/proc/{self.process.pid}/maps")

    def sanitizer_report(self):
        """The report of a sanitizer in the log, or ""."""
        for at, line in enumerate(self.lines):
            if SANITIZER.search(line):
                return "\n".join(self.lines[at : at + 60])
        return ""


def run(*arguments, ns=None, env=None, wrap=(), stdin=None, timeout=EVENT_S):
    """Runs `wtcore` to its end; returns (exit code, standard output, standard error)."""
    command = [*wrap, f"{PREFIX}/wtcore", *arguments]
    done = subprocess.run(
        ns.command(*command) if ns else command,
        capture_output=True,
        stdin=stdin,
        text=True,
        timeout=timeout,
        env=environment(env),
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def environment(extra=None):
    env = {k: v for k, v in os.environ.items() if k.startswith(("PATH", "LANG", "LC_"))}
    env["WT_PLUGIN_DIR"] = f"{PREFIX}/plugins"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    env["ASAN_OPTIONS"] = "detect_leaks=1:verify_asan_link_order=0"
    env.update(extra or {})
    return env


def _read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _pairs(text):
    pairs = (word.partition("=") for word in text.split())
    return {name: int(value) if value.isdigit() else value for name, _, value in pairs}
