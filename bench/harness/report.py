# SPDX-License-Identifier: MIT
"""What is written of a run: Markdown tables, and the same between two marks of a document."""

from . import plot, stats, targets
from .series import BY_NAME, HEADLINE

BEGIN = "<!-- begin: scripts/bench --write-docs -->\n"
END = "<!-- end: scripts/bench --write-docs -->\n"
NOTHING = "-"

# (heading, measure, how to print its median)
SPEED = [
    ("1 stream up", "up_gbps", "{:.2f}"),
    ("1 down", "down_gbps", "{:.2f}"),
    ("4 up", "up4_gbps", "{:.2f}"),
    ("4 down", "down4_gbps", "{:.2f}"),
    ("CPU-s/GB", "up_cpu_s_per_gb", "{:.2f}"),
    ("packets/s", "packets_per_s", "{:,.0f}"),
]
DELAY = [
    ("idle p50", "idle_p50_ms", "{:.3f}"),
    ("idle p99", "idle_p99_ms", "{:.3f}"),
    ("one processor", "idle_one_cpu_p50_ms", "{:.3f}"),
    ("loaded p50", "loaded_p50_ms", "{:.2f}"),
    ("loaded p99", "loaded_p99_ms", "{:.2f}"),
    ("of 1 up meanwhile", "loaded_share", "{:.2f}"),
    ("system calls/GB", "syscalls_per_gb", "{:,.0f}"),
    ("Pss MB", "pss_mb", "{:.1f}"),
    ("peak RSS MB", "rss_peak_mb", "{:.1f}"),
]


def _table(heading, rows):
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _show(spread, pattern, with_range=False):
    """ "12.3" or, of several rounds, "12.3 (11.9-12.5)"."""
    if spread is None:
        return NOTHING
    text = pattern.format(spread.median)
    if with_range and len(spread.values) > 1:
        text += f" ({pattern.format(spread.low)}-{pattern.format(spread.high)})"
    return text


def _measure_table(results, columns, ratio_of=None):
    rows = []
    for name in results.ran(HEADLINE):
        cells = [results.rows[name]["title"]]
        if ratio_of:
            ratio = stats.of_base(results.samples, HEADLINE, name, targets.BASE, ratio_of)
            cells.append(_show(ratio, "{:.3f}", with_range=True))
        for _, measure, pattern in columns:
            cells.append(_show(stats.spread(results.samples, HEADLINE, name, measure), pattern))
        rows.append(cells)
    first = ["row", *(["of veth (range)"] if ratio_of else [])]
    return _table([*first, *(heading for heading, _, _ in columns)], rows)


def _has_way(name):
    return name in BY_NAME and BY_NAME[name].way is not None


def _ways_table(results):
    """One stream up over ways that lose."""
    names = [name for name in results.series if results.ran(name) and _has_way(name)]
    rows = []
    for row in results.rows:
        cells = []
        for name in names:
            speed = stats.spread(results.samples, name, row, "up_gbps")
            if speed is not None:
                speed = stats.Spread(1000 * gbps for gbps in speed.values)
            cells.append(_show(speed, "{:.1f}", with_range=True))
        if set(cells) - {NOTHING}:
            rows.append([results.rows[row]["title"], *cells])
    return _table(["row", *names], rows) if names else ""


def _series_table(results):
    """One stream up in every series: Gbit/s, and the ratio to the bare link of that series."""
    names = [name for name in results.series if results.ran(name) and not _has_way(name)]
    rows = []
    for row in results.rows:
        cells = []
        for name in names:
            speed = stats.spread(results.samples, name, row, "up_gbps")
            ratio = stats.of_base(results.samples, name, row, targets.BASE, "up_gbps")
            cells.append(NOTHING if speed is None else _show(speed, "{:.2f}"))
            cells.append(_show(ratio, "{:.3f}", with_range=True))
        if set(cells) != {NOTHING}:
            rows.append([results.rows[row]["title"], *cells])
    heading = [cell for name in names for cell in (name, "of veth (range)")]
    return _table(["row", *heading], rows)


def _target_table(results):
    rows = []
    for target in targets.ALL:
        found = target.find(results.samples)
        sign = "<= " if target.at_most else ">= "
        rows.append(
            [
                target.what,
                f"{sign}{target.must:g}{target.unit}",
                f"{sign}{target.aim:g}{target.unit}",
                _show(found, "{:.3g}" + target.unit, with_range=True),
                target.verdict(found),
            ]
        )
    return _table(["target", "must", "aim", "found (range)", "verdict"], rows)


def _versions(results):
    rows = []
    for name, row in results.rows.items():
        state = f"left out: {row['skipped']}" if row["skipped"] else row["version"] or NOTHING
        rows.append([f"`{name}`", row["title"], state])
    return _table(["name", "row", "version"], rows)


def rounds(results):
    number = results.head["rounds"]
    return "1 round" if number == 1 else f"{number} rounds"


def _head(results):
    head, machine = results.head, results.head["machine"]
    kind = "virtual " if machine["virtual"] else ""
    lines = [
        f"{head['date']}, source {head['source']}, {rounds(results)}, {head['seconds']} s a "
        f"measurement; {machine['processors']} {kind}processors ({machine['processor']}), Linux "
        f"{machine['kernel']}, {machine['system']}, default congestion control "
        f"{machine['congestion']}. Other work took {head['others']:.0%} of the machine when it "
        "began."
    ]
    if head["quick"]:
        lines.append("This was a quick look: one round is no measurement.")
    if not results.complete:
        lines.append("The run was interrupted: these are the rounds that it finished.")
    return "\n".join(lines) + "\n"


def tables(results):
    """The Markdown of a run, from headings of the third level on."""
    parts = [_head(results)]
    if results.ran(HEADLINE):
        parts += [
            "### Targets\n",
            "Medians over the rounds; every ratio is formed within a round, that to bare veth with "
            "what it gave just before.\n",
            _target_table(results),
            "### Speed\n",
            "Gbit/s of TCP streams; UDP packets have 64 bytes. The ratio is of one stream up.\n",
            _measure_table(results, SPEED, ratio_of="up_gbps"),
            "### Delay and cost\n",
            "Round trips in milliseconds; loaded: during one stream up; one processor: idle p50 "
            "with both ends and ping on one.\n",
            _measure_table(results, DELAY),
        ]
    parts.append("### Series\n")
    parts += [
        f"- {name}: {one['title']}{'; left out: ' + one['skipped'] if one['skipped'] else ''}"
        for name, one in results.series.items()
    ]
    parts += ["", "Gbit/s of one stream up.\n", _series_table(results)]
    ways = _ways_table(results)
    if ways:
        parts += ["Mbit/s of one stream up over ways that lose packets (range).\n", ways]
    parts += ["### Versions\n", _versions(results)]
    if results.troubles:
        parts.append("### What failed\n")
        parts += [
            f"- round {t['round'] + 1}, {t['series']}, {t['row']}, {t['step']}: {t['text']}"
            for t in results.troubles
        ]
    return "\n".join(parts).rstrip("\n") + "\n"


def text(results):
    """For the terminal: the same, with columns lined up."""
    blocks, lines = [], []
    for line in [*tables(results).splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if lines:
            widths = [max(map(len, column)) for column in zip(*lines)]
            blocks += [
                "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
                for cells in lines
                if set(cells) != {"---"}
            ]
            lines = []
        blocks.append(line.replace("`", ""))
    return "\n".join(blocks)


def write(results, path):
    """PATH.md and PATH.svg."""
    with open(f"{path}.md", "w", encoding="utf-8") as file:
        file.write(f"# Benchmark of {results.head['date']}\n\n{tables(results)}")
    with open(f"{path}.svg", "w", encoding="utf-8") as file:
        file.write(plot.bars(results))


def write_docs(results, path):
    """Puts the tables between the marks of a document."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise SystemExit(f"bench: {path} needs each of these lines once:\n{BEGIN}{END}")
    before, rest = old.split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{tables(results)}\n{END}{after}")
