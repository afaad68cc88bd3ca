# SPDX-License-Identifier: MIT
"""Several workers on a real multi-queue device: eight peers, traffic both ways, killed and
restarted."""

import concurrent.futures

from harness import case, runner
from harness.daemon import ini, write_key
from harness.traffic import Transfer, ping

PEERS = 8
SWITCH = "switch"
SIZE = 1 << 20


class Workers(case.TunnelTest):
    def network(self):
        """The server and eight clients on one bridge."""
        self.server = self.namespace("server")
        self.server.ip(
            f"link add {SWITCH} type bridge",
            f"addr add {case.SERVER}/24 dev {SWITCH}",
            f"link set {SWITCH} up",
        )
        self.hosts = []
        for i in range(PEERS):
            host = self.namespace(f"c{i}")
            self.server.ip(
                f"link add p{i} type veth peer name out netns {host.name}",
                f"link set p{i} master {SWITCH} up",
            )
            host.ip(f"addr add 10.9.0.{10 + i}/24 dev out", "link set out up")
            self.hosts.append(host)
        self.keys = [write_key(f"c{i}.psk") for i in range(PEERS)]

    def start_server(self, workers):
        peers = {
            f"c{i}": {"psk_file": self.keys[i], "allowed_ips": f"10.8.0.{10 + i}/32"}
            for i in range(PEERS)
        }
        self.near = self.daemon(
            self.server, "server", case.server_ini(peers, tunnel={"workers": workers})
        ).ready()

    def start_clients(self, workers):
        self.far = [
            self.daemon(
                self.hosts[i],
                f"c{i}",
                case.client_ini(
                    self.keys[i], tunnel={"address": f"10.8.0.{10 + i}/24", "workers": workers}
                ),
            )
            for i in range(PEERS)
        ]

    def all_up(self, since=0, marks=None):
        for i, daemon in enumerate(self.far):
            daemon.peer_up("office", marks[i] if marks else 0)
            self.near.peer_up(f"c{i}", since)

    def traffic(self):
        """A stream each way with every peer, all at once."""
        inside = [f"10.8.0.{10 + i}" for i in range(PEERS)]
        running = [Transfer(h, self.server, case.SERVER_IN, size=SIZE) for h in self.hosts]
        running += [
            Transfer(self.server, h, address, size=SIZE)
            for h, address in zip(self.hosts, inside, strict=True)
        ]
        for transfer in running:
            self.assertEqual(transfer.finish(), SIZE)
        with concurrent.futures.ThreadPoolExecutor(PEERS) as pool:
            lost = [3 - n for n in pool.map(lambda a: ping(self.server, a), inside)]
        self.assertEqual(sum(lost), 0)

    def test_eight_peers_on_four_workers(self):
        self.network()
        self.start_server(workers=4)
        self.start_clients(workers=2)
        self.all_up()
        self.traffic()
        whole, peers = self.near.counters()
        self.assertEqual(whole.get("drop_tag", 0), 0)
        self.assertIn("handoffs", whole)
        for i in range(PEERS):
            self.assertEqual(peers[f"c{i}"]["state"], "up")
            self.assertGreater(peers[f"c{i}"]["rx_bytes"], SIZE)
            self.assertGreater(peers[f"c{i}"]["tx_bytes"], SIZE)
        # Killed: the device goes with the process, the clients come back by themselves.
        marks = [daemon.mark() for daemon in self.far]
        self.near.kill()
        self.assertFalse(self.server.has_link("wt0"))
        self.start_server(workers=4)
        self.all_up(marks=marks)
        self.traffic()
        # And an orderly end, with connections on all workers.
        self.assertEqual(self.near.stop(), 0)
        for daemon in self.far:
            self.assertEqual(daemon.stop(), 0)

    def test_a_client_dials_from_more_than_one_worker(self):
        self.hosts = [self.namespace(n) for n in ("left", "right")]
        self.server = self.namespace("server")
        key = [write_key("left.psk"), write_key("right.psk")]
        for i, host in enumerate(self.hosts):
            self.server.ip(
                f"link add to{i} type veth peer name out netns {host.name}",
                f"addr add 10.{20 + i}.0.2/24 dev to{i}",
                f"link set to{i} up",
            )
            host.ip(f"addr add 10.{20 + i}.0.1/24 dev out", "link set out up")
            peer = {"psk_file": key[i], "allowed_ips": "10.8.0.9/32"}
            text = case.server_ini({"middle": peer}, tunnel={"address": f"10.8.0.{1 + i}/24"})
            self.daemon(host, f"end{i}", text).ready()
        text = ini(
            [
                ("tunnel", {"interface": "wt0", "address": "10.8.0.9/24", "workers": 2}),
                ("crypto", {"plugin": case.BACKENDS[0]}),
                ("transport tcp", {}),
                ("auth hmac", {}),
            ]
            + [
                (
                    f"peer end{i}",
                    {
                        "endpoint": f"tcp://10.{20 + i}.0.1:{case.PORT}",
                        "psk_file": key[i],
                        "allowed_ips": f"10.8.0.{1 + i}/32",
                    },
                )
                for i in range(2)
            ]
        )
        middle = self.daemon(self.server, "middle", text).ready()
        for i in range(2):
            middle.peer_up(f"end{i}")
            self.assertEqual(ping(self.server, f"10.8.0.{1 + i}"), 3)


runner.main()
