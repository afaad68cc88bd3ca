# SPDX-License-Identifier: MIT
"""New keys every second under load: no byte is lost and no connection is."""

import os

from harness import case, runner
from harness.traffic import Ping, Transfer

SECONDS = 60 if os.environ.get("WT_TEST_LONG") else 6
TUNNEL = {"rekey_after": 1}


class Rekey(case.TunnelTest):
    def rekeyed(self, **server):
        self.tunnel(server={"tunnel": TUNNEL, **server}, client={"tunnel": TUNNEL})
        self.marks = self.near.mark(), self.far.mark()
        self.descriptors = self.near.descriptors(), self.far.descriptors()

    def both_ways(self, **options):
        return (
            Transfer(self.client, self.server, case.SERVER_IN, seconds=SECONDS, **options),
            Transfer(self.server, self.client, case.CLIENT_IN, seconds=SECONDS, **options),
        )

    def one_connection_many_keys(self):
        done = self.far.counters()[1]["office"]["handshakes"]
        self.assertGreater(done, 1, "no new keys meanwhile")
        self.far.reaches("office", "handshakes", SECONDS // 2)
        self.assertEqual(self.near.count("peer alice down", self.marks[0]), 0)
        self.assertEqual(self.far.count("peer office down", self.marks[1]), 0)
        self.assertEqual((self.near.descriptors(), self.far.descriptors()), self.descriptors)

    def test_as_fast_as_it_goes_no_byte_is_lost(self):
        self.rekeyed()
        for one in self.both_ways():
            self.assertGreater(one.finish(), 0)
        self.one_connection_many_keys()

    def test_backends_mixed(self):
        self.rekeyed(crypto="aesgcm-sodium")
        for one in self.both_ways():
            one.finish()
        self.one_connection_many_keys()

    def test_at_a_rate_that_fills_no_queue_no_packet_is_lost(self):
        self.rekeyed()
        self.patient(self.server, self.client)
        running = self.both_ways(gently=True)
        count = SECONDS * 20
        pings = Ping(self.client, case.SERVER_IN, count=count, interval=0.05)
        for one in running:
            one.finish()
        self.assertEqual(pings.result(), (count, count))
        self.one_connection_many_keys()

    def test_without_traffic(self):
        self.rekeyed()
        pings = Ping(self.client, case.SERVER_IN, count=3, interval=SECONDS / 3)
        self.assertEqual(pings.result(), (3, 3))
        self.one_connection_many_keys()


if __name__ == "__main__":
    runner.main()
