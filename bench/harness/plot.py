# SPDX-License-Identifier: MIT
"""A bar chart as SVG: the throughput of one stream in every row, with its range."""

from xml.sax.saxutils import escape

from . import stats, targets
from .series import HEADLINE

LEFT, WIDTH, RIGHT = 270, 420, 190  # labels, bars, figures
TOP, ROW, BAR = 56, 26, 16
OURS, OTHERS, LINK, RANGE, INK = "#2b6cb0", "#a0aec0", "#cbd5e0", "#1a202c", "#2d3748"


def _text(x, y, text, anchor="start", size=12, weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" fill="{INK}">{escape(text)}</text>'
    )


def _colour(row):
    return LINK if row == targets.BASE else OURS if row.startswith("wt-") else OTHERS


def bars(results):
    """One stream up in relation to the bare link, in the headline series. The link itself, which
    would leave no room to see the others, is a figure and no bar."""
    rows = []
    for name in results.ran(HEADLINE):
        share = stats.of_base(results.samples, HEADLINE, name, targets.BASE, "up_gbps")
        speed = stats.spread(results.samples, HEADLINE, name, "up_gbps")
        if share and name != targets.BASE:
            rows.append((name, results.rows[name]["title"], share, speed.median))
    base = stats.spread(results.samples, HEADLINE, targets.BASE, "up_gbps")
    link = f"{base.median:.1f} Gbit/s" if base else "not measured"
    largest = max((share.high for _, _, share, _ in rows), default=1.0)
    width, height = LEFT + WIDTH + RIGHT, TOP + ROW * len(rows) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(12, 22, "One TCP stream, as a share of the bare link", size=15, weight="bold"),
        _text(
            12,
            42,
            f"bare veth: {link}; cubic everywhere; medians and ranges of the rounds",
        ),
    ]
    for number, (name, title, share, speed) in enumerate(rows):
        y = TOP + ROW * number
        middle = y + BAR / 2
        length, low, high = (
            WIDTH * part / largest for part in (share.median, share.low, share.high)
        )
        parts += [
            _text(LEFT - 8, middle + 4, title, "end"),
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
            f'fill="{_colour(name)}"/>',
            f'<path d="M{LEFT + low:.1f} {middle}H{LEFT + high:.1f}" stroke="{RANGE}" '
            'stroke-width="1.5"/>',
            _text(LEFT + high + 8, middle + 4, f"{share.median:.3f} ({speed:.2f} Gbit/s)"),
        ]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
