# SPDX-License-Identifier: MIT
"""A machine whose addresses, routes and links change under a tunnel."""

import time

from harness import case, runner
from harness.traffic import Transfer, ping

ELSEWHERE = "10.9.0.77"
# TCP by itself gives up a connection after 10 s without progress.
SOON_S = 8


class Stream(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.tunnel(client={"tunnel": {"log_level": "debug"}})

    def comes_back(self, since):
        began = time.monotonic()
        self.far.expect("info: peer office up: ", since, timeout=SOON_S)
        self.assertLess(time.monotonic() - began, SOON_S)

    def test_the_address_changes_during_a_transfer(self):
        moving = Transfer(self.client, self.server, case.SERVER_IN, seconds=6, gently=True)
        time.sleep(1)
        since = self.far.mark()
        self.client.ip(f"addr del {case.CLIENT}/24 dev out", f"addr add {ELSEWHERE}/24 dev out")
        self.comes_back(since)
        self.far.expect("peer office down: the address that it was made from is gone", since)
        self.near.expect(f"peer alice up: endpoint {ELSEWHERE}:")
        moving.finish()

    def test_a_link_that_comes_back_is_used_at_once(self):
        since = self.far.mark()
        self.client.ip(f"addr del {case.CLIENT}/24 dev out")
        self.far.expect("debug: peer office: dial failed", since, times=5, timeout=30)
        by_itself = time.monotonic() + 4  # at the earliest: the next attempt comes in 4 to 6 s
        self.client.ip(f"addr add {case.CLIENT}/24 dev out")
        self.far.expect("info: peer office up: ", since, timeout=by_itself - time.monotonic())

    def test_news_about_other_links_disturb_nothing(self):
        since = self.far.mark()
        moving = Transfer(self.client, self.server, case.SERVER_IN, seconds=4, gently=True)
        for i in range(30):
            self.client.ip(
                "link add other type veth peer name another",
                "link set other up",
                f"addr add 10.77.{i}.1/24 dev other",
                "link del other",
            )
            time.sleep(0.1)
        moving.finish()
        self.assertEqual(self.far.count("peer office down", since), 0)
        self.assertEqual(self.far.counters()[1]["office"]["handshakes"], 1)
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)


runner.main()
