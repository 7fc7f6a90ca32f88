"""Draws docs/images/correlation.svg: what `watchkeeper lab correlate` makes of two troubles in one shop, a third elsewhere
behind the same switch, and a stray alert. A test draws it again and compares.

    python tools/correlation_picture.py docs/images/correlation.svg
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from watchkeeper.cli.lab_correlate import Edge, Graph, Line, Node, Stream
from watchkeeper.model.topology import RelationKind

SHOP = (
    ("front", "cart"),
    ("front", "orders"),
    ("orders", "payment"),
    ("cart", "redis"),
    ("payment", "postgres"),
)
MAIL = (("webmail", "imap"), ("imap", "store"))
COLOURS = ("#206bc4", "#d6336c", "#2b8a3e", "#e8590c", "#7048e8")
WIDTH, ROW, LEFT, TOP = 760, 26, 110, 34
SPAN_MS = 240_000
START = 1_750_000_000_000


class Trouble(NamedTuple):
    """Alerts of these items, `count` of them, from this time on."""

    begin_ms: int
    items: Sequence[str]
    count: int
    phase_ms: int


TROUBLES = (
    Trouble(10_000, ("redis", "cart", "front"), 30, 0),
    Trouble(40_000, ("store", "imap", "webmail"), 14, 0),
    Trouble(100_000, ("postgres", "payment", "orders", "front"), 30, 4200),
)


def graph() -> Graph:
    """The shop and the mail, on hosts of their own behind one switch, with a third that is well."""
    edges = [Edge(a, b, RelationKind.DEPENDS_ON) for a, b in (*SHOP, *MAIL, ("wiki", "wiki-db"))]
    hosts = {"shop-host": SHOP, "mail-host": MAIL, "wiki-host": (("wiki", "wiki-db"),)}
    for host, pairs in hosts.items():
        edges += [Edge(x, host, RelationKind.RUNS_ON) for x in sorted({x for p in pairs for x in p})]
        edges.append(Edge(host, "switch", RelationKind.DEPENDS_ON))
    names = sorted({x for e in edges for x in (e.source, e.target)})
    return Graph(tuple(Node(n, "service") for n in names), tuple(edges))


def alerts() -> list[Line]:
    """In the order of their begin: of each trouble more at first than later, in rounds of fifteen seconds."""
    chance, found = random.Random(7), []
    for number, t in enumerate(TROUBLES):
        every = [(item, f"Slow {n}") for item in t.items for n in range(12)]
        for n, (item, name) in enumerate(chance.sample(every, t.count)):
            rounds = int(chance.expovariate(0.8))
            at = START + t.begin_ms + t.phase_ms + rounds * 15_000 + chance.randrange(900)
            found.append(Line(f"{number}-{n}", at, item, name=name))
    found.append(Line("stray", START + 75_000, "wiki-host", name="Disk"))
    return sorted((a for a in found if a.time < START + SPAN_MS), key=lambda a: (a.time, a.id))


def draw() -> str:
    """The picture as SVG."""
    told = alerts()
    situations = list(Stream(graph().topology()).run(iter(told)))
    return "\n".join(["<!-- made by tools/correlation_picture.py -->", *_svg(told, situations)]) + "\n"


def _svg(told: Sequence[Line], situations: Sequence[dict[str, Any]]) -> Iterator[str]:
    order = [
        "front",
        "cart",
        "redis",
        "orders",
        "payment",
        "postgres",
        "webmail",
        "imap",
        "store",
        "wiki-host",
    ]
    ordered = sorted(situations, key=lambda s: s["start"])
    colour = {a: COLOURS[n % len(COLOURS)] for n, s in enumerate(ordered) for a in s["alerts"]}
    height = TOP + ROW * len(order) + 34 + 20 * len(ordered)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Alerts of ten items over four minutes, coloured by situation">'
    )
    yield f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    for minute in range(5):
        x = _x(START + minute * 60_000)
        yield f'<path d="M{x} {TOP - 8}V{TOP + ROW * len(order)}" stroke="#ddd"/>'
        yield f'<text x="{x}" y="{TOP - 14}" text-anchor="middle" fill="#667">{minute} min</text>'
    for n, item in enumerate(order):
        yield f'<text x="{LEFT - 12}" y="{_y(n) + 4}" text-anchor="end" fill="#223">{item}</text>'
        for a in (a for a in told if a.entity == item):
            yield f'<circle cx="{_x(a.time)}" cy="{_y(n)}" r="4.5" fill="{colour[a.id]}" fill-opacity=".75"/>'
    for n, s in enumerate(ordered):
        y = TOP + ROW * len(order) + 24 + 20 * n
        cause = f", probable cause {s['causes'][0]['entity']}" if s["causes"] else ""
        count = f"{len(s['alerts'])} alert{'s' if len(s['alerts']) > 1 else ''}"
        yield f'<circle cx="{LEFT}" cy="{y - 4}" r="4.5" fill="{COLOURS[n % len(COLOURS)]}"/>'
        yield f'<text x="{LEFT + 12}" y="{y}" fill="#223">{escape(count + cause)}</text>'
    yield "</svg>"


def _x(time_ms: int) -> float:
    return round(LEFT + (time_ms - START) / SPAN_MS * (WIDTH - LEFT - 24), 1)


def _y(row: int) -> float:
    return TOP + ROW * (row + 0.5)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw())
