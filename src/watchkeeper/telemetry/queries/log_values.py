"""What stands where a template says <*>: the values of its lines, counted, and how they are spread when they are numbers.

The newest lines up to MOST are looked at. They are taken apart where they lie, by an expression that RE2 makes of the
wording, in time linear in the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from watchkeeper.model.log_values import MARK, kind_of
from watchkeeper.telemetry.queries.log_groups import Value
from watchkeeper.telemetry.queries.logs import matching
from watchkeeper.telemetry.queries.window import LIMIT
from watchkeeper.telemetry.store import Store

MOST = 50_000
PLACES = 40
_UNIT = re.compile(r"\s?(ns|us|µs|ms|s|sec|seconds|minutes|hours|bytes|[kKMGT]i?B|%)(?!\w)")
_NUMBER = r"^[-+]?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Spread:
    """Of the numbers that stand in a place."""

    least: float
    median: float
    p95: float
    p99: float
    most: float


@dataclass(frozen=True)
class Place:
    """One <*> of a wording. `before`: the words in front of it; `unit`: what follows it, or ""; `kind`: number, address,
    duration, user …, of the most frequent value; `lines`: looked at; `distinct`: different values, about."""

    number: int
    before: str
    unit: str
    kind: str
    lines: int
    distinct: int
    top: tuple[Value, ...]
    spread: Spread | None


@dataclass(frozen=True)
class Template:
    """A template, and the places of its values."""

    id: int
    text: str
    became: int  # 0: it is still itself
    lines: int
    places: tuple[Place, ...]


def values(
    store: Store, template: int, query: str = "", *, from_ms: int, to_ms: int, limit: int = 8
) -> Template | None:
    """The values of a template's lines that match a query; None when no such template is known. Raises TelemetryError or
    BadLogQuery."""
    known = store.rows(
        "SELECT argMax(text, updated) AS text, argMax(became, updated) AS became FROM templates "
        "WHERE id = {id:UInt64} GROUP BY id", {"id": template},
    )  # fmt: skip
    if not known:
        return None
    text, became = known[0]["text"], known[0]["became"]
    fixed = text.split(MARK)[: PLACES + 1]
    if len(fixed) == 1:
        where, bound = _where(template, query, from_ms, to_ms)
        (row,) = store.rows(f"SELECT count() AS n FROM logs WHERE {where}", bound, limit_seconds=LIMIT)
        return Template(template, text, became, row["n"], ())
    where, bound = _where(template, query, from_ms, to_ms)
    bound |= {"re": expression(text), "number": _NUMBER, "limit": limit, "most": MOST}
    places = f"""SELECT n, v FROM (SELECT extractGroups(body, {{re:String}}) AS g FROM logs WHERE {where}
                 ORDER BY time DESC LIMIT {{most:UInt32}}) ARRAY JOIN g AS v, arrayEnumerate(g) AS n"""
    top = store.rows(
        f"SELECT n, v, count() AS c FROM ({places}) GROUP BY n, v ORDER BY n, c DESC, v LIMIT {{limit:UInt32}} BY n",
        bound, limit_seconds=LIMIT,
    )  # fmt: skip
    spread = store.rows(
        f"""SELECT n, count() AS lines, uniq(v) AS distinct, countIf(isNotNull(x)) AS numbers, min(x) AS least,
                   max(x) AS most, quantiles(0.5, 0.95, 0.99)(x) AS q
            FROM (SELECT n, v, toFloat64OrNull(extract(v, {{number:String}})) AS x FROM ({places})) GROUP BY n ORDER BY n""",
        bound, limit_seconds=LIMIT,
    )  # fmt: skip
    found = tuple(_place(r, [t for t in top if t["n"] == r["n"]], fixed) for r in spread)
    return Template(template, text, became, max((p.lines for p in found), default=0), found)


def expression(text: str) -> str:
    r"""What RE2 takes the lines of a wording apart with.

    >>> expression("took <*> ms")
    '(?s)^\\s*took\\s+(.*?)\\s+ms\\s*$'
    """
    pieces = text.split(MARK)
    if len(pieces) > PLACES + 1:
        pieces = [*pieces[:PLACES], pieces[PLACES]]
        last = ""
    else:
        last = r"\s*$"
    fixed = [r"\s+".join(re.escape(word) for word in piece.split(" ")) for piece in pieces]
    return r"(?s)^\s*" + "(.*?)".join(fixed) + last


def _where(template: int, query: str, from_ms: int, to_ms: int) -> tuple[str, dict[str, Any]]:
    asked = f"({query}) template:{template}" if query.strip() else f"template:{template}"
    return matching(asked, from_ms, to_ms)


def _unit(after: str) -> str:
    found = _UNIT.match(after)
    return found[1] if found else ""


def _place(row: dict[str, Any], top: list[dict[str, Any]], fixed: list[str]) -> Place:
    number = row["n"]
    place = Place(
        number, fixed[number - 1].strip()[-60:], _unit(fixed[number]), kind_of(top[0]["v"], fixed[number - 1]),
        row["lines"], row["distinct"],
        tuple(Value(t["v"][:200], t["c"]) for t in top), None,
    )  # fmt: skip
    measures = place.kind in ("number", "duration", "size")
    if not measures or row["numbers"] < row["lines"]:
        return place
    median, p95, p99 = row["q"]
    return replace(place, spread=Spread(row["least"], median, p95, p99, row["most"]))
