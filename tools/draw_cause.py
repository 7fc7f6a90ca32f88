"""Draws docs/images/cause.svg: series of four services around a trouble that was made up, the onset that was found, and
whom the platform's own method blames. Colours are readable on light and on dark ground.

    python tools/draw_cause.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from watchkeeper.analysis.causes.metrics import Found, causes_of_metrics
from watchkeeper.analysis.causes.onset import Array

OUT = Path(__file__).parents[1] / "docs" / "images" / "cause.svg"
NAMES = ("shop", "cart", "database", "mail")
EDGES = (("shop", "cart"), ("cart", "database"), ("shop", "mail"))
ROWS, ONSET = 180, 130
WIDTH, BAND, LEFT, RIGHT = 720, 64, 90, 190
GREY, LINE, BLAMED = "#8a8f98", "#4c8dd6", "#d6604d"


def world() -> Array:
    """Latency in ms: the database slows down, whoever needs it waits, a spike of the mail service means nothing."""
    noise = np.random.default_rng(4)
    values = np.abs(noise.normal([[120.0], [60.0], [12.0], [30.0]], [[6.0], [3.0], [0.6], [3.0]], (4, ROWS)))
    for row, late in ((2, 0), (1, 1), (0, 2)):
        values[row, ONSET + late :] += 90.0
    values[3, 60] += 40.0
    return values


def lines(values: Array, found: Found) -> list[str]:
    """The drawing, a shape each."""
    height = BAND * len(NAMES) + 40
    wide = WIDTH - LEFT - RIGHT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13" role="img"><title>Latency of four services, and the share of the blame of each</title>'
    ]
    shares = {c.entity: c.score for c in found.causes}
    best = found.causes[0].entity
    for n, name in enumerate(NAMES):
        top = BAND * n + 12
        low, high = float(values[n].min()), float(values[n].max())
        points = " ".join(
            f"{LEFT + wide * i / (ROWS - 1):.1f},{top + (BAND - 18) * (1 - (v - low) / (high - low)):.1f}"
            for i, v in enumerate(values[n])
        )
        colour, share = (BLAMED if name == best else LINE), shares.get(name, 0.0)
        out += [
            f'<text x="{LEFT - 10}" y="{top + 28}" text-anchor="end" fill="{GREY}">{name}</text>',
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<rect x="{WIDTH - RIGHT + 20}" y="{top + 15}" width="{110 * share:.1f}" height="16" fill="{colour}"/>',
            f'<text x="{WIDTH - RIGHT + 26 + 110 * share:.1f}" y="{top + 28}" fill="{GREY}">{share:.0%}</text>',
        ]
    assert found.onset is not None
    at = LEFT + wide * found.onset / (ROWS - 1)
    out += [
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="6" y2="{height - 30}" stroke="{GREY}" stroke-dasharray="4 3"/>',
        f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle" fill="{GREY}">the onset that was found</text>',
        f'<text x="{WIDTH - RIGHT + 20}" y="{height - 12}" fill="{GREY}">share of the blame</text>',
        "</svg>",
    ]
    return out


def main() -> None:
    """Rank, draw, write."""
    values = world()
    found = causes_of_metrics([(n, "latency", "mean") for n in NAMES], values, edges=EDGES)
    OUT.write_text("\n".join(lines(values, found)) + "\n")


if __name__ == "__main__":
    main()
