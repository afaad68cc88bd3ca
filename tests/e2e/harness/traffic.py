# SPDX-License-Identifier: MIT
"""Traffic through a tunnel, and captures of what is on a link."""

import hashlib
import os
import random
import re
import select
import signal
import socket
import subprocess
import threading
import time

CHUNK = 1 << 18
GENTLE_CHUNK, GENTLE_PAUSE_S = 1 << 14, 0.0015
STALL_S = 30  # a transfer that moves nothing for this long has failed
ETH_P_ALL = 3


class Ping:
    """The real `ping`, running beside the test until all of `count` requests were answered, but
    `wait` seconds after the last of them at most. By itself it would not wait that long once
    something was answered, but an interval or two round trips, which a busy machine may take for
    one of them: so it asks on meanwhile, which does not count, unless one is all that was wanted."""

    def __init__(self, ns, address, count=5, interval=0.05, size=None, wait=10, fragment=True):
        self._count = count
        self._lines, self._answered = [], set()
        tail = int(wait / interval) if count > 1 else 0
        command = ["ping", "-n", "-c", str(count + tail), "-i", str(interval), "-W", str(wait)]
        if size is not None:
            command += ["-s", str(size)]
        if not fragment:
            command += ["-M", "do"]
        self.process = subprocess.Popen(
            ns.command(*command, address),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line)
            found = re.search(r"icmp_seq=(\d+) ttl=", line)
            if found and int(found.group(1)) <= self._count:
                self._answered.add(int(found.group(1)))
                if len(self._answered) == self._count:
                    self.process.send_signal(signal.SIGINT)

    def result(self, timeout=120):
        """(sent, received)"""
        self._reader.join(timeout)
        if self._reader.is_alive():
            self.process.kill()
            raise AssertionError(f"ping: still there after {timeout} s")
        self.process.wait()
        self.process.stdout.close()
        output = "".join(self._lines)
        found = re.search(r"(\d+) packets transmitted, ", output)
        if not found:
            raise AssertionError(f"ping: {output.strip()}")
        return min(int(found.group(1)), self._count), len(self._answered)


def ping(ns, address, count=3, interval=0.2, **options):
    """How many of `count` echo requests were answered."""
    return Ping(ns, address, count, interval=interval, **options).result()[1]


class Transfer:
    """A TCP stream of bytes that do not repeat, hashed at both ends. As fast as it goes, or, with
    `gently`, some 10 MB/s, which fills no queue on the way."""

    def __init__(self, sender, receiver, address, size=None, seconds=None, gently=False):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sent = self.received = 0
        self.sent_hash, self.received_hash = hashlib.sha256(), hashlib.sha256()
        self.error = None
        self._end = None if seconds is None else time.monotonic() + seconds
        self._size = size
        self._chunk, self._pause = (GENTLE_CHUNK, GENTLE_PAUSE_S) if gently else (CHUNK, 0)
        self._listener = receiver.socket(family)
        self._listener.settimeout(STALL_S)
        self._listener.bind((address, 0))
        self._listener.listen(1)
        self._out = sender.socket(family)
        self._out.settimeout(STALL_S)
        self._threads = [
            threading.Thread(target=self._guard, args=(fn,), daemon=True)
            for fn in (self._receive, self._send)
        ]
        for thread in self._threads:
            thread.start()

    def _guard(self, fn):
        try:
            fn()
        except OSError as error:
            self.error = self.error or error

    def _send(self):
        noise = random.randbytes(self._chunk)
        with self._out as out:
            out.connect(self._listener.getsockname())
            while self._more():
                chunk = self.sent.to_bytes(8, "big") + noise
                if self._size is not None:
                    chunk = chunk[: self._size - self.sent]
                out.sendall(chunk)
                self.sent_hash.update(chunk)
                self.sent += len(chunk)
                time.sleep(self._pause)
            out.shutdown(socket.SHUT_WR)
            out.recv(1)  # until the receiver has read all of it

    def _more(self):
        if self._end is not None:
            return time.monotonic() < self._end
        return self.sent < self._size

    def _receive(self):
        with self._listener:
            stream, _ = self._listener.accept()
        with stream:
            stream.settimeout(STALL_S)
            while data := stream.recv(CHUNK):
                self.received_hash.update(data)
                self.received += len(data)

    def begun(self):
        """Waits until something has arrived."""
        while not self.received and any(thread.is_alive() for thread in self._threads):
            time.sleep(0.01)

    def finish(self, timeout=180):
        """The number of bytes, all of them arrived unchanged; AssertionError otherwise."""
        for thread in self._threads:
            thread.join(timeout)
            if thread.is_alive():
                raise AssertionError(
                    f"transfer: {self.received} of {self.sent} bytes, then a stall"
                )
        if self.error:
            raise AssertionError(f"transfer: {self.received} of {self.sent} bytes: {self.error}")
        if self.sent_hash.digest() != self.received_hash.digest():
            raise AssertionError(f"transfer: other bytes arrived ({self.sent}, {self.received})")
        return self.received


def transfer(sender, receiver, address, size=8 << 20):
    """Moves `size` bytes to `address`, a local address of `receiver`."""
    return Transfer(sender, receiver, address, size=size).finish()


class Capture:
    """Every packet of one device, both directions, kept in memory."""

    def __init__(self, ns, device):
        self.packets = []
        self._socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.bind((device, ETH_P_ALL))
        self._socket.setblocking(False)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            ready, _, _ = select.select([self._socket, self._wake_read], [], [])
            while True:
                try:
                    self.packets.append(self._socket.recv(65536))
                except BlockingIOError:
                    break
                except OSError:
                    return  # the device is gone
            if self._wake_read in ready:
                return

    def stop(self):
        """Ends the capture; what was on the device before the call is in `packets`."""
        os.write(self._wake_write, b".")
        self._thread.join()
        self._socket.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        return self

    def contains(self, marker):
        return any(marker in packet for packet in self.packets)
