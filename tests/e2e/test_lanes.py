# SPDX-License-Identifier: MIT
"""Several connections of one peer (`connections = N`), on one worker and on two: streams of both
directions over all of them, one that is reset, a killed server, a server that takes fewer."""

from harness import case, runner
from harness.daemon import write_key
from harness.gateways import run_in
from harness.traffic import Transfer, ping

LANES = 3
STREAMS = 16  # each way
SIZE = 1 << 18


class Lanes(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def start(self, workers, near=LANES, far=LANES):
        self.start_near(workers, near)
        self.start_client(self.key, tunnel={"workers": workers}, connections=far)

    def start_near(self, workers, connections):
        peers = self.alice(self.key, connections=connections)
        self.near = self.daemon(
            self.server, "server", case.server_ini(peers, tunnel={"workers": workers})
        ).ready()

    def lanes_up(self, count=LANES, near=0, far=0):
        for i in range(1, count + 1):
            self.near.peer_up(f"alice, connection {i}", near)
            self.far.peer_up(f"office, connection {i}", far)

    def traffic(self):
        """Streams each way, all at once, and pings."""
        running = []
        for _ in range(STREAMS):
            running.append(Transfer(self.client, self.server, case.SERVER_IN, size=SIZE))
            running.append(Transfer(self.server, self.client, case.CLIENT_IN, size=SIZE))
        for transfer in running:
            self.assertEqual(transfer.finish(), SIZE)
        self.assertGreater(ping(self.client, case.SERVER_IN), 0)

    def all_connections(self, daemon, peer, count):
        whole, peers = daemon.counters()
        self.assertEqual(whole.get("drop_tag", 0), 0)
        self.assertEqual(peers[peer]["state"], "up")
        self.assertEqual(peers[peer]["connections"], count)
        self.assertGreater(peers[peer]["rx_bytes"], STREAMS * SIZE)
        self.assertGreater(peers[peer]["tx_bytes"], STREAMS * SIZE)

    def carried(self):
        """Connections that the server's kernel counts more than half a stream on, in or out."""
        shown = run_in(self.server, "ss", "-tnHi", "state", "established", f"sport = :{case.PORT}")
        numbers = [
            max(int(word.partition(":")[2]) for word in line.split() if word.startswith("bytes_"))
            for line in shown.splitlines()
            if "bytes_" in line
        ]
        return sum(n > SIZE // 2 for n in numbers)

    def works(self, workers):
        self.start(workers)
        self.lanes_up()
        self.traffic()
        self.all_connections(self.near, "alice", LANES)
        self.all_connections(self.far, "office", LANES)
        # That one of 3 connections has none of 32 streams is as likely as 3 * (2/3)^32.
        self.assertEqual(self.carried(), LANES)

    def test_streams_use_all_connections(self):
        self.works(workers=1)

    def test_streams_use_all_connections_on_two_workers(self):
        self.works(workers=2)

    def test_one_is_reset(self):
        self.start(workers=2)
        up = self.near.peer_up("alice, connection 2").group(1)
        self.lanes_up()
        port = up.split(":")[1].split()[0]
        near, far = self.near.mark(), self.far.mark()
        run_in(
            self.server,
            *("nft", "-f", "-"),
            stdin="table ip lanes {\nchain in {\ntype filter hook input priority 0;\n"
            f"tcp dport {case.PORT} tcp sport {port} reject with tcp reset\n}}\n}}\n",
        )
        # Something has to go that way; then all goes on another, and it comes back.
        self.traffic()
        self.far.expect("info: peer office, connection 2 down: ", far)
        self.far.peer_up("office, connection 2", far)
        self.near.peer_up("alice, connection 2", near)
        self.traffic()
        for daemon, peer in ((self.near, "alice"), (self.far, "office")):
            self.assertEqual(daemon.count(rf"peer {peer}, connection [13] down: "), 0)

    def test_a_killed_server_gets_all_again(self):
        self.start(workers=2)
        self.lanes_up()
        for connections in (LANES, 2):
            far = self.far.mark()
            self.near.kill()
            self.start_near(2, connections)
            self.lanes_up(connections, far=far)
            self.traffic()
            self.all_connections(self.near, "alice", connections)
        self.assertEqual(self.far.stop(), 0)
        self.assertEqual(self.near.stop(), 0)


runner.main()
