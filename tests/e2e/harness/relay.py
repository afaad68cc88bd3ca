# SPDX-License-Identifier: MIT
"""A relay for the outer TCP connection that misbehaves on command.

As a process:  relay.py LISTEN_HOST LISTEN_PORT CONNECT_HOST CONNECT_PORT
Every command is one line on standard input, answered by one line on standard output once it is
in force. DIR is "up" (towards CONNECT) or "down".

  flip DIR OFFSET   in every connection from now on, flip a bit of the byte at OFFSET of its stream
  flip DIR next     flip a bit of the next byte that passes, once, in any connection
  cut DIR OFFSET    in every connection from now on, end it after OFFSET bytes
  cut DIR next      end the connection that passes a byte next, in the middle of what it passes;
                    where the bytes come from hears of it when the other end has closed, so that
                    of the two ends it is always the same that notices first
  insert DIR HEX    put these bytes before the next ones that pass, once
  slice N           pass at most N bytes at a time
  stall, resume     hold back everything; pass it on
  reflect           connections from now on are sent back their own bytes
  honest            forget all of the above
  seen DIR          how many bytes have passed, in all connections
  wait DIR TOTAL    answered when that many have passed, or "late" after 30 s
"""

import asyncio
import socket
import subprocess
import sys
import threading

CHUNK = 65536
WAIT_S = 30


class Direction:
    """What is to be done to the bytes of one direction."""

    def __init__(self):
        self.seen = 0
        self.honest()

    def honest(self):
        self.flip_at = self.cut_at = None
        self.flip_next = self.cut_next = False
        self.insert = b""

    def treat(self, data, offset):
        """Returns (what to pass on, whether to end the connection then)."""
        end = False
        if self.cut_at is not None and self.cut_at < offset + len(data):
            data, end = data[: max(0, self.cut_at - offset)], True
        if self.cut_next:
            self.cut_next = False
            data, end = data[: len(data) // 2], True
        data = bytearray(data)
        if self.flip_at is not None and offset <= self.flip_at < offset + len(data):
            data[self.flip_at - offset] ^= 0x01
        if self.flip_next and data:
            self.flip_next = False
            data[len(data) // 2] ^= 0x10
        if self.insert:
            data[:0] = self.insert
            self.insert = b""
        return bytes(data), end


class Server:
    """All connections of one relay process; lives in one event loop."""

    def __init__(self, target):
        self.target = target
        self.directions = {"up": Direction(), "down": Direction()}
        self.flowing = asyncio.Event()
        self.passed = asyncio.Condition()
        self.honest()

    def honest(self):
        self.slice = CHUNK
        self.reflect = False
        self.flowing.set()
        for direction in self.directions.values():
            direction.honest()

    async def wait(self, name, total):
        direction = self.directions[name]
        try:
            async with asyncio.timeout(WAIT_S), self.passed:
                await self.passed.wait_for(lambda: direction.seen >= total)
        except TimeoutError:
            return "late"
        return "ok"

    async def command(self, word, *arguments):
        if word in ("flip", "cut"):
            direction = self.directions[arguments[0]]
            if arguments[1] == "next":
                setattr(direction, f"{word}_next", True)
            else:
                setattr(direction, f"{word}_at", int(arguments[1]))
        elif word == "insert":
            self.directions[arguments[0]].insert = bytes.fromhex(arguments[1])
        elif word == "slice":
            self.slice = int(arguments[0])
        elif word == "stall":
            self.flowing.clear()
        elif word == "resume":
            self.flowing.set()
        elif word == "reflect":
            self.reflect = True
        elif word == "honest":
            self.honest()
        elif word == "wait":
            return await self.wait(arguments[0], int(arguments[1]))
        elif word == "seen":
            return str(self.directions[arguments[0]].seen)
        else:
            raise ValueError(word)
        return "ok"

    async def accept(self, reader, writer):
        if self.reflect:
            await self.pump(reader, writer, Direction(), writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        for w in (writer, far_writer):
            w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up, down = self.directions["up"], self.directions["down"]
        await asyncio.gather(
            self.pump(reader, far_writer, up, writer),
            self.pump(far_reader, writer, down, far_writer),
        )

    async def pump(self, reader, writer, direction, back):
        """One direction of one connection; `back` leads to where the bytes come from."""
        offset = 0
        try:
            while data := await reader.read(CHUNK):
                await self.flowing.wait()
                length = len(data)
                data, end = direction.treat(data, offset)
                offset += length
                for at in range(0, len(data), self.slice):
                    writer.write(data[at : at + self.slice])
                    await writer.drain()
                    await self.flowing.wait()
                async with self.passed:
                    direction.seen += len(data)
                    self.passed.notify_all()
                if end:
                    writer.write_eof()
                    return
        except OSError:
            back.close()
        writer.close()


async def serve(listen, target):
    """Serves until standard input ends."""
    server = Server(target)
    await asyncio.start_server(server.accept, *listen)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(await server.command(*line.split()), flush=True)


class Relay:
    """The process, seen from a test. relay("flip up next") returns when it is in force."""

    def __init__(self, ns, listen, target):
        self._lock = threading.Lock()
        where = [str(word) for word in (*listen, *target)]
        self.process = subprocess.Popen(
            ns.command(sys.executable, __file__, *where),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._answer("start", "ready")

    def __call__(self, command):
        with self._lock:
            self.process.stdin.write(command + "\n")
            return self._answer(command, None if command.startswith("seen") else "ok")

    def seen(self, direction):
        return int(self(f"seen {direction}"))

    def _answer(self, command, wanted):
        answer = self.process.stdout.readline().strip()
        if not answer or (wanted and answer != wanted):
            raise RuntimeError(f"relay: {command}: {answer or 'it has ended'}")
        return answer

    def release(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve((sys.argv[1], int(sys.argv[2])), (sys.argv[3], int(sys.argv[4]))))
