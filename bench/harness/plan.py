# SPDX-License-Identifier: MIT
"""What is measured in which order: rounds of series of rows, each row alone and started anew."""

from dataclasses import dataclass

from . import series as all_series
from .rows import Veth

START_S = 1.0  # about, for a row to come up and to end
STEP_S = 0.35  # about, for a step to begin and to end
PAIRS = 2  # streams next to one over the bare link, in a turn of the headline series; else one

# idle first: after a load, queues and delayed acknowledgements would still tell of it
WHOLE = ("idle", "up", "down", "up4", "down4", "loaded", "packets", "memory")
BRIEF = ("up",)
QUICK = ("idle", "up", "loaded", "packets", "memory")


@dataclass(frozen=True)
class Turn:
    """One row in one round of one series, and the steps that measure it."""

    round: int
    series: all_series.Series
    row: object
    steps: tuple
    pairs: int  # of its stream up with one over the bare link


def make(rounds, series, rows, quick, chosen=False):
    """Every row of a round before the next round: what changes with time on the machine changes
    for all of them. chosen: somebody asked for just these rows."""
    turns = []
    for number in range(rounds):
        for one in series:
            if one.rounds is not None and number >= one.rounds:
                continue
            for row in rows:
                if not (chosen or _says_something(one, row, quick)):
                    continue
                if one.outer_tcp_only and row.outer == "udp":
                    continue
                steps = BRIEF
                if one.name == all_series.HEADLINE:
                    steps = QUICK if quick else WHOLE
                    if number == rounds - 1 and not quick:
                        steps += ("syscalls",)
                turns.append(Turn(number, one, row, steps, _pairs(one, row, quick)))
    return turns


def _pairs(series, row, quick):
    """None for the bare link itself, nor for a series that needs no ratio."""
    if series.way or isinstance(row, Veth):
        return 0
    return PAIRS if series.name == all_series.HEADLINE and not quick else 1


def _says_something(series, row, quick):
    """Whether a row is worth its time in a series, if nobody asked for it."""
    if series.way:
        return row.on_bad_ways
    return not row.extra or (series.name == all_series.HEADLINE and not quick)


def estimate_s(turns, seconds):
    """About how long that takes."""
    return sum(
        START_S + sum(_step_s(step, turn, max(seconds, turn.series.seconds)) for step in turn.steps)
        for turn in turns
    )


def _step_s(step, turn, seconds):
    if step == "memory":
        return 0
    if step == "up":
        return max(1, 2 * turn.pairs) * (seconds + STEP_S)
    return {"idle": 1.5, "loaded": 2.0}.get(step, 1.0) * seconds + STEP_S
