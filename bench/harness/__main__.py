# SPDX-License-Identifier: MIT
"""The command line of scripts/bench."""

import argparse
import datetime
import os
import signal
import subprocess
import sys

from tests.e2e.harness import sandbox

from . import machine, peers, plan, report, tunnel
from . import series as all_series
from .lab import Lab
from .results import Results
from .rows import Veth
from .run import Run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESULTS = os.path.join(ROOT, "bench/results")
ROWS = [Veth(), *tunnel.ROWS, *peers.ROWS]
BUSY = 0.05  # of the machine in use by others: from here on figures are for looking only


def options():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures this tunnel and others between two network namespaces, against the "
        "bare link. Writes bench/results/DATE.json, .md and .svg.",
        epilog=f"Rows: {', '.join(row.name for row in ROWS)}. "
        f"Series: {', '.join(s.name for s in all_series.ALL)}; loss: all of that name.",
    )
    chosen = parser.add_argument
    chosen("--rows", metavar="NAME,...", help="only these rows; veth is always there")
    chosen("--series", metavar="NAME,...", help="only these series")
    chosen("--rounds", type=int, metavar="N", help="default 5, less is a look; 1 with --quick")
    chosen(
        "--seconds", type=int, metavar="N", help="of each measurement; default 2; 1 with --quick"
    )
    chosen("--quick", action="store_true", help="a look that takes two minutes")
    chosen("--output", metavar="PATH", help="the results without suffix, instead of the date's")
    chosen("--report", metavar="FILE.json", help="measure nothing; write its .md and .svg again")
    chosen(
        "--write-docs",
        metavar="FILE.json",
        help="measure nothing; put its tables into docs/performance.md",
    )
    given = parser.parse_args()
    given.rounds = given.rounds or (1 if given.quick else 5)
    given.seconds = given.seconds or (1 if given.quick else 2)
    if min(given.rounds, given.seconds) < 1:
        parser.error("--rounds and --seconds are at least 1")
    given.chosen = given.rows is not None
    given.rows = _choose(parser, "row", given.rows, {row.name: row for row in ROWS})
    if ROWS[0] not in given.rows:
        given.rows.insert(0, ROWS[0])
    only = given.series or (all_series.HEADLINE if given.quick else None)
    if only:
        only = ",".join(all_series.LOSS if name == "loss" else name for name in only.split(","))
    given.series = _choose(parser, "series", only, all_series.BY_NAME)
    return given


def _choose(parser, what, names, known):
    """The things that a list of names means, in our order; all without one."""
    if not names:
        return list(known.values())
    wanted = names.split(",")
    strange = [name for name in wanted if name not in known]
    if strange:
        parser.error(f"no {what} {', '.join(strange)}; there are {', '.join(known)}")
    return [thing for name, thing in known.items() if name in wanted]


def version():
    """Of the source: the commit, marked when files differ from it."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", ROOT, "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "not from a repository"


def head(given):
    busy = machine.load()
    if busy > BUSY:
        print(f"other work takes {busy:.0%} of this machine: the figures are for looking only")
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "source": version(),
        "machine": machine.describe(),
        "others": busy,
        "rounds": given.rounds,
        "seconds": given.seconds,
        "quick": given.quick,
    }


def interrupt_once(number, _frame):
    """Ctrl-C comes twice, to this process and by way of the sandbox; the second one must not keep
    what was measured from being written."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: None)
    raise KeyboardInterrupt(signal.Signals(number).name)


def measure(given, build):
    """In the sandbox; returns the exit code."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt_once)
    sandbox.install(build)
    sandbox.install_plugin(os.path.join(build, "tests/fixtures/lib/crypto-none.so"))
    stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    path = os.path.abspath(given.output or os.path.join(RESULTS, stamp))
    results = Results(f"{path}.json", head(given))
    for row in given.rows:
        reason = row.missing()
        results.rows[row.name] = {
            "title": row.title,
            "outer": row.outer,
            "version": "" if reason else row.version(),
            "skipped": reason,
        }
        if reason:
            print(f"row {row.name} is left out: {reason}")
    default = results.head["machine"]["congestion"]
    for one in given.series:
        reason = all_series.reason_to_skip(one, default)
        results.series[one.name] = {"title": one.title, "skipped": reason}
    turns = plan.make(
        given.rounds,
        [one for one in given.series if not results.series[one.name]["skipped"]],
        [row for row in given.rows if not results.rows[row.name]["skipped"]],
        given.quick,
        given.chosen,
    )
    minutes = plan.estimate_s(turns, given.seconds) / 60
    print(f"{len(turns)} turns, about {minutes:.0f} minutes; results: {path}.json", flush=True)
    code = 0
    try:
        Run(
            results,
            Lab(),
            given.seconds,
            os.path.join(build, "bench/bench_packets"),
            say=lambda line: print(line, flush=True),
        ).carry_out(turns)
    except KeyboardInterrupt:
        code = 130
        print("interrupted; what is there is kept")
    results.save()
    report.write(results, path)
    print(report.text(results))
    print(f"written: {path}.json, .md and .svg")
    return code


def main():
    given = options()
    if given.report or given.write_docs:
        results = Results.load(given.report or given.write_docs)
        if given.report:
            report.write(results, given.report.removesuffix(".json"))
        else:
            report.write_docs(results, os.path.join(ROOT, "docs/performance.md"))
        return 0
    build = os.environ.get("WT_BUILD_DIR", os.path.join(ROOT, "build/release"))
    congestion = machine.Congestion(all_series.COMPARED)
    outside = os.getpid()
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where most of these programs are, and no user looks
    try:
        sandbox.enter()
        code = measure(given, build)
    finally:
        if os.getpid() == outside:
            congestion.close()
    sys.stdout.flush()
    os._exit(code)  # the kernel ends what is still here together with this process


sys.exit(main())
