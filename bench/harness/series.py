# SPDX-License-Identifier: MIT
"""A series is one setting of the two hosts under which rows are compared.

`inner` is the congestion control of the measured streams, `outer` that of a tunnel's own TCP
connection; None stands for the machine's default.
"""

from dataclasses import dataclass

HEADLINE = "cubic"
FIXED = "cubic"


@dataclass(frozen=True)
class Series:
    name: str
    title: str
    inner: str | None
    outer: str | None
    offloads: bool = True
    outer_tcp_only: bool = False  # for other rows it would be a series again that is there already

    def congestion(self, default):
        return self.inner or default, self.outer or default


ALL = [
    Series(HEADLINE, "cubic inside and outside", FIXED, FIXED),
    Series("default", "the machine's default congestion control, inside and outside", None, None),
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
]
BY_NAME = {series.name: series for series in ALL}


def reason_to_skip(series, default):
    """Why a series says nothing on a machine with this default, or None."""
    if default == FIXED and (series.inner is None or series.outer is None):
        return f"the machine's default is {FIXED} itself"
    return None
