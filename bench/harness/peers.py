# SPDX-License-Identifier: MIT
"""The rows of other tunnels, as their packages bring them: nothing is tuned but what is said here.

They get keys that are made for the run, and the strongest of what they have in common: an AEAD
with AES where there is one.
"""

import os
import re

from .lab import CLIENT, CLIENT_IN, SERVER, SERVER_IN
from .machine import first_line
from .rows import Program

PORT = 5000


class OpenVpn(Program):
    """TLS with certificates pinned by fingerprint, AES-256-GCM, without the kernel's DCO."""

    programs, package = ("openvpn", "openssl"), "openvpn"

    def __init__(self, outer):
        super().__init__()
        self.outer = outer
        self.name = f"openvpn-{outer}"
        self.title = f"OpenVPN over {outer.upper()}, AES-256-GCM"

    def version(self):
        return " ".join(first_line("openvpn", "--version").split()[:2])

    def _certificate(self, lab, ns):
        """(path of the key, path of the certificate, fingerprint)"""
        key, cert = self.scratch(f"{ns.name}.key"), self.scratch(f"{ns.name}.crt")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        names = ("-subj", f"/CN={ns.name}", "-days", "2")
        self.run(ns, "openssl", "req", "-x509", *curve, *names, "-keyout", key, "-out", cert)
        shown = self.run(ns, "openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256")
        return key, cert, shown.strip().partition("=")[2]

    def start(self, lab, congestion):
        ends = {ns.name: self._certificate(lab, ns) for ns in (lab.server, lab.client)}
        proto = ("udp", "udp") if self.outer == "udp" else ("tcp-server", "tcp-client")
        for ns, other, role, protocol, addresses, remote in (
            (lab.server, lab.client, "--tls-server", proto[0], (SERVER_IN, CLIENT_IN), ()),
            (
                lab.client,
                lab.server,
                "--tls-client",
                proto[1],
                (CLIENT_IN, SERVER_IN),
                ("--remote", SERVER),
            ),
        ):
            key, cert, _ = ends[ns.name]
            self.spawn(
                ns,
                *("openvpn", "--dev", "tun0", "--dev-type", "tun", "--proto", protocol),
                *("--port", str(PORT), "--ifconfig", *addresses, *remote),
                *(role, "--dh", "none") if role == "--tls-server" else (role,),
                *("--key", key, "--cert", cert, "--peer-fingerprint", ends[other.name][2]),
                *("--data-ciphers", "AES-256-GCM", "--disable-dco", "--verb", "1"),
            )
            # A client that finds nobody waits for seconds before it tries again.
            self.wait_for_word("link local", "Listening for incoming TCP")


class WireGuardGo(Program):
    """The user-space implementation, ChaCha20-Poly1305."""

    name = "wireguard-go"
    outer = "udp"
    programs, package = ("wireguard-go", "wg"), "wireguard-go"

    def __init__(self):
        super().__init__()
        self.title = "wireguard-go over UDP"

    def version(self):
        version = first_line("wireguard-go", "--version")
        found = re.search(r"0\.0\.(\d{8})", version)
        if found and int(found.group(1)) < 20230300:
            version += ", which is older than its segmentation offloads (2023)"
        return version

    def start(self, lab, congestion):
        keys = {}
        for ns in (lab.server, lab.client):
            private = self.run(ns, "wg", "genkey")
            keys[ns.name] = private, self.run(ns, "wg", "pubkey", stdin=private).strip()
        for ns, other, address, far, remote in (
            (lab.server, lab.client, SERVER_IN, CLIENT_IN, CLIENT),
            (lab.client, lab.server, CLIENT_IN, SERVER_IN, SERVER),
        ):
            device = f"wg-{ns.name}"  # also the name of its control socket
            # It refuses to start where the kernel has its own WireGuard, unless told this.
            insist = {"WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"}
            self.spawn(ns, "wireguard-go", "-f", device, env=insist)
            control = f"/var/run/wireguard/{device}.sock"
            self.wait_until(lambda path=control: os.path.exists(path), control)
            self.run(
                ns,
                *("wg", "set", device, "listen-port", str(PORT)),
                *("private-key", self.scratch(f"{ns.name}.key", keys[ns.name][0])),
                *("peer", keys[other.name][1], "endpoint", f"{remote}:{PORT}"),
                *("allowed-ips", f"{far}/32"),
            )
            ns.ip(f"addr add {address}/24 dev {device}", f"link set {device} up")


class Fastd(Program):
    """Over UDP; its method is chosen by measurement: docs/performance.md."""

    name = "fastd"
    outer = "udp"
    programs, package = ("fastd",), "fastd"
    method = "salsa2012+umac"
    # 1500 without IPv4, UDP and the method's header: the largest that is not fragmented
    mtu = 1500 - 20 - 8 - 24

    def __init__(self):
        super().__init__()
        self.title = f"fastd over UDP, {self.method}"

    def version(self):
        return first_line("fastd", "--version")

    def start(self, lab, congestion):
        keys = {}
        for ns in (lab.server, lab.client):
            secret = self.run(ns, "fastd", "--generate-key", "--machine-readable").strip()
            config = self.scratch(f"{ns.name}.secret", f'secret "{secret}";\n')
            public = self.run(ns, "fastd", "--show-key", "--machine-readable", "-c", config)
            keys[ns.name] = secret, public.strip()
        # One end dials: two handshakes that cross leave both ends with different keys.
        for ns, other, own, address, remote in (
            (lab.server, lab.client, SERVER, SERVER_IN, ""),
            (lab.client, lab.server, CLIENT, CLIENT_IN, f" remote {SERVER}:{PORT};"),
        ):
            config = self.scratch(
                f"{ns.name}.conf",
                f'mode tun; interface "fastd0"; mtu {self.mtu}; method "{self.method}";\n'
                f'bind {own}:{PORT}; secret "{keys[ns.name][0]}"; log level warn;\n'
                f'on up "ip addr add {address}/24 dev fastd0; ip link set fastd0 up";\n'
                f'peer "other" {{ key "{keys[other.name][1]}";{remote} }}\n',
            )
            self.spawn(ns, "fastd", "-c", config)


class Tinc(Program):
    """Its defaults, which are AES-256-CBC with HMAC-SHA-256; version 1.0 has no AEAD."""

    name = "tinc"
    outer = "udp"
    programs, package = ("tincd", "openssl"), "tinc"

    def __init__(self):
        super().__init__()
        self.title = "tinc over UDP, its default cipher"
        self._keys = {}

    def version(self):
        return first_line("tincd", "--version")

    def _key(self, ns):
        """(private, public), made once a run: RSA keys take seconds."""
        if ns.name not in self._keys:
            private = self.run(ns, "openssl", "genrsa", "-traditional", "2048")
            public = self.run(ns, "openssl", "rsa", "-RSAPublicKey_out", stdin=private)
            self._keys[ns.name] = private, public
        return self._keys[ns.name]

    def start(self, lab, congestion):
        hosts = {
            ns.name: f"Address = {outer} {PORT}\nPort = {PORT}\nSubnet = {inner}/32\n"
            f"{self._key(ns)[1]}"
            for ns, outer, inner in (
                (lab.server, SERVER, SERVER_IN),
                (lab.client, CLIENT, CLIENT_IN),
            )
        }
        for ns, other, address in (
            (lab.server, lab.client, SERVER_IN),
            (lab.client, lab.server, CLIENT_IN),
        ):
            folder = self.scratch_folder(
                ns.name,
                {
                    "tinc.conf": f"Name = {ns.name}\nInterface = tinc0\nDeviceType = tun\n"
                    f"ConnectTo = {other.name}\n",
                    "rsa_key.priv": self._key(ns)[0],
                    "tinc-up": "#!/bin/sh\n"
                    f"ip addr add {address}/24 dev tinc0\nip link set tinc0 up\n",
                    **{f"hosts/{name}": text for name, text in hosts.items()},
                },
            )
            self.spawn(ns, "tincd", "-D", "-c", folder, f"--pidfile={folder}/pid")


ROWS = [OpenVpn("udp"), OpenVpn("tcp"), WireGuardGo(), Fastd(), Tinc()]
