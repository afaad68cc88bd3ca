#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One end of a tunnel over TCP, in user space: no TUN, no rights needed.

    peer.py --connect 192.0.2.1:4433 --psk alice.psk --address 10.8.0.2 --ping 10.8.0.1
    peer.py --listen 127.0.0.1:4433  --psk alice.psk --address 10.8.0.1

Dialling, it sends one echo request through the tunnel, waits for the reply and
closes. Listening, it serves one connection: it answers what pings --address
until the other end closes. One line says how it went; exit code 0 if well.
"""

import argparse
import base64
import os
import pathlib
import socket
import sys
import time

from wtref import Refused, handshake, packet, record
from wtref.tcp import Stream


class Failed(Exception):
    """The attempt is over; the text says why."""


def read_psk(path):
    psk = base64.b64decode(pathlib.Path(path).read_text(encoding="ascii").strip(), validate=True)
    if len(psk) != 32:
        raise Failed(f"{path} holds {len(psk)} bytes, not 32")
    return psk


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def unix_ms():
    return time.time_ns() // 1_000_000


def new_index():
    return int.from_bytes(os.urandom(4), "big") | 1


def own_params():
    return handshake.Params(instance=os.urandom(8))


# ---- the handshake over a stream ---------------------------------------------

def initiate(stream, secrets, now, tag_time):
    initiator = handshake.Initiator(secrets, handshake.STREAM, new_index(), own_params(),
                                    os.urandom(32), now, tag_time)
    stream.send(initiator.m1)
    answer = stream.receive()
    if answer[3:4] == b"\x04":
        stream.send(initiator.on_retry(answer)[0])
        answer = stream.receive()
    m3, session = initiator.on_m2(answer)
    stream.send(m3)
    return session


def respond(stream, secrets, source):
    responder = handshake.Responder(secrets, handshake.STREAM, own_params())
    tokens = handshake.TokenMaker(os.urandom(32))
    m1, token = stream.receive(), None
    try:
        m2, session = responder.on_m1(m1, new_index(), os.urandom(32), unix_ms())
    except handshake.NotFresh:
        h1, remote_index, e_i, _, _ = responder.open_m1(m1, unix_ms())
        token = tokens.token(0, 0, handshake.STREAM, source, e_i)
        stream.send(responder.retry(h1, remote_index, token, unix_ms()))
        m1 = stream.receive()
        m2, session = responder.on_m1(m1, new_index(), os.urandom(32), unix_ms(),
                                      token_valid=m1[116:148] == token)
    stream.send(m2)
    responder.on_m3(stream.receive())
    return session


# ---- what flows then ---------------------------------------------------------

class Tunnel:
    """Records both ways; answers control and echo requests as an end must."""

    def __init__(self, stream, session, address):
        self.stream, self.address = stream, address
        self.stream.authenticated = True
        self.channel = record.Channel(session)
        self.answered = 0
        self.closed = False

    def send(self, plaintext):
        self.stream.send(self.channel.seal(plaintext))

    def send_echo(self, kind, destination, identity, sequence, payload):
        message = packet.echo(kind, identity, sequence, payload)
        self.send(record.inner_packet(packet.ipv4(self.address, destination, packet.ICMP, message)))

    def receive_echo_reply(self):
        """One record; the echo reply that was in it, or None."""
        inner = self.channel.open(self.stream.receive())
        for kind, value in inner.control:
            if kind == record.PING:
                self.send(record.inner_control((record.PONG, value)))
            elif kind == record.CLOSE:
                self.closed = True
        if inner.kind != record.PACKET:
            return None
        echo = packet.parse_echo(inner.packet)
        if not echo or echo[1] != self.address:
            return None
        source, _, kind, identity, sequence, payload = echo
        if kind == packet.ECHO_REPLY:
            return echo
        self.send_echo(packet.ECHO_REPLY, source, identity, sequence, payload)
        self.answered += 1
        return None

    def ping(self, destination, seconds):
        """Milliseconds until the reply; asks again each second."""
        identity = int.from_bytes(os.urandom(2), "big")
        payload = os.urandom(48)
        deadline = time.monotonic() + seconds
        for sequence in range(1, 65536):
            sent = time.monotonic()
            self.send_echo(packet.ECHO_REQUEST, destination, identity, sequence, payload)
            wait_until = min(sent + 1, deadline)
            while (left := wait_until - time.monotonic()) > 0:
                self.stream.sock.settimeout(left)
                try:
                    echo = self.receive_echo_reply()
                except TimeoutError:
                    break
                if self.closed:
                    raise Failed("the other end closed the tunnel")
                if echo and echo[3:] == (identity, sequence, payload):
                    return (time.monotonic() - sent) * 1000
            if time.monotonic() >= deadline:
                break
        raise Failed(f"{destination} did not answer through the tunnel in {seconds} s")

    def close(self):
        self.send(record.inner_control((record.CLOSE, bytes([record.CLOSE_SHUTDOWN]))))
        self.stream.sock.shutdown(socket.SHUT_WR)


# ---- the two commands --------------------------------------------------------

def dial(arguments, secrets):
    host, port = endpoint(arguments.connect)
    with socket.create_connection((host, port), arguments.timeout) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = Stream(sock)
        tag_time = handshake.STATIC_TAG if arguments.static_tag else None
        now = unix_ms() + int(arguments.clock_off * 1000)
        session = initiate(stream, secrets, now, tag_time)
        tunnel = Tunnel(stream, session, arguments.address)
        took = tunnel.ping(arguments.ping, arguments.timeout)
        tunnel.close()
        print(f"{arguments.ping} answered in {took:.2f} ms through {arguments.connect} "
              f"(its MTU {session.peer_params.inner_mtu}, "
              f"largest record {session.peer_params.largest_record})")


def listen(arguments, secrets):
    host, port = endpoint(arguments.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        server.settimeout(arguments.timeout)
        print(f"listening on {host}:{server.getsockname()[1]}", flush=True)
        sock, address = server.accept()
    with sock:
        sock.settimeout(arguments.timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = Stream(sock)
        session = respond(stream, secrets, repr(address).encode())
        tunnel = Tunnel(stream, session, arguments.address)
        tunnel.send(b"\x00")
        while not tunnel.closed:
            tunnel.receive_echo_reply()
        print(f"answered {tunnel.answered} of {address[0]} until it closed")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--connect", metavar="HOST:PORT")
    way.add_argument("--listen", metavar="HOST:PORT")
    parser.add_argument("--psk", required=True, metavar="FILE", help="the key in base64")
    parser.add_argument("--realm", default="whispertunnel")
    parser.add_argument("--address", required=True, help="ours inside the tunnel")
    parser.add_argument("--ping", metavar="ADDRESS", help="with --connect: whom to ask")
    parser.add_argument("--static-tag", action="store_true", help="as if our clock were unknown")
    parser.add_argument("--clock-off", type=float, default=0, metavar="SECONDS",
                        help="with --connect: pretend that our clock is that far ahead")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS")
    arguments = parser.parse_args()
    if arguments.connect and not arguments.ping:
        parser.error("--connect needs --ping")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        secrets = handshake.Secrets(read_psk(arguments.psk), arguments.realm.encode())
        (dial if arguments.connect else listen)(arguments, secrets)
    except (Failed, Refused, EOFError, OSError, ValueError) as error:
        print(f"peer.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
