# SPDX-License-Identifier: MIT
"""Two hosts far from each other: what is on its way over a TCP connection grows with the distance,
and stays small without one."""

from harness import case, runner
from harness.daemon import write_key
from harness.traffic import transfer

BUFFER = r"send buffer (\d+) bytes"
SIZE = 24 << 20
FIRST = 512 << 10
DELAY_MS = 100  # each way: some MB/s are enough to need more than the first size


class Distance(case.TunnelTest):
    def far_apart(self, delay_ms, **transport):
        self.hosts_apart()
        if delay_ms:
            self.cable(f"delay both {delay_ms}")
        key = write_key("alice.psk")
        self.start_server(key)
        self.start_client(key, tunnel={"log_level": "debug"}, transport=transport)
        self.both_up()

    def test_the_send_buffer_follows_the_distance(self):
        self.far_apart(DELAY_MS)
        transfer(self.client, self.server, case.SERVER_IN, SIZE)
        self.assertGreater(int(self.far.expect(BUFFER).group(1)), FIRST)

    def test_beside_each_other_it_stays(self):
        self.far_apart(0)
        transfer(self.client, self.server, case.SERVER_IN, SIZE)
        self.assertEqual(self.far.count(BUFFER), 0)

    def test_a_configured_one_stays(self):
        self.far_apart(DELAY_MS, send_buffer=256)
        transfer(self.client, self.server, case.SERVER_IN, SIZE // 4)
        self.assertEqual(self.far.count(BUFFER), 0)


runner.main()
