# SPDX-License-Identifier: MIT
"""host - gateway = tunnel = gateway - host: the base of the tests that forward.

    home -- lan -- client ==== out ==== server -- lan -- site
    10.20.0.2  10.20.0.1                10.30.0.1  10.30.0.2

The links to the hosts carry what a cable would: no checksum and no run of segments is left to
the other end, and nothing is merged on arrival.
"""

import shutil
import subprocess
import unittest

from . import case
from .daemon import write_key
from .network import link

HOME, HOME_GATEWAY = "10.20.0.2", "10.20.0.1"
HOME6, HOME_GATEWAY6 = "fd20::2", "fd20::1"
SITE, SITE_GATEWAY = "10.30.0.2", "10.30.0.1"
SITE6, SITE_GATEWAY6 = "fd30::2", "fd30::1"

ETHERNET_MTU = 1500


class Gateways(case.TunnelTest):
    """Hosts self.home and self.site, gateways self.client and self.server, no daemons yet."""

    def setUp(self):
        super().setUp()
        for tool in ("ethtool", "nft"):
            if not shutil.which(tool):
                raise unittest.SkipTest(f"not installed: {tool} (scripts/install-deps test)")
        self.hosts()
        self.home, self.site = self.namespace("home"), self.namespace("site")
        self._join(self.client, self.home, HOME_GATEWAY, HOME, HOME_GATEWAY6, HOME6)
        self._join(self.server, self.site, SITE_GATEWAY, SITE, SITE_GATEWAY6, SITE6)

    def _join(self, gateway, host, inner, outer, inner6, outer6):
        link(
            gateway,
            host,
            "lan",
            "lan",
            (f"{inner}/24", f"{inner6}/64", "fe80::1/64"),
            (f"{outer}/24", f"{outer6}/64", "fe80::2/64"),
        )
        host.ip(f"route add default via {inner}", f"route add ::/0 via {inner6}")
        gateway.sysctl("net.ipv4.ip_forward", 1)
        gateway.sysctl("net.ipv6.conf.all.forwarding", 1)
        host.sysctl("net.ipv4.tcp_mtu_probing", 0)
        plain = "tx off tso off gso off tx-udp-segmentation off gro off".split()
        run_in(gateway, "ethtool", "-K", "lan", *plain)
        run_in(host, "ethtool", "-K", "lan", "gro", "off")

    def connect(self, server=None, client=None):
        """Both daemons, with the keys given for their [tunnel] sections."""
        key = write_key("alice.psk")
        home = f"{case.CLIENT_IN}/32, {case.CLIENT_IN6}/128, 10.20.0.0/24, fd20::/64"
        site = "10.8.0.0/24, fd08::/64, 10.30.0.0/24, fd30::/64"
        peers = {"alice": {"psk_file": key, "allowed_ips": home}}
        self.near = self.daemon(
            self.server, "server", case.server_ini(peers, tunnel=server, kinds=self.kinds)
        ).ready()
        self.far = self.daemon(
            self.client,
            "client",
            case.client_ini(key, tunnel=client, kinds=self.kinds, allowed_ips=site),
        ).ready()
        self.both_up()

    def offloads(self):
        """The offload_ counters of the client and of the server."""
        prefix = "offload_"
        return tuple(
            {k[len(prefix) :]: v for k, v in d.counters()[0].items() if k.startswith(prefix)}
            for d in (self.far, self.near)
        )

    def nft(self, ns, *rules):
        """Rules of one table: "CHAIN rule", with CHAIN forward, prerouting or postrouting."""
        text = "table inet test {\n"
        for chain in sorted({rule.split()[0] for rule in rules}):
            text += f"chain {chain} {{ type filter hook {chain} priority 0;\n"
            text += "".join(r.partition(" ")[2] + "\n" for r in rules if r.split()[0] == chain)
            text += "}\n"
        run_in(ns, "nft", "-f", "-", stdin=text + "}\n")


def run_in(ns, *command, stdin=None):
    done = subprocess.run(
        ns.command(*command), input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
