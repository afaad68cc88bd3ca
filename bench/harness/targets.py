# SPDX-License-Identifier: MIT
"""What the project wants to reach, and whether a run did."""

from dataclasses import dataclass

from . import stats
from .series import HEADLINE

BASE = "veth"
PEERS = ("openvpn-udp", "openvpn-tcp", "wireguard-go", "fastd", "tinc")
OPENSSL, IPSECMB, NONE = "wt-openssl", "wt-ipsecmb", "wt-none"
OPENSSL_IPSECMB = ((OPENSSL, "OpenSSL"), (IPSECMB, "ipsec-mb"))
UDP = {OPENSSL: "wt-udp-openssl", IPSECMB: "wt-udp-ipsecmb"}

UNDISTURBED = 0.95  # of the throughput without pings, for a loaded round trip to count


@dataclass(frozen=True)
class Target:
    """`find` gives a stats.Spread of a run's samples, or None. at_most: small is good."""

    what: str
    unit: str
    must: float
    aim: float
    at_most: bool
    find: object

    def verdict(self, found):
        if found is None:
            return "not measured"
        reached = [
            found.median <= mark if self.at_most else found.median >= mark
            for mark in (self.must, self.aim)
        ]
        return "aim met" if reached[1] else "met" if reached[0] else "missed"


def _ratio(row, base, measure, series=HEADLINE):
    return lambda samples: stats.ratio(samples, series, row, base, measure)


def _of_base(row, measure, series=HEADLINE):
    return lambda samples: stats.of_base(samples, series, row, BASE, measure)


def _figure(row, measure):
    return lambda samples: stats.spread(samples, HEADLINE, row, measure)


def _packets_to_best(row):
    def find(samples):
        return stats.ratio_in_rounds(
            stats.select(samples, HEADLINE, row, "packets_per_s"),
            stats.best_in_rounds(samples, HEADLINE, PEERS, "packets_per_s"),
        )

    return find


def _of_both(what, unit, marks, at_most, find):
    """The same target for OpenSSL and ipsec-mb; marks: {row: (must, aim)} or one pair."""
    for row, name in OPENSSL_IPSECMB:
        must, aim = marks[row] if isinstance(marks, dict) else marks
        yield Target(what.format(name), unit, must, aim, at_most, find(row))


ALL = [
    *_of_both(
        "TCP, {}, one stream, of bare veth",
        "",
        {OPENSSL: (0.16, 0.20), IPSECMB: (0.22, 0.30)},
        False,
        lambda row: _of_base(row, "up_gbps"),
    ),
    Target(
        "ipsec-mb, of the no-cipher plugin", "", 0.90, 0.95, False, _ratio(IPSECMB, NONE, "up_gbps")
    ),
    *_of_both(
        "{}, times OpenVPN over UDP",
        "x",
        {OPENSSL: (11, 13), IPSECMB: (15, 20)},
        False,
        lambda row: _ratio(row, "openvpn-udp", "up_gbps"),
    ),
    *_of_both(
        "CPU-s/GB, {}, times bare veth",
        "x",
        {OPENSSL: (6.0, 5.0), IPSECMB: (4.6, 3.8)},
        True,
        lambda row: _of_base(row, "up_cpu_s_per_gb"),
    ),
    *_of_both(
        "idle RTT p50, {}, times OpenVPN over TCP",
        "x",
        (1.0, 0.5),
        True,
        lambda row: _ratio(row, "openvpn-tcp", "idle_p50_ms"),
    ),
    *_of_both(
        "RTT p99 under full load, {}",
        " ms",
        (6, 1),
        True,
        lambda row: _figure(row, "loaded_p99_ms"),
    ),
    *_of_both(
        "throughput meanwhile, {}, of that without pings",
        "",
        (UNDISTURBED, UNDISTURBED),
        False,
        lambda row: _figure(row, "loaded_share"),
    ),
    *_of_both(
        "64-byte UDP packets/s, {}, times the best peer", "x", (1.5, 3), False, _packets_to_best
    ),
    *_of_both(
        "machine's default congestion control, {}, of bare veth",
        "",
        (0.4, 0.6),
        False,
        lambda row: _of_base(row, "up_gbps", "default"),
    ),
    *_of_both(
        "memory of one end under full load (Pss), {}",
        " MB",
        (32, 8),
        True,
        lambda row: _figure(row, "pss_mb"),
    ),
    *_of_both(
        "UDP, {}, one stream, of bare veth",
        "",
        {OPENSSL: (0.125, 0.17), IPSECMB: (0.19, 0.25)},
        False,
        lambda row: _of_base(UDP[row], "up_gbps"),
    ),
    *_of_both(
        "UDP, {}, times OpenVPN over UDP",
        "x",
        (8, 10),
        False,
        lambda row: _ratio(UDP[row], "openvpn-udp", "up_gbps"),
    ),
    *_of_both(
        "UDP, {}, idle RTT p50 on one processor, times that over TCP",
        "x",
        (1.0, 0.9),
        True,
        lambda row: _ratio(UDP[row], row, "idle_one_cpu_p50_ms"),
    ),
    *_of_both(
        "UDP, {}, 64-byte UDP packets/s, times the best peer",
        "x",
        (1.5, 3),
        False,
        lambda row: _packets_to_best(UDP[row]),
    ),
    *_of_both(
        "UDP, {}, machine's default congestion control, of bare veth",
        "",
        (0.30, 0.5),
        False,
        lambda row: _of_base(UDP[row], "up_gbps", "default"),
    ),
]
