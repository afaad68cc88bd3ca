# SPDX-License-Identifier: MIT
"""Where a peer is: lists of endpoints, names, and names that come to mean something else."""

from harness import case, runner
from harness.daemon import write_file, write_key
from harness.traffic import ping


class Endpoints(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")
        self.start_server(self.key)

    def reaches(self, endpoint, shown=f"{case.SERVER}:{case.PORT}", hosts=None):
        self.far = self.daemon(
            self.client, "client", case.client_ini(self.key, endpoint=endpoint), hosts=hosts
        )
        self.assertIn(f"endpoint {shown}", self.far.peer_up("office").group(1))
        self.assertEqual(ping(self.client, case.SERVER_IN), 3)

    def test_the_first_refuses_the_second_answers(self):
        self.reaches(f"tcp://{case.SERVER}:4999, tcp://{case.SERVER}:{case.PORT}")

    def test_the_first_is_unreachable_the_second_answers(self):
        self.reaches(
            f"tcp://192.0.2.77:{case.PORT}, tcp://[{case.SERVER6}]:{case.PORT}",
            f"[{case.SERVER6}]:{case.PORT}",
        )

    def test_a_name(self):
        self.reaches(f"tcp://vpn.example.net:{case.PORT}", hosts=f"{case.SERVER} vpn.example.net\n")

    def test_a_name_with_two_addresses_of_which_one_is_dead(self):
        self.reaches(
            f"tcp://vpn.example.net:{case.PORT}",
            hosts=f"{case.CLIENT} vpn.example.net\n{case.SERVER} vpn.example.net\n",
        )

    def test_a_name_that_is_known_only_later(self):
        self.far = self.daemon(
            self.client,
            "client",
            case.client_ini(self.key, endpoint=f"tcp://vpn.example.net:{case.PORT}"),
            hosts="127.0.0.1 localhost\n",
        )
        self.far.expect("vpn.example.net")
        write_file("client.hosts", f"{case.SERVER} vpn.example.net\n", 0o644)
        self.far.peer_up("office")

    def test_a_server_that_comes_later(self):
        self.near.stop()
        far = self.start_client(self.key)
        far.expect("warning: peer office: no answer")
        self.start_server(self.key)
        far.peer_up("office", timeout=10)


runner.main()
