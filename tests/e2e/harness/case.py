# SPDX-License-Identifier: MIT
"""The base of all end-to-end tests: two or more hosts, their daemons, and what every test checks
at its end (no sanitizer report; the logs are printed when it failed)."""

import time
import unittest

from .daemon import EVENT_S, Daemon, ini, write_key
from .network import Namespace, link
from .packet_relay import between
from .relay import Relay
from .traffic import ping

PORT = 4433
SERVER, CLIENT = "10.9.0.1", "10.9.0.2"  # outside
SERVER6, CLIENT6 = "fd09::1", "fd09::2"
SERVER_IN, CLIENT_IN = "10.8.0.1", "10.8.0.2"  # inside
SERVER_IN6, CLIENT_IN6 = "fd08::1", "fd08::2"

BACKENDS = ("aesgcm-openssl", "aesgcm-sodium")
LOG_TAIL = 60


def server_ini(
    peers,
    crypto=BACKENDS[0],
    tunnel=None,
    transport=None,
    auth=None,
    methods=None,
    kinds=("tcp",),
):
    """peers: {name: {key: value}}. Every dictionary adds to the defaults or overrides them;
    methods: {NAME: {key: value}} instead of [auth hmac]; kinds: of transports."""
    return ini(
        [
            (
                "tunnel",
                {
                    "interface": "wt0",
                    "address": f"{SERVER_IN}/24, {SERVER_IN6}/64",
                    **(tunnel or {}),
                },
            ),
            ("crypto", {"plugin": crypto}),
            *(
                (
                    f"transport {kind}",
                    {"listen": f"0.0.0.0:{PORT}, [::]:{PORT}", **(transport or {})},
                )
                for kind in kinds
            ),
            *((f"auth {name}", keys) for name, keys in (methods or {"hmac": auth or {}}).items()),
            *((f"peer {name}", keys) for name, keys in peers.items()),
        ]
    )


def client_ini(
    key,
    crypto=BACKENDS[0],
    tunnel=None,
    transport=None,
    auth=None,
    methods=None,
    kinds=("tcp",),
    **peer,
):
    """A client with the one peer "office", dialled by the first of the kinds of transports; key
    None: without psk_file."""
    return ini(
        [
            (
                "tunnel",
                {
                    "interface": "wt0",
                    "address": f"{CLIENT_IN}/24, {CLIENT_IN6}/64",
                    **(tunnel or {}),
                },
            ),
            ("crypto", {"plugin": crypto}),
            *((f"transport {kind}", transport or {}) for kind in kinds),
            *((f"auth {name}", keys) for name, keys in (methods or {"hmac": auth or {}}).items()),
            (
                "peer office",
                {
                    "endpoint": f"{kinds[0]}://{SERVER}:{PORT}",
                    "psk_file": key,
                    "allowed_ips": "10.8.0.0/24, fd08::/64",
                    **peer,
                },
            ),
        ]
    )


class TunnelTest(unittest.TestCase):
    """Namespaces, daemons and relays made through this class end with the test."""

    kinds = ("tcp",)  # of transports, what the daemons of start_server and start_client have

    def setUp(self):
        self.daemons = []
        self.addCleanup(self._check_sanitizers)

    def run(self, result=None):
        problems = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > problems:
            for daemon in self.daemons:
                print(f"  --- log of {daemon.name}")
                for line in daemon.lines[-LOG_TAIL:]:
                    print(f"  {line}")

    def _check_sanitizers(self):
        for daemon in self.daemons:
            self.assertEqual(daemon.sanitizer_report(), "", f"in the log of {daemon.name}")

    def namespace(self, name):
        ns = Namespace(name)
        self.addCleanup(ns.delete)
        return ns

    def daemon(self, ns, name, text, **options):
        daemon = Daemon(ns, name, text, **options)
        self.addCleanup(daemon.release)
        self.daemons.append(daemon)
        return daemon

    def relay(self, ns, listen, target=(SERVER, PORT)):
        relay = Relay(ns, listen, target)
        self.addCleanup(relay.release)
        return relay

    def hosts(self):
        """The two hosts of most tests: self.server and self.client, joined by "out"."""
        self.server, self.client = self.namespace("server"), self.namespace("client")
        link(
            self.server,
            self.client,
            "out",
            "out",
            (f"{SERVER}/24", f"{SERVER6}/64"),
            (f"{CLIENT}/24", f"{CLIENT6}/64"),
        )

    def hosts_apart(self, **options):
        """The same with a packet relay on the way: self.cable, "up" from the client to the server."""
        self.server, self.client = self.namespace("server"), self.namespace("client")
        self.cable = between(
            self.namespace("middle"),
            self.client,
            self.server,
            (f"{CLIENT}/24", f"{CLIENT6}/64"),
            (f"{SERVER}/24", f"{SERVER6}/64"),
            **options,
        )
        self.addCleanup(self.cable.release)

    def alice(self, key, **more):
        """The server's entry for the client."""
        return {
            "alice": {"psk_file": key, "allowed_ips": f"{CLIENT_IN}/32, {CLIENT_IN6}/128", **more}
        }

    def tunnel(self, server=None, client=None):
        """Both ends up, connected directly; options as of server_ini and client_ini."""
        self.hosts()
        key = write_key("alice.psk")
        self.start_server(key, **(server or {}))
        self.start_client(key, **(client or {}))
        self.both_up()

    def start_server(self, key, **options):
        options = {"kinds": self.kinds, **options}
        self.near = self.daemon(
            self.server, "server", server_ini(self.alice(key), **options)
        ).ready()
        return self.near

    def start_client(self, key, **options):
        options = {"kinds": self.kinds, **options}
        self.far = self.daemon(self.client, "client", client_ini(key, **options)).ready()
        return self.far

    def pings_while_keys_change(self, daemon, peer, handshakes):
        """None is lost, until that end has counted so many handshakes with a peer."""
        deadline = time.monotonic() + EVENT_S
        while True:
            self.assertEqual(ping(self.client, SERVER_IN, count=40, interval=0.1), 40)
            done = daemon.counters()[1][peer]["handshakes"]
            if done >= handshakes:
                return
            self.assertLess(time.monotonic(), deadline, f"only {done} handshakes")

    @staticmethod
    def patient(*namespaces):
        """The TUN devices in there hold as many packets as a test sends in seconds. Their own queue
        is short, and on a busy machine the daemon may not run for as long as it lasts; what is
        lost that way says nothing about the daemon."""
        for ns in namespaces:
            ns.ip("link set wt0 txqueuelen 5000")

    def both_up(self):
        self.far.peer_up("office")
        self.near.peer_up("alice")
