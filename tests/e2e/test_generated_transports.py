# SPDX-License-Identifier: MIT
"""A tunnel over the transports that `wtplug new` writes, built outside of the tree against an
installation: with each other, and with the transports of this tree."""

import os
import sys

import test_backends

from harness import case, runner
from harness.daemon import write_key
from harness.sandbox import SCRATCH, install_plugin
from harness.traffic import ping, transfer

sys.path.insert(0, os.path.join(runner.ROOT, "tests/cli"))
from installed import Installation, build_options  # noqa: E402

BUILD = os.environ.get("WT_BUILD_DIR", os.path.join(runner.ROOT, "build/dev"))
ADDRESSES = {"listen": f"{case.SERVER}:{case.PORT}, [{case.SERVER6}]:{case.PORT}"}


def build(mode):
    """A plugin that is called as its mode."""
    built = Installation(BUILD, SCRATCH).shell(
        f"wtplug new {mode} --kind transport --mode {mode} && cd transport-{mode}"
        f" && cmake -S . -B build {build_options(BUILD)} && cmake --build build"
    )
    assert built.returncode == 0, built.stdout
    install_plugin(os.path.join(SCRATCH, f"transport-{mode}/build/transport-{mode}.so"))


class Carries(test_backends.Families):
    """Both families inside and outside, every size, different MTUs."""

    kinds = ("stream",)
    like = "tcp"  # the transport of this tree that does the same on the wire

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        build(cls.kinds[0])

    def test_it_dials_one_of_the_tree(self):
        self.tunnel(server={"kinds": (self.like,)})
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        transfer(self.client, self.server, case.SERVER_IN)

    def test_one_of_the_tree_dials_it(self):
        self.tunnel(client={"kinds": (self.like,)})
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)
        transfer(self.client, self.server, case.SERVER_IN)

    def test_several_workers_and_connections(self):
        several = {"workers": "2"}
        self.hosts()
        key = write_key("alice.psk")
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(
                self.alice(key, connections="2"),
                tunnel=several,
                transport=ADDRESSES,
                kinds=self.kinds,
            ),
        ).ready()
        self.start_client(key, tunnel=several, connections="2")
        for daemon, peer in ((self.near, "alice"), (self.far, "office")):
            daemon.expect(rf"info: peer {peer}, connection 2 up")
            daemon.expect(rf"info: peer {peer}.* up")
        transfer(self.client, self.server, case.SERVER_IN)
        transfer(self.server, self.client, case.CLIENT_IN)

    def test_an_end_that_is_killed(self):
        """The peer is dialled again, whatever was on its way."""
        self.tunnel()
        since = self.far.mark()
        self.near.kill()
        self.start_server(os.path.join(SCRATCH, "alice.psk"))
        self.near.peer_up("alice")
        self.far.peer_up("office", since)  # a moment later than the server
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def start_server(self, key, **options):
        return super().start_server(key, **{"transport": ADDRESSES, **options})


class DatagramCarries(Carries):
    kinds = ("datagram",)
    like = "udp"
    # these are about records larger than what the link carries
    test_a_large_mtu = test_two_ends_with_different_mtu = None
    test_an_end_that_is_killed = None  # of that no transport of datagrams takes notice

    def tunnel(self, **options):
        """Up, and the path measured: fragments are cut for the device and may be longer than
        what it takes before."""
        super().tunnel(**options)
        for daemon in (self.near, self.far):
            daemon.expect("the path takes records of ")


runner.main()
