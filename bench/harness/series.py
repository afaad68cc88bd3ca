# SPDX-License-Identifier: MIT
"""A series is one setting of the two hosts under which rows are compared.

`inner` is the congestion control of the measured streams, `outer` that of a tunnel's own TCP
connection; None stands for the machine's default.
"""

from dataclasses import dataclass

HEADLINE = "cubic"
FIXED = "cubic"
COMPARED = ("cubic", "bbr")  # congestion controls on bad ways


@dataclass(frozen=True)
class Way:
    """A packet relay between the hosts. The loss is that of either direction."""

    loss_percent: float
    round_trip_ms: float


@dataclass(frozen=True)
class Series:
    name: str
    title: str
    inner: str | None
    outer: str | None
    offloads: bool = True
    outer_tcp_only: bool = False  # for other rows it would be a series again that is there already
    own_choice: bool = False  # this tunnel is not told what to use outside
    way: Way | None = None  # None: the veth pair
    seconds: int = 0  # at least, of each measurement
    rounds: int | None = None  # at most

    def congestion(self, default):
        return self.inner or default, self.outer or default

    def told(self, default):
        """What this tunnel's configuration says; None: nothing."""
        return None if self.own_choice else self.outer or default


ALL = [
    Series(HEADLINE, "cubic inside and outside", FIXED, FIXED),
    Series(
        "default",
        "as the machine and each tunnel came: no congestion control was chosen",
        None,
        None,
        own_choice=True,
    ),
    Series("no-offloads", "cubic, segmentation offloads of the veth off", FIXED, FIXED, False),
    Series(
        "inner-default",
        "the machine's default inside, cubic outside",
        None,
        FIXED,
        outer_tcp_only=True,
    ),
    Series(
        "outer-default",
        "cubic inside, the machine's default outside",
        FIXED,
        None,
        outer_tcp_only=True,
    ),
    *(
        Series(
            f"loss-{loss}-{congestion}",
            f"{loss} % loss each way and a round trip of 20 ms, {congestion} inside and outside",
            congestion,
            congestion,
            way=Way(loss, 20),
            seconds=5,
            rounds=3,
        )
        for loss in (0.1, 1)
        for congestion in COMPARED
    ),
]
BY_NAME = {series.name: series for series in ALL}
LOSS = ",".join(series.name for series in ALL if series.way)  # what "loss" stands for


def reason_to_skip(series, default):
    """Why a series says nothing on a machine with this default, or None."""
    if default == FIXED and (series.inner is None or series.outer is None):
        return f"the machine's default is {FIXED} itself"
    return None
