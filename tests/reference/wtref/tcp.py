# SPDX-License-Identifier: MIT
"""Framing on a stream: a u32 length, not counting itself, before each message."""

import struct

from . import Refused
from .record import RECORD_MAX, RECORD_MIN

UNAUTHENTICATED_MAX = 512
HANDSHAKE_MIN = 8


def frame(message):
    return struct.pack(">I", len(message)) + message


class Stream:
    """Whole messages over a connected socket. Its timeout is the caller's."""

    def __init__(self, sock):
        self.sock = sock
        self.authenticated = False

    def send(self, message):
        self.sock.sendall(frame(message))

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            chunk = self.sock.recv(size - len(data))
            if not chunk:
                raise EOFError("the stream ended inside a message" if data else "the stream ended")
            data += chunk
        return data

    def receive(self):
        size = struct.unpack(">I", self._exactly(4))[0]
        low = RECORD_MIN if self.authenticated else HANDSHAKE_MIN
        high = RECORD_MAX if self.authenticated else UNAUTHENTICATED_MAX
        if not low <= size <= high:
            raise Refused(f"a length of {size} is outside {low}..{high}")
        return self._exactly(size)
