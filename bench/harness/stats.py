# SPDX-License-Identifier: MIT
"""The statistics of the benchmark: medians over rounds, and ratios formed within a round.

A sample is a dictionary of what one row gave in one round of one series: {"round": 0,
"series": "cubic", "row": "veth", MEASURE: number, ...}. A measure that failed is absent.
"""

import statistics


def percentile(values, share):
    """The smallest value that at least `share` of all are not above (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


class Spread:
    """The median of some figures, and how far they lie apart."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)
        self.low, self.high = min(self.values), max(self.values)


def select(samples, series, row, measure):
    """{round: figure} of one row, without the rounds in which it has none."""
    return {
        sample["round"]: sample[measure]
        for sample in samples
        if sample["series"] == series and sample["row"] == row and sample.get(measure) is not None
    }


def spread(samples, series, row, measure):
    """The Spread of a row's figures, or None if there is none."""
    found = select(samples, series, row, measure)
    return Spread(found.values()) if found else None


def ratio_in_rounds(over, under):
    """The Spread of over[round] / under[round], of the rounds in both; None if there are none."""
    ratios = [over[r] / under[r] for r in sorted(over) if under.get(r)]
    return Spread(ratios) if ratios else None


def ratio(samples, series, row, base, measure):
    """The Spread of a row's figures in relation to another row's of the same round, or None."""
    return ratio_in_rounds(
        select(samples, series, row, measure), select(samples, series, base, measure)
    )


# Formed with a figure of the bare link that was measured just before.
OF_BASE = {"up_gbps": "up_of_veth", "up_cpu_s_per_gb": "up_cpu_of_veth"}


def of_base(samples, series, row, base, measure):
    """The Spread of a row's figures in relation to the bare link's: those that were measured next
    to each other, or where there are none those of a round."""
    paired = spread(samples, series, row, OF_BASE[measure])
    return paired or ratio(samples, series, row, base, measure)


def best_in_rounds(samples, series, rows, measure):
    """{round: the largest figure that any of `rows` has in it}."""
    best = {}
    for row in rows:
        for number, figure in select(samples, series, row, measure).items():
            best[number] = max(figure, best.get(number, figure))
    return best
