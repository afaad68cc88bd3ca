# SPDX-License-Identifier: MIT
"""Numbered datagrams in several flows at once: which arrived, unchanged, in which order."""

import random
import select
import socket
import struct
import threading
import time

HEAD = struct.Struct(">IIQ")  # number, length, what the rest was made from
SOL_UDP, UDP_SEGMENT = 17, 103
BUFFER = 8 << 20
SO_RCVBUFFORCE = 33
QUIET_S = 2  # when nothing has come for so long, nothing comes
STEP_S = 0.005


def _body(number, length, seed):
    """The rest of a datagram: cheap to make and to compare, different for each."""
    pattern = struct.pack(">Q", (number * 0x9E3779B97F4A7C15 ^ seed) % 2**64)
    return (pattern * (length // 8 + 1))[: length - HEAD.size]


class Flows:
    """Sends from `sender` to `address`, a local one of `receiver`, in a thread, for `seconds`; flows
    differ in their ports. With `runs` several of a size leave with one call; with `window` no more
    than about so many are on their way, so that no queue between the ends runs full while one of
    them waits for a processor. finish() fails if one arrived changed."""

    def __init__(
        self, sender, receiver, address, seconds, count=4, runs=False, pause_s=0.002, window=None
    ):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.seed = random.getrandbits(64)
        self.sent = [0] * count
        self.arrived = [[] for _ in range(count)]  # the numbers, in the order of arrival
        self.altered = 0
        self.error = None
        self._end = time.monotonic() + seconds
        self._runs, self._pause_s, self._window = runs, pause_s, window
        self._next = [0] * count  # after the highest number that arrived
        self._ends, self._outs = [], []
        for _ in range(count):
            end, out = receiver.socket(family, socket.SOCK_DGRAM), sender.socket(
                family, socket.SOCK_DGRAM
            )
            end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            end.bind((address, 0))
            end.setblocking(False)
            out.connect(end.getsockname())
            self._ends.append(end)
            self._outs.append(out)
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._guard, args=(fn,), daemon=True)
            for fn in (self._send, self._receive)
        ]
        for thread in self._threads:
            thread.start()

    def _guard(self, fn):
        try:
            fn()
        except OSError as error:
            self.error = self.error or error

    def _datagram(self, flow, length):
        number = self.sent[flow]
        self.sent[flow] += 1
        return HEAD.pack(number, length, self.seed) + _body(number, length, self.seed)

    def _send(self):
        sizes = random.Random(self.seed)
        try:
            while time.monotonic() < self._end:
                for flow, out in enumerate(self._outs):
                    length = sizes.choice((HEAD.size, 64, 600, 1000, 1100))
                    number = sizes.randint(1, 20) if self._runs else 1
                    # one call cuts what it is given into datagrams of this size
                    out.setsockopt(SOL_UDP, UDP_SEGMENT, length if number > 1 else 0)
                    out.send(b"".join(self._datagram(flow, length) for _ in range(number)))
                self._pause()
        finally:
            self._done.set()

    def _pause(self):
        """What was lost last of a flow counts as on its way, so this ends when nothing comes."""
        time.sleep(self._pause_s)
        quiet_s, before = 0, sum(self._next)
        while self._window and quiet_s < QUIET_S and sum(self.sent) - before > self._window:
            time.sleep(STEP_S)
            now = sum(self._next)
            quiet_s, before = 0 if now > before else quiet_s + STEP_S, now

    def _receive(self):
        quiet_s = 0
        while quiet_s < QUIET_S or not self._done.is_set():
            ready, _, _ = select.select(self._ends, [], [], 0.1)
            quiet_s = 0 if ready else quiet_s + 0.1
            for end in ready:
                self._take(self._ends.index(end), end.recv(65536))

    def _take(self, flow, data):
        number, length, seed = HEAD.unpack_from(data)
        if (seed, length) != (self.seed, len(data)) or data[HEAD.size :] != _body(
            number, length, seed
        ):
            self.altered += 1
        else:
            self.arrived[flow].append(number)
            self._next[flow] = max(self._next[flow], number + 1)

    def finish(self):
        """(how many were sent, how many arrived, both in all flows)"""
        for thread in self._threads:
            thread.join()
        for one in (*self._ends, *self._outs):
            one.close()
        if self.error:
            raise AssertionError(f"datagrams: {self.error}")
        if self.altered:
            raise AssertionError(f"{self.altered} datagrams arrived changed")
        return sum(self.sent), sum(map(len, self.arrived))

    def out_of_order(self):
        """How many came behind one of their flow with a higher number; a repeated one counts."""
        return sum(sum(1 for a, b in zip(flow, flow[1:]) if b <= a) for flow in self.arrived)

    def repeated(self):
        return sum(len(flow) - len(set(flow)) for flow in self.arrived)
