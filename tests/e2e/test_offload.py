# SPDX-License-Identifier: MIT
"""What one end leaves to the kernels and the other takes: every pair of `offload =` carries all
bytes unchanged, in the shape that both allow, and counts what it did."""

import random
import socket
import time

from harness import case, runner
from harness.daemon import EVENT_S, write_key
from harness.sandbox import PREFIX
from harness.traffic import transfer

SIZE = 1 << 20
RUN, SEGMENT = 20400, 1000
REFUSED = "the kernel refused a packet that it took when it was tried"

# What a kernel gives and takes by the settings: partial checksums, runs of TCP, runs of UDP.
SETTINGS = {
    "off": (False, False, False),
    "csum": (True, False, False),
    "tso": (True, True, False),
    "uso": (True, False, True),
    "auto": (True, True, True),
}

SOL_UDP, UDP_SEGMENT = 17, 103


def udp_run(sender, receiver, address):
    """One run of datagrams, and each as it was; none may get lost."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with receiver.socket(family, socket.SOCK_DGRAM) as end, sender.socket(
        family, socket.SOCK_DGRAM
    ) as out:
        end.settimeout(10)
        end.bind((address, 0))
        out.connect(end.getsockname())
        out.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT)
        data = random.randbytes(RUN)
        out.send(data)
        for at in range(0, RUN, SEGMENT):
            if end.recv(65536) != data[at : at + SEGMENT]:
                raise AssertionError("another datagram arrived")


class Offload(case.TunnelTest):
    def setUp(self):
        super().setUp()
        self.hosts()
        self.key = write_key("alice.psk")

    def start(self, server, client, **server_options):
        self.near = self.daemon(
            self.server,
            "server",
            case.server_ini(self.alice(self.key), tunnel={"offload": server}, kinds=self.kinds),
            **server_options,
        ).ready()
        self.start_client(self.key, tunnel={"offload": client})
        self.both_up()

    def stop(self):
        self.assertEqual(self.far.stop(), 0)
        self.assertEqual(self.near.stop(), 0)

    def carries(self):
        """TCP in bulk and a run of datagrams from the client to the server, in both families."""
        for address in (case.SERVER_IN, case.SERVER_IN6):
            transfer(self.client, self.server, address, size=SIZE)
            udp_run(self.client, self.server, address)

    def counted(self):
        """{name: value} of the sender and of the receiver; what was not counted is 0."""
        names = "sent_partial sent_segments finished cut received_partial received_segments refused"
        counters = [d.counters()[0] for d in (self.far, self.near)]
        return [{n: c.get(f"offload_{n}", 0) for n in names.split()} for c in counters]

    def arrived(self):
        """The same, when what one has sent was received: the kernels may repeat the ends of their
        connections for a while."""
        deadline = time.monotonic() + EVENT_S
        while True:
            sent, received = self.counted()
            if (sent["sent_partial"], sent["sent_segments"]) == (
                received["received_partial"],
                received["received_segments"],
            ):
                return sent, received
            self.assertLess(time.monotonic(), deadline, f"{received} of {sent}")

    def check_pair(self, gives, takes):
        partial, tcp, udp = SETTINGS[gives]
        takes_partial, takes_tcp, takes_udp = SETTINGS[takes]
        sent, received = self.arrived()
        happened = {name: value > 0 for name, value in sent.items()}
        self.assertEqual(happened["sent_partial"], partial and takes_partial)
        self.assertEqual(happened["finished"], partial and not takes_partial)
        self.assertEqual(happened["sent_segments"], (tcp and takes_tcp) or (udp and takes_udp))
        self.assertEqual(happened["cut"], (tcp and not takes_tcp) or (udp and not takes_udp))
        self.assertEqual((sent["refused"], received["refused"]), (0, 0))

    def test_pairs(self):
        for takes in SETTINGS:
            for gives in SETTINGS:
                with self.subTest(gives=gives, takes=takes):
                    self.start(server=takes, client=gives)
                    self.carries()
                    self.check_pair(gives, takes)
                    self.stop()

    def test_the_log_says_what_the_kernel_gives_and_takes(self):
        self.start(server="auto", client="off")
        everything = "checksum, TCP segments, UDP segments"
        self.near.expect(f"offload: the kernel gives {everything}; it takes {everything}$")
        self.far.expect("offload: the kernel gives none; it takes none$")

    # ---- a kernel that refuses what it took when it was tried

    def refusing(self, what):
        library = f"{PREFIX}/wt_refusing_tun.so"
        self.start("auto", "auto", env={"LD_PRELOAD": library, "WT_REFUSING_TUN": what})
        self.carries()
        return self.counted()

    def test_a_kernel_that_refuses_runs(self):
        sent, received = self.refusing("runs")
        self.assertGreater(sent["sent_segments"], 0)
        # Also what was put together here.
        self.assertGreaterEqual(received["refused"], received["received_segments"])
        self.assertEqual(self.near.count(REFUSED), 1)
        self.assertEqual(self.far.count(REFUSED), 0)

    def test_a_kernel_that_refuses_partial_checksums(self):
        sent, received = self.refusing("partial")
        self.assertGreater(sent["sent_partial"], 0)
        both = received["received_partial"] + received["received_segments"]
        self.assertGreaterEqual(received["refused"], both)
        self.assertEqual(self.near.count(REFUSED), 1)


if __name__ == "__main__":
    runner.main()
