# SPDX-License-Identifier: MIT
"""Carries out a plan and fills the results."""

import subprocess
import time

from . import lab as hosts
from . import measures
from .rows import Failed

TROUBLES = (Failed, RuntimeError, OSError, subprocess.SubprocessError, AssertionError)


class Run:
    def __init__(self, results, lab, seconds, packets_program, say=print):
        self._results, self._lab, self._seconds = results, lab, seconds
        self._packets_program = packets_program
        self._say = say
        self._set_up = None  # the series that the hosts are set up for
        self._way = None  # what is between them

    def carry_out(self, turns):
        """All turns, saved one by one. KeyboardInterrupt passes through, with nothing lost but
        the turn it interrupts."""
        for number, turn in enumerate(turns, 1):
            if not self._enter(turn.series):
                continue
            start = time.monotonic()
            figures = self._measure(turn)
            self._results.add(turn, figures)
            self._results.save()
            took = time.monotonic() - start
            self._say(f"{number:3}/{len(turns)} {_line(turn, figures)}  ({took:.0f} s)")
        self._results.complete = True
        self._results.save()

    def _enter(self, series):
        """Sets the hosts up for a series; False if this kernel does not allow it."""
        entry = self._results.series[series.name]
        if self._set_up != series.name and not entry["skipped"]:
            _, outer = series.congestion(self._results.head["machine"]["congestion"])
            try:
                if series.way != self._way:
                    self._lab.set_way(series.way)
                    self._way = series.way
                self._lab.set_congestion(outer)
                if series.way is None:
                    self._lab.set_offloads(series.offloads)
                self._set_up = series.name
            except hosts.Refused as reason:
                entry["skipped"] = str(reason)
                self._say(f"series {series.name} is left out: {reason}")
        return not entry["skipped"]

    def _measure(self, turn):
        """{measure: figure} of all steps that went well."""
        default = self._results.head["machine"]["congestion"]
        inner, outer = turn.series.congestion(default)
        figures, step = {}, "start"
        try:
            turn.row.start(self._lab, turn.series.told(default))
            turn.row.wait_up(self._lab)
            subject = measures.Subject(
                self._lab,
                turn.row,
                inner,
                max(self._seconds, turn.series.seconds),
                self._packets_program,
                turn.pairs,
            )
            figures = subject.figures
            for step in turn.steps:
                try:
                    found = measures.STEPS[step](subject)
                    self._lab.check_way()
                    subject.figures.update(found)
                except TROUBLES as error:
                    self._trouble(turn, step, error)
        except TROUBLES as error:
            self._trouble(turn, step, error)
        finally:
            turn.row.stop()
        return figures

    def _trouble(self, turn, step, error):
        text = " ".join(str(error).split())
        self._results.trouble(turn, step, text)
        self._say(f"{turn.row.name}, {step}: {text}")


def _line(turn, figures):
    """What a turn gave, for somebody who watches."""
    shown = (
        ("up_gbps", "up {:.2f} Gbit/s"),
        ("up_cpu_s_per_gb", "{:.2f} CPU-s/GB"),
        ("down_gbps", "down {:.2f}"),
        ("up4_gbps", "4 streams {:.2f}"),
        ("down4_gbps", "down {:.2f}"),
        ("idle_p50_ms", "idle {:.3f} ms"),
        ("loaded_p99_ms", "loaded p99 {:.2f} ms"),
        ("packets_per_s", "{:,.0f} packets/s"),
        ("pss_mb", "{:.1f} MB"),
    )
    words = [text.format(figures[name]) for name, text in shown if name in figures]
    return f"{turn.series.name:13} {turn.row.name:13} {', '.join(words) or 'nothing measured'}"
