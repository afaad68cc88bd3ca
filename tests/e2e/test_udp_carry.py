# SPDX-License-Identifier: MIT
"""What holds for a tunnel over TCP holds over UDP: every pair of crypto backends, both families
inside and outside, offloads, nothing in the clear, what gateways forward, new keys under load. And
the order within a flow, which UDP does not keep by itself."""

import shutil
import subprocess
import unittest

import test_backends
import test_forwarding
import test_offload
import test_rekey

from harness import case, runner
from harness.daemon import write_key
from harness.flows import Flows
from harness.traffic import Transfer, ping, transfer

UDP = ("udp",)
SECONDS = 3


class Backends(test_backends.Backends):
    kinds = UDP


class Families(test_backends.Families):
    kinds = UDP
    # these are about records larger than what the link carries
    test_a_large_mtu = test_two_ends_with_different_mtu = None

    def tunnel(self, **options):
        """Up, and the path measured: fragments are cut for the device and may be longer than
        what it takes before."""
        super().tunnel(**options)
        for daemon in (self.near, self.far):
            daemon.expect("the path takes records of ")


class Secrecy(test_backends.Secrecy):
    kinds = UDP


class Rekey(test_rekey.Rekey):
    kinds = UDP


class Forwarding(test_forwarding.Forwarding):
    """Its tests of counters and of MTUs are about records that hold whole runs."""

    kinds = UDP
    test_different_mtus = test_different_mtus_without_clamp = None

    def test_tcp(self):
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                captures = self.both_captured()
                transfer(sender, receiver, address, size=test_forwarding.SIZE)
                for arrivals in captures:
                    self.sound(arrivals)

    def test_udp(self):
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                arrivals = test_forwarding.Arrivals(receiver, "lan")
                self.udp(sender, receiver, address, [0, 1, 2, 3, 100, 1000, 1100] * 20)
                self.udp(sender, receiver, address, [22000, 1201, 3301, 31200] * 10, segment=1100)
                udp = [p for p in self.sound(arrivals) if p.protocol == test_forwarding.UDP]
                self.assertEqual(len(udp), 140 + 10 * (20 + 2 + 4 + 29))

    def test_udp_in_fragments(self):
        """A host that sends IPv6 cuts datagrams for its own link until it is told of the tunnel."""
        self.connect()
        for sender, receiver, address in self.ways():
            with self.subTest(to=address):
                if ":" in address:
                    ping(sender, address, count=1, size=2000, wait=1)
                arrivals = test_forwarding.Arrivals(receiver, "lan")
                self.udp(sender, receiver, address, [1473, 5000, 20000, 60000])
                self.sound(arrivals)


class Offload(test_offload.Offload):
    """Every pair of settings carries all bytes unchanged; who does what with runs is another
    matter than on a stream, where a run is one record."""

    kinds = UDP
    test_the_log_says_what_the_kernel_gives_and_takes = None

    def check_pair(self, gives, takes):
        sent, received = self.counted()
        self.assertEqual((sent["refused"], received["refused"]), (0, 0))

    def refusing(self, what):
        sent, received = super().refusing(what)
        self.assertGreater(received["refused"], 0)
        self.assertEqual(self.near.count(test_offload.REFUSED), 1)
        return sent, received

    def test_a_kernel_that_refuses_runs(self):
        self.refusing("runs")

    def test_a_kernel_that_refuses_partial_checksums(self):
        self.refusing("partial")


class Devices(case.TunnelTest):
    """Links that leave less or more to the other end than a veth does by itself."""

    kinds = UDP

    def offloads(self, **settings):
        if not shutil.which("ethtool"):
            raise unittest.SkipTest("not installed: ethtool (scripts/install-deps test)")
        self.hosts()
        for ns in (self.server, self.client):
            words = [w for name, state in settings.items() for w in (name.replace("_", "-"), state)]
            subprocess.run(
                ns.command("ethtool", "-K", "out", *words), check=True, stdout=subprocess.DEVNULL
            )
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key)
        self.both_up()
        for sender, receiver, address in (
            (self.client, self.server, case.SERVER_IN),
            (self.server, self.client, case.CLIENT_IN6),
        ):
            transfer(sender, receiver, address)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_all_off(self):
        self.offloads(tx="off", tso="off", gso="off", tx_udp_segmentation="off", gro="off")

    def test_no_checksums(self):
        self.offloads(tx="off")

    def test_no_udp_segmentation(self):
        self.offloads(tx_udp_segmentation="off")

    def test_merging_on_arrival(self):
        self.offloads(gro="on", rx_udp_gro_forwarding="on")


class Order(case.TunnelTest):
    """Of the packets of a flow none overtakes another, whatever is lost."""

    kinds = UDP

    def keeps_order(self, runs, workers=None, near="auto", far="auto"):
        self.tunnel(
            server={"tunnel": {"workers": workers, "offload": near}},
            client={"tunnel": {"workers": workers, "offload": far}},
        )
        self.patient(self.server, self.client)
        load = [
            Transfer(self.client, self.server, case.SERVER_IN, seconds=SECONDS),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=SECONDS),
        ]
        flows = [
            Flows(self.client, self.server, case.SERVER_IN, SECONDS, runs=runs),
            Flows(self.server, self.client, case.CLIENT_IN6, SECONDS, runs=runs),
        ]
        for one in load:
            one.finish()
        for one in flows:
            self.assertGreater(one.finish()[1], 0)
            self.assertEqual(one.out_of_order(), 0)

    def test_single_datagrams(self):
        self.keeps_order(runs=False)

    def test_runs(self):
        self.keeps_order(runs=True)

    def test_runs_that_one_end_has_to_cut(self):
        self.keeps_order(runs=True, far="off")

    def test_on_several_workers(self):
        self.keeps_order(runs=True, workers=2)


runner.main()
