#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One end of a tunnel, in user space: no TUN, no rights needed.

    peer.py --connect 192.0.2.1:4433 --psk alice.psk --address 10.8.0.2 --ping 10.8.0.1
    peer.py --listen 127.0.0.1:4433  --psk alice.psk --address 10.8.0.1
    peer.py --connect 192.0.2.1:4433 --key alice.key --peer-key 3p7b...K08= --address ...

Dialling, it sends one echo request through the tunnel, waits for the reply and
closes. Listening, it serves one peer: it answers what pings --address until the
other end closes. One line says how it went; exit code 0 if well.
"""

import argparse
import base64
import os
import pathlib
import socket
import sys
import time

from wtref import Refused, handshake, methods, noise, packet, record
from wtref.tcp import Stream
from wtref.udp import (CONFIRM_AGAIN_S, Datagrams, Dialler, Listener, bound, new_index, unix_ms)

ANSWERS = {record.PING: record.PONG, record.PATH_CHALLENGE: record.PATH_RESPONSE,
           record.PROBE: record.PROBE_ACK}


class Failed(Exception):
    """The attempt is over; the text says why."""


def decode(text, what):
    key = base64.b64decode(text.strip(), validate=True)
    if len(key) != 32:
        raise Failed(f"{what} holds {len(key)} bytes, not 32")
    return key


def read_key(path):
    return decode(pathlib.Path(path).read_text(encoding="ascii"), path)


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def own_params(lane=0):
    return handshake.Params(instance=os.urandom(8), lane=lane, lanes=lane + 1)


# ---- the handshake over a stream ---------------------------------------------

def initiate(stream, method, params, now):
    """(session, whether a record must prove us)"""
    initiator = method.initiator(handshake.STREAM, new_index(), params, now)
    stream.send(initiator.m1)
    answer = stream.receive()
    if answer[3:4] == b"\x04":
        stream.send(initiator.on_retry(answer)[0])
        answer = stream.receive()
    m3, session = initiator.on_m2(answer)
    if m3:
        stream.send(m3)
    return session, not m3


def respond(stream, method, source):
    """(session, the first record if that was the proof)"""
    responder = method.responder(handshake.STREAM, own_params())
    m1 = stream.receive()
    try:
        m2, session = responder.on_m1(m1, new_index(), os.urandom(32), unix_ms())
    except handshake.NotFresh:
        stream.send(method.answer(responder, m1, source, 1, unix_ms()))
        m1 = stream.receive()
        m2, session = responder.on_m1(m1, new_index(), os.urandom(32), unix_ms(),
                                      method.shown(responder, m1, source, 1))
    stream.send(m2)
    message = stream.receive()
    if message[:1] == b"\x02":
        return session, message
    responder.on_m3(message)
    return session, None


# ---- what flows then ---------------------------------------------------------

class Tunnel:
    """Records both ways, under one session or, on datagrams, several after each other; answers
    control and echo requests as an end must. counters: makes what a channel of it counts with."""

    def __init__(self, link, address, counters):
        self.link, self.address, self.counters = link, address, counters
        self.channels = {}  # by the index of those who send to us
        self.current = None
        self.answered = self.dropped = 0
        self.closed = False

    def receive_under(self, session):
        if session.local_index not in self.channels:
            self.channels[session.local_index] = record.Channel(session, self.counters())

    def send_under(self, session):
        self.receive_under(session)
        self.current = self.channels[session.local_index]

    def send(self, plaintext):
        self.link.send(self.current.seal(plaintext))

    def send_echo(self, kind, destination, identity, sequence, payload):
        message = packet.echo(kind, identity, sequence, payload)
        self.send(record.inner_packet(packet.ipv4(self.address, destination, packet.ICMP, message)))

    def receive_echo_reply(self, seconds):
        """One message; the echo reply that was in it, or None."""
        message = self.link.receive(seconds)
        try:
            return self.take(message)
        except Refused:
            if self.link.reliable:
                raise
            self.dropped += 1
            return None

    def take(self, message):
        """One record; the echo reply that was in it, or None. Refused."""
        index, _ = record.parse_record(message)
        if index not in self.channels:
            raise Refused("nobody's index")
        channel = self.channels[index]
        inner = channel.open(message)
        for kind, value in inner.control:
            if kind in ANSWERS:
                self.send(record.inner_control((ANSWERS[kind], value)))
            elif kind == record.CLOSE and self._ends(channel, value[0]):
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

    def _ends(self, channel, reason):
        """Older keys end it too: the other end changes to the new ones when it knows that we have
        them, and may stop before. But for one reason, which is about those keys alone."""
        return channel is self.current or reason != record.CLOSE_REPLACED

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
                try:
                    echo = self.receive_echo_reply(left)
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
        self.link.send_close(lambda: self.current.seal(record.inner_control(
            (record.CLOSE, bytes([record.CLOSE_SHUTDOWN])))))


# ---- the commands ------------------------------------------------------------

def dial_stream(arguments, method, clock_off_ms):
    """(the tunnel, what the other end can take)"""
    sock = socket.create_connection(endpoint(arguments.connect), arguments.timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = Stream(sock)
    session, must_prove = initiate(stream, method, own_params(arguments.lane),
                                   unix_ms() + clock_off_ms)
    stream.authenticated = True
    tunnel = Tunnel(stream, arguments.address, record.NextOnly)
    tunnel.send_under(session)
    if must_prove:
        tunnel.send(b"\x00")
        while not tunnel.current.opened:
            tunnel.receive_echo_reply(arguments.timeout)
    return tunnel, session.peer_params


def dial_datagrams(arguments, method, clock_off_ms):
    host, port = endpoint(arguments.connect)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    link = Datagrams(socket.socket(family, socket.SOCK_DGRAM), (host, port), arguments.lose / 100)
    dialler = Dialler(link, method, own_params(arguments.lane), clock_off_ms)
    tunnel = Tunnel(link, arguments.address, record.Window)
    deadline = time.monotonic() + arguments.timeout
    while True:
        session = dialler.session(deadline - time.monotonic())
        tunnel.send_under(session)
        if not dialler.m3:
            tunnel.send(b"\x00")
        if dialler.confirm(tunnel.receive_echo_reply, lambda: tunnel.current.opened > 0,
                           lambda: tunnel.send(record.inner_control((record.PING, bytes(8))))):
            return tunnel, session.peer_params


def dial(arguments, method):
    connect = dial_datagrams if arguments.transport == "udp" else dial_stream
    tunnel, params = connect(arguments, method, int(arguments.clock_off * 1000))
    with tunnel.link.sock:
        took = tunnel.ping(arguments.ping, arguments.timeout)
        tunnel.close()
    print(f"{arguments.ping} answered in {took:.2f} ms through {arguments.connect} "
          f"(its MTU {params.inner_mtu}, largest record {params.largest_record}, "
          f"connections {params.lanes})")


def listen(arguments, method):
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
        session, proof = respond(stream, method, repr(address).encode())
        stream.authenticated = True
        tunnel = Tunnel(stream, arguments.address, record.NextOnly)
        tunnel.send_under(session)
        if proof:
            tunnel.take(proof)
        tunnel.send(b"\x00")
        while not tunnel.closed:
            tunnel.receive_echo_reply(arguments.timeout)
        print(f"answered {tunnel.answered} of {address[0]} until it closed")


def listen_datagrams(arguments, method):
    host, port = endpoint(arguments.listen)
    with bound(host, port) as sock:
        print(f"listening on {host}:{sock.getsockname()[1]}", flush=True)
        link = Datagrams(sock, lose=arguments.lose / 100)
        listener = Listener(link, method, own_params())
        tunnel = Tunnel(link, arguments.address, record.Window)
        end = Confirmations(tunnel, listener)
        while not tunnel.closed:
            message = link.receive(arguments.timeout)
            try:
                end.take(message)
            except Refused:
                tunnel.dropped += 1
        print(f"answered {tunnel.answered} of {link.remote[0]} until it closed; {end.handshakes} "
              f"handshakes, {listener.retries} retries, {listener.repeated} repeated, "
              f"{tunnel.dropped} dropped")


class Confirmations:
    """Between the handshakes and the tunnel of an end that listens for datagrams: new keys are
    used when they are confirmed, and the dialler is told with a 0x00 record."""

    def __init__(self, tunnel, listener):
        self.tunnel, self.listener = tunnel, listener
        self.handshakes = 0
        self._told = 0.0

    def take(self, message):
        pending = self.listener.pending
        if message[:1] == b"\x01":
            if self.listener.on_handshake(message):
                self._adopt(new=pending is not None)
            elif self.listener.pending:
                self.tunnel.receive_under(self.listener.pending)
            return
        if pending and record.parse_record(message)[0] == pending.local_index:
            self._try_pending(message, pending)
        else:
            self.tunnel.take(message)

    def _try_pending(self, message, pending):
        """The first record under new keys is as good as M3. What answers it goes under them."""
        record.open_record(pending.recv_key, pending.recv_iv, message)
        self.listener.confirm()
        self._adopt(new=True)
        self.tunnel.take(message)

    def _adopt(self, new):
        self.handshakes += new
        self.tunnel.send_under(self.listener.confirmed)
        if new or time.monotonic() - self._told >= CONFIRM_AGAIN_S:
            self._told = time.monotonic()
            self.tunnel.send(b"\x00")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--connect", metavar="HOST:PORT")
    way.add_argument("--listen", metavar="HOST:PORT")
    parser.add_argument("--psk", metavar="FILE", help="the pre-shared key in base64")
    parser.add_argument("--key", metavar="FILE", help="our private key: auth-noise")
    parser.add_argument("--peer-key", metavar="BASE64", help="the other end's public key")
    parser.add_argument("--realm", default="whispertunnel")
    parser.add_argument("--address", required=True, help="ours inside the tunnel")
    parser.add_argument("--ping", metavar="ADDRESS", help="with --connect: whom to ask")
    parser.add_argument("--static-tag", action="store_true", help="as if our clock were unknown")
    parser.add_argument("--clock-off", type=float, default=0, metavar="SECONDS",
                        help="with --connect: pretend that our clock is that far ahead")
    parser.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
    parser.add_argument("--lose", type=float, default=0, metavar="PERCENT",
                        help="with udp: of our own datagrams, as a bad way would")
    parser.add_argument("--lane", type=int, default=0, metavar="N",
                        help="with --connect: which of several connections this is")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS")
    arguments = parser.parse_args()
    if arguments.connect and not arguments.ping:
        parser.error("--connect needs --ping")
    if bool(arguments.key) != bool(arguments.peer_key):
        parser.error("--key and --peer-key go together")
    if not arguments.psk and not arguments.key:
        parser.error("a --psk is needed, or --key and --peer-key")
    return arguments


def method_of(arguments):
    realm = arguments.realm.encode()
    psk = read_key(arguments.psk) if arguments.psk else noise.NO_PSK
    if arguments.key:
        return methods.Noise(read_key(arguments.key), decode(arguments.peer_key, "--peer-key"),
                             psk, realm)
    return methods.Hmac(psk, realm, handshake.STATIC_TAG if arguments.static_tag else None)


def main():
    arguments = parse_arguments()
    try:
        answer = listen_datagrams if arguments.transport == "udp" else listen
        (dial if arguments.connect else answer)(arguments, method_of(arguments))
    except TimeoutError:
        print("peer.py: nobody answered", file=sys.stderr)
        return 1
    except (Failed, Refused, EOFError, OSError, ValueError) as error:
        print(f"peer.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
