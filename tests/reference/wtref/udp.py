# SPDX-License-Identifier: MIT
"""One message a datagram, and the handshake over a way that loses some of them."""

import os
import random
import socket
import time

from . import Refused, handshake

RETRY_S = (0.2, 0.5, 1, 2, 5)  # then every 5 s
SAME_M1 = 3      # sent this often before a new one is made
M3_AGAIN_S, M3_TIMES = 1, 5
M2_AGAIN_S = CONFIRM_AGAIN_S = 1
CLOSE_TIMES, CLOSE_PAUSE_S = 3, 0.05


def new_index():
    return int.from_bytes(os.urandom(4), "big") | 1


def unix_ms():
    return time.time_ns() // 1_000_000


class Datagrams:
    """A socket whose other end is `remote`, an address of its family. lose: the share of what is
    sent that never leaves, to be tried out against."""

    reliable = False

    def __init__(self, sock, remote=None, lose=0.0):
        self.sock, self.remote, self.lose = sock, remote, lose
        self.source = None  # of what was received last

    def send(self, message, remote=None):
        if random.random() >= self.lose:
            self.sock.sendto(message, remote or self.remote)

    def receive(self, seconds):
        """The next datagram; TimeoutError. What a path said about earlier ones means nothing."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                message, self.source = self.sock.recvfrom(65536)
            except ConnectionError:
                continue
            return message
        raise TimeoutError

    def send_close(self, make):
        """make() seals a CLOSE: each one is a record of its own."""
        for _ in range(CLOSE_TIMES):
            self.send(make())
            time.sleep(CLOSE_PAUSE_S)


class Dialler:
    """The initiator: repeats what is not answered."""

    def __init__(self, link, method, params, clock_off_ms=0):
        self.link, self.method, self.params = link, method, params
        self.offset = clock_off_ms
        self.m3 = None

    def _new(self):
        return self.method.initiator(handshake.DATAGRAM, new_index(), self.params,
                                     unix_ms() + self.offset)

    def session(self, seconds):
        """The session, as soon as M2 was accepted; M3, if the method has one, was sent once.
        TimeoutError."""
        deadline = time.monotonic() + seconds
        initiator, sent = self._new(), 0
        for wait in (*RETRY_S, *(5 for _ in range(int(seconds)))):
            if sent == SAME_M1:
                initiator, sent = self._new(), 0
            self.link.send(initiator.m1)
            sent += 1
            until = min(time.monotonic() + wait, deadline)
            while until > time.monotonic():
                try:
                    answer = self.link.receive(until - time.monotonic())
                    session = self._answer(initiator, answer)
                except TimeoutError:
                    break
                except Refused:
                    continue
                if session:
                    return session
                sent = 1  # it lives: the M1 with its token was sent
            if time.monotonic() >= deadline:
                break
        raise TimeoutError

    def _answer(self, initiator, answer):
        if answer[3:4] == b"\x04":
            now = unix_ms()
            again, self.offset = initiator.on_retry(answer, now)
            self.link.send(again)
            return None
        self.m3, session = initiator.on_m2(answer)
        if self.m3:
            self.link.send(self.m3)
        return session

    def confirm(self, receive, confirmed, prove):
        """receive(seconds) takes what comes, confirmed() says whether a record opened; M3, or
        what prove() sends without one, again until then. False: it said so often enough, and the
        caller starts again."""
        for _ in range(M3_TIMES):
            deadline = time.monotonic() + M3_AGAIN_S
            while not confirmed() and deadline > time.monotonic():
                try:
                    receive(deadline - time.monotonic())
                except TimeoutError:
                    break
            if confirmed():
                return True
            if self.m3:
                self.link.send(self.m3)
            else:
                prove()
        return False


class Listener:
    """The responder of one peer: answers handshakes, the first one and later ones, from wherever
    they come. A true M3, or the first record under the new keys, makes them the current ones."""

    def __init__(self, link, method, params):
        self.link, self.method = link, method
        self.responder = method.responder(handshake.DATAGRAM, params)
        self.pending = None    # the session that waits for M3
        self.confirmed = None  # the last one that did not
        self._m2_sent = 0.0
        self.retries = self.repeated = 0

    def on_handshake(self, message):
        """Answers it. True for a valid M3: the caller sends a 0x00 record under the keys of
        `confirmed`, at most one in CONFIRM_AGAIN_S."""
        if message[3:4] == b"\x01":
            self._on_m1(message)
            return False
        self.responder.on_m3(message)
        self.confirm()
        return True

    def confirm(self):
        if self.pending:
            self.confirmed, self.pending = self.pending, None
            self.link.remote = self.link.source

    def _on_m1(self, m1):
        source = repr(self.link.source).encode()
        index, e_r, now = new_index(), os.urandom(32), unix_ms()
        minute = int(time.monotonic() // 60)
        shown = self.method.shown(self.responder, m1, source, minute)
        try:
            m2, session = self.responder.on_m1(m1, index, e_r, now, shown)
        except handshake.Answered as again:
            h1, m2 = self.responder.pending
            if again.h1 != h1 or time.monotonic() - self._m2_sent < M2_AGAIN_S:
                raise
            session = None
            self.repeated += 1
        except handshake.NotFresh:
            self.link.send(self.method.answer(self.responder, m1, source, minute, now),
                           self.link.source)
            self.retries += 1
            return
        self._m2_sent = time.monotonic()
        self.pending = session or self.pending
        self.link.send(m2, self.link.source)


def bound(host, port):
    """A UDP socket that listens there."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    return sock
