# SPDX-License-Identifier: MIT
"""What the server owes to strangers must not be in the way of what it owes to its peers: first messages
with the server's public key, from addresses of its own network at which nobody is."""

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import struct
import threading

from harness import case, runner
from harness.daemon import write_key_pair
from harness.network import link
from harness.traffic import ping

SERVER2, STRANGER, NETWORK2 = "10.9.2.1", "10.9.2.2", "10.9.2"
# Few, since the kernel's table of neighbours is one for all namespaces; with what may wait for
# each of them more than enough to fill any socket's buffer.
NOBODIES = range(100, 132)
SOMEBODY = [2] * len(NOBODIES)  # the stranger itself
PAUSE_S = 0.004  # between two rounds of them: the server is to have time for its peers
M1_MAC1 = 152  # where it is in M1


class Flood:
    """First messages with a right mac1 from some addresses, of which the server can only know that
    they cost it something, until stop()."""

    def __init__(self, ns, server_public, sources):
        m1 = b"\x01\x01\x02\x01\0\0\0\0" + os.urandom(M1_MAC1 - 8)
        key = hashlib.sha256(b"wt-mac1" + base64.b64decode(server_public)).digest()
        m1 += hmac.digest(key, m1, "sha256")[:16] + bytes(16)
        self._packets = [self._packet(f"{NETWORK2}.{host}", m1) for host in sources]
        self._socket = ns.socket(kind=socket.SOCK_RAW, protocol=socket.IPPROTO_RAW)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _packet(source, payload):
        udp = struct.pack(">HHHH", 5000, case.PORT, 8 + len(payload), 0) + payload
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0)
        return head + socket.inet_aton(source) + socket.inet_aton(SERVER2) + udp

    def _run(self):
        with self._socket:
            while not self._over.wait(PAUSE_S):
                for packet in self._packets:
                    with contextlib.suppress(BlockingIOError):
                        self._socket.sendto(packet, (SERVER2, 0))

    def stop(self):
        self._over.set()
        self._thread.join()


class Answers(case.TunnelTest):
    """A session, and a network beside it from which the flood comes."""

    workers = 1

    def setUp(self):
        super().setUp()
        self.hosts()
        server_key, self.server_public = write_key_pair("server.key")
        client_key, client_public = write_key_pair("client.key")
        self.stranger = self.namespace("stranger")
        link(self.server, self.stranger, "out2", "out", (f"{SERVER2}/24",), (f"{STRANGER}/24",))
        alice = {"public_key": client_public, "allowed_ips": f"{case.CLIENT_IN}/32"}
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(
                {"alice": alice},
                methods={"noise": {"private_key_file": server_key}},
                kinds=("udp",),
                tunnel={"workers": self.workers},
            ),
        ).ready()
        self.far_ini = case.client_ini(
            None,
            methods={"noise": {"private_key_file": client_key}},
            kinds=("udp",),
            public_key=self.server_public,
        )
        self.start()

    def start(self):
        since = self.near.mark()
        self.far = self.daemon(self.client, "client", self.far_ini).ready()
        self.far.peer_up("office")
        self.near.peer_up("alice", since)

    def flood(self, sources):
        """One that the server feels."""
        flood = Flood(self.stranger, self.server_public, sources)
        self.addCleanup(flood.stop)
        self.near.expect("answered with a token: many handshakes now")
        return flood

    def count(self, counter):
        return self.near.counters()[0].get(f"transport-udp.{counter}", 0)

    def test_a_session_does_not_wait_for_answers_to_nobody(self):
        full = self.count("udp_buffer_full")
        flood = self.flood(NOBODIES)
        # Some may be lost: the flood keeps the machine busy as well.
        self.assertGreater(ping(self.server, case.CLIENT_IN, count=50, interval=0.1, wait=1), 25)
        self.assertGreater(self.count("udp_answers_full"), 0, "too little waits for nobody")
        self.assertEqual(self.count("udp_buffer_full"), full)
        # Who is elsewhere finds room, the session's next handshake included.
        for _ in range(3):
            self.far.kill()
            self.start()
        self.assertGreater(ping(self.client, case.SERVER_IN), 0)
        flood.stop()

    def test_who_is_there_gets_in_through_a_flood(self):
        flood = self.flood(SOMEBODY)
        self.far.kill()
        self.start()
        self.assertGreater(ping(self.client, case.SERVER_IN), 0)
        self.assertEqual(self.count("udp_answers_full"), 0)
        flood.stop()


class TwoWorkers(Answers):
    workers = 2


runner.main()
