"""The log lines that match a query, grouped: the most frequent values of their fields, and their templates."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.telemetry.queries.log_language import SEVERITIES
from watchkeeper.telemetry.queries.logs import matching
from watchkeeper.telemetry.queries.window import LIMIT, Window
from watchkeeper.telemetry.store import Store

FACETS = ("severity", "host", "service", "source")
SPARKS = 24  # stretches of a template's course


@dataclass(frozen=True)
class Value:
    """One value of a field with the number of lines that have it."""

    value: str
    count: int


@dataclass(frozen=True)
class Shape:
    """A template with how many lines it has, in all and in each of at most about SPARKS stretches of time."""

    id: int
    text: str
    count: int
    course: tuple[int, ...] = ()


def facets(
    store: Store, query: str = "", *, from_ms: int, to_ms: int, limit: int = 8
) -> dict[str, list[Value]]:
    """The most frequent values of each of FACETS, counted exactly; lines without one are left out. Raises
    TelemetryError or BadLogQuery."""
    where, values = matching(query, from_ms, to_ms)
    # One reading of the table for all of them.
    sql = f"""SELECT field, value, n FROM (
                  SELECT pair.1 AS field, pair.2 AS value, count() AS n FROM logs
                  ARRAY JOIN [('severity', toString(least(intDiv(severity + 3, 4), 6))), ('host', toString(host)),
                              ('service', toString(service)), ('source', toString(source))] AS pair
                  WHERE {where} GROUP BY field, value)
              WHERE value != '' ORDER BY n DESC, value LIMIT {{limit:UInt32}} BY field"""
    found: dict[str, list[Value]] = {name: [] for name in FACETS}
    for r in store.rows(sql, values | {"limit": limit}, limit_seconds=LIMIT):
        name = SEVERITIES[int(r["value"])] if r["field"] == "severity" else r["value"]
        found[r["field"]].append(Value(name, r["n"]))
    return found


def templates(store: Store, query: str = "", *, from_ms: int, to_ms: int, limit: int = 20) -> list[Shape]:
    """The most frequent templates of the lines that match. Raises as `facets`."""
    where, values = matching(query, from_ms, to_ms)
    window = Window(from_ms, to_ms)
    step, first = window.step_ms(SPARKS), window.starts(SPARKS)[0]
    sql = f"""SELECT l.id AS id, t.text AS text, l.count AS count, l.bars AS bars, l.counts AS counts FROM (
                  SELECT id, sum(n) AS count, groupArray(bar) AS bars, groupArray(n) AS counts FROM (
                      SELECT if(b.became = 0, r.raw, b.became) AS id, sum(r.n) AS n, r.bar AS bar FROM (
                          SELECT template_id AS raw, count() AS n,
                                 intDiv(toUnixTimestamp64Milli(time) - {{first:Int64}}, {{step:Int64}}) AS bar
                          FROM logs WHERE {where} GROUP BY raw, bar) AS r
                      LEFT JOIN (SELECT id, argMax(became, updated) AS became FROM templates GROUP BY id) AS b
                      ON b.id = r.raw GROUP BY id, bar) GROUP BY id)
                  AS l INNER JOIN (SELECT id, argMax(text, updated) AS text FROM templates GROUP BY id) AS t
                  ON t.id = l.id ORDER BY count DESC, id LIMIT {{limit:UInt32}}"""
    values |= {"limit": limit, "step": step, "first": first}
    stretches = len(window.starts(SPARKS))
    found = []
    for r in store.rows(sql, values, limit_seconds=LIMIT):
        counts = dict(zip(r["bars"], r["counts"], strict=True))
        course = tuple(counts.get(i, 0) for i in range(stretches))
        found.append(Shape(r["id"], r["text"], r["count"], course))
    return found
