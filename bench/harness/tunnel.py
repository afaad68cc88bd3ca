# SPDX-License-Identifier: MIT
"""The rows of this project: one for each crypto plugin, and one without a cipher, over TCP and over
UDP."""

import os

from tests.e2e.harness import daemon
from tests.e2e.harness.sandbox import PREFIX

from .lab import CLIENT_IN, SERVER, SERVER_IN
from .rows import Failed, Row

PORT = 4433


class Tunnel(Row):
    """Two `wtcore`: the client dials the server."""

    def __init__(self, transport, crypto, title, insecure=False, extra=False, on_bad_ways=False):
        super().__init__()
        prefix = "wt-udp" if transport == "udp" else "wt"
        self.name = f"{prefix}-{crypto.removeprefix('aesgcm-')}"
        self.title = f"this tunnel, {transport.upper()}, {title}"
        self.outer = transport
        self.extra, self.on_bad_ways = extra, on_bad_ways
        self._crypto = crypto
        self._insecure = insecure
        self._daemons = []

    def _ini(self, address, congestion, transport, peer):
        if self.outer == "tcp":
            transport = {"congestion": congestion, **transport}
        tunnel = {"interface": "wt0", "address": f"{address}/24"}
        crypto = {"plugin": self._crypto}
        if self._insecure:
            tunnel["self_test"] = "no"
            crypto["allow_insecure"] = "yes"
        key = daemon.write_key(f"{self.name}.psk", b"benchmark" + bytes(23))
        return daemon.ini(
            [
                ("tunnel", tunnel),
                ("crypto", crypto),
                (f"transport {self.outer}", transport),
                ("auth hmac", {}),
                ("peer other", {"psk_file": key, **peer}),
            ]
        )

    def _server(self, congestion):
        return self._ini(
            SERVER_IN,
            congestion,
            {"listen": f"{SERVER}:{PORT}"},
            {"allowed_ips": f"{CLIENT_IN}/32"},
        )

    def _client(self, congestion):
        return self._ini(
            CLIENT_IN,
            congestion,
            {},
            {"allowed_ips": f"{SERVER_IN}/32", "endpoint": f"{self.outer}://{SERVER}:{PORT}"},
        )

    def missing(self):
        if not os.path.exists(f"{PREFIX}/plugins/crypto-{self._crypto}.so"):
            return f"crypto-{self._crypto} was not built: its library was not found"
        config = daemon.write_file(f"{self.name}.ini", self._client(None))
        code, _, errors = daemon.run("-t", "-c", config)
        return errors.strip().splitlines()[-1] if code != 0 else None

    def version(self):
        return daemon.run("--version")[1].partition("\n")[0]

    def start(self, lab, congestion):
        for ns, name, text in (
            (lab.server, "server", self._server(congestion)),
            (lab.client, "client", self._client(congestion)),
        ):
            self._daemons.append(daemon.Daemon(ns, f"{self.name}-{name}", text))
            try:
                self._daemons[-1].ready()
            except AssertionError as error:
                raise Failed(f"{error}; {self.last_words()}") from error

    def pids(self):
        return [end.process.pid for end in self._daemons]

    def stop(self):
        for end in reversed(self._daemons):
            end.release()
        self._daemons = []

    def last_words(self):
        return "its last words: " + " | ".join(
            line for end in self._daemons for line in end.lines[-2:]
        )


ROWS = [
    Tunnel("tcp", "aesgcm-openssl", "OpenSSL", on_bad_ways=True),
    Tunnel("tcp", "aesgcm-sodium", "libsodium", extra=True),
    Tunnel("tcp", "aesgcm-ipsecmb", "ipsec-mb"),
    Tunnel("tcp", "none", "no cipher (test plugin)", insecure=True),
    Tunnel("udp", "aesgcm-openssl", "OpenSSL", on_bad_ways=True),
    Tunnel("udp", "aesgcm-sodium", "libsodium", extra=True),
    Tunnel("udp", "aesgcm-ipsecmb", "ipsec-mb"),
    Tunnel("udp", "none", "no cipher (test plugin)", insecure=True, extra=True),
]
