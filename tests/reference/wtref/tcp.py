# SPDX-License-Identifier: MIT
"""Framing on a stream: a u32 length, not counting itself, before each message."""

import socket
import struct

from . import Refused
from .record import RECORD_MAX

MESSAGE_MIN = 8
UNAUTHENTICATED_MAX = 512


def frame(message):
    return struct.pack(">I", len(message)) + message


class Stream:
    """Whole messages over a connected socket. Its timeout is the caller's."""

    reliable = True

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

    def receive(self, seconds=None):
        if seconds is not None:
            self.sock.settimeout(seconds)
        size = struct.unpack(">I", self._exactly(4))[0]
        high = RECORD_MAX if self.authenticated else UNAUTHENTICATED_MAX
        if not MESSAGE_MIN <= size <= high:
            raise Refused(f"a length of {size} is outside {MESSAGE_MIN}..{high}")
        return self._exactly(size)

    def send_close(self, make):
        """make() seals a CLOSE."""
        self.send(make())
        self.sock.shutdown(socket.SHUT_WR)
