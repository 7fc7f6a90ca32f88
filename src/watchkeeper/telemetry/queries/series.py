"""Series: found by name, labels and text, with their last value; names and values of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from watchkeeper.telemetry.queries.points import Latest, latest
from watchkeeper.telemetry.queries.window import LIMIT
from watchkeeper.telemetry.store import Store

_OPERATORS = {
    "=": "{label} = {value}",
    "!=": "{label} != {value}",
    "=~": "match({label}, concat('^(?:', {value}, ')$'))",
    "!~": "NOT match({label}, concat('^(?:', {value}, ')$'))",
}


class Matcher(msgspec.Struct, frozen=True):
    """A condition on a label as in Prometheus: =, !=, =~, !~; `__name__` is the name of the metric."""

    label: str
    value: str
    operator: str = "="


class Wanted(msgspec.Struct, frozen=True):
    """Which series: all conditions hold, and one of `any_of` if there are any. `text` occurs in the name or a
    label's value, whatever its case."""

    name: str = ""
    prefix: str = ""
    text: str = ""
    matchers: tuple[Matcher, ...] = ()
    any_of: tuple[Matcher, ...] = ()


class Series(msgspec.Struct, frozen=True):
    """A series, and its last sample of the last minutes, if there is one."""

    id: int
    name: str
    labels: dict[str, str]
    kind: str
    unit: str
    door: str
    first_seen_ms: int
    last_seen_ms: int
    latest: Latest | None = None


class Kind(msgspec.Struct, frozen=True):
    """A metric's name, what kind it is (counter, gauge, …) and its unit."""

    name: str
    kind: str
    unit: str


def search(store: Store, wanted: Wanted, *, now_ms: int, limit: int = 50, offset: int = 0) -> list[Series]:
    """Series in order of name, with their last values. Raises ValueError for an unknown operator."""
    found = described(store, wanted, limit=limit, offset=offset)
    values = latest(store, [s.id for s in found], now_ms=now_ms)
    return [msgspec.structs.replace(s, latest=values.get(s.id)) for s in found]


def described(store: Store, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> list[Series]:
    """As `search`, without values."""
    where, parameters = _where(wanted)
    return _rows(store, where, {**parameters, "limit": limit, "offset": offset})


def count(store: Store, wanted: Wanted) -> int:
    """How many series there are of these."""
    where, parameters = _where(wanted)
    found = store.rows(
        f"SELECT uniqExact(s.id) AS n FROM series AS s WHERE {where}", parameters, limit_seconds=LIMIT
    )
    return int(found[0]["n"])


def by_id(store: Store, ids: Sequence[int]) -> dict[int, Series]:
    """Series by their ids, without values; those that are not known are left out."""
    parameters = {"ids": list(ids), "limit": len(ids), "offset": 0}
    return {s.id: s for s in _rows(store, "s.id IN {ids:Array(UInt64)}", parameters)} if ids else {}


def label_names(store: Store, *, name: str = "", prefix: str = "", limit: int = 200) -> list[str]:
    """Names of labels that series (of this name) carry, beginning with `prefix`."""
    found = store.rows(
        "SELECT DISTINCT arrayJoin(mapKeys(s.labels)) AS label FROM series AS s "
        "WHERE ({name:String} = '' OR s.name = {name:String}) AND startsWith(label, {prefix:String}) "
        "ORDER BY label LIMIT {limit:UInt32}",
        {"name": name, "prefix": prefix, "limit": limit},
        limit_seconds=LIMIT,
    )
    return [row["label"] for row in found]


def label_values(
    store: Store, label: str, *, name: str = "", prefix: str = "", limit: int = 200
) -> list[str]:
    """Values of a label, beginning with `prefix`; of `__name__`, names of metrics."""
    value = "s.name" if label == "__name__" else "s.labels[{label:String}]"
    found = store.rows(
        f"SELECT DISTINCT {value} AS value FROM series AS s "
        "WHERE ({name:String} = '' OR s.name = {name:String}) AND value != '' "
        "AND startsWith(value, {prefix:String}) ORDER BY value LIMIT {limit:UInt32}",
        {"label": label, "name": name, "prefix": prefix, "limit": limit},
        limit_seconds=LIMIT,
    )
    return [row["value"] for row in found]


def kinds(store: Store, name: str = "", *, limit: int = 200) -> list[Kind]:
    """Metrics, or the one of this name, with their kinds and units, in order of their names."""
    found = store.rows(
        "SELECT s.name AS name, anyLast(s.kind) AS kind, anyLast(s.unit) AS unit FROM series AS s "
        "WHERE {name:String} = '' OR s.name = {name:String} GROUP BY s.name ORDER BY s.name LIMIT {limit:UInt32}",
        {"name": name, "limit": limit},
        limit_seconds=LIMIT,
    )
    return [Kind(**row) for row in found]


def _rows(store: Store, where: str, parameters: Mapping[str, object]) -> list[Series]:
    # Grouped, because what was announced twice may not have been merged yet.
    found = store.rows(
        "SELECT s.id AS id, s.name AS name, anyLast(s.labels) AS labels, anyLast(s.kind) AS kind, "
        "anyLast(s.unit) AS unit, anyLast(s.door) AS door, "
        "toUnixTimestamp64Milli(min(s.first_seen)) AS first_seen_ms, "
        "toUnixTimestamp64Milli(max(s.last_seen)) AS last_seen_ms "
        f"FROM series AS s WHERE {where} GROUP BY s.name, s.id ORDER BY s.name, s.id "
        "LIMIT {limit:UInt32} OFFSET {offset:UInt32}",
        parameters,
        limit_seconds=LIMIT,
    )
    return [Series(**row) for row in found]


def series_where(*any_of: Sequence[Matcher]) -> tuple[str, dict[str, object]]:
    """The condition on `series AS s` that all matchers of one of these hold, and its parameters. Raises ValueError."""
    parameters: dict[str, object] = {}
    every = [
        " AND ".join(_condition(m, f"{i}_{j}", parameters) for j, m in enumerate(matchers))
        for i, matchers in enumerate(any_of)
    ]
    return " OR ".join(f"({one})" for one in every) or "1", parameters


def _where(wanted: Wanted) -> tuple[str, dict[str, object]]:
    conditions, parameters = ["1"], dict[str, object]()
    if wanted.name:
        conditions.append("s.name = {name:String}")
        parameters["name"] = wanted.name
    if wanted.prefix:
        conditions.append("startsWith(s.name, {prefix:String})")
        parameters["prefix"] = wanted.prefix
    if wanted.text:
        conditions.append(
            "(positionCaseInsensitiveUTF8(s.name, {text:String}) > 0 OR "
            "arrayExists(v -> positionCaseInsensitiveUTF8(v, {text:String}) > 0, mapValues(s.labels)))"
        )
        parameters["text"] = wanted.text
    every = [_condition(m, f"{i}", parameters) for i, m in enumerate(wanted.matchers)]
    some = [_condition(m, f"o{i}", parameters) for i, m in enumerate(wanted.any_of)]
    if some:
        every.append(f"({' OR '.join(some)})")
    return " AND ".join([*conditions, *every]), parameters


def _condition(matcher: Matcher, number: str, parameters: dict[str, object]) -> str:
    """A matcher in SQL; its values go into the parameters. Raises ValueError."""
    if matcher.operator not in _OPERATORS:
        raise ValueError(f"{matcher.operator!r} is none of {' '.join(_OPERATORS)}")
    label = "s.name" if matcher.label == "__name__" else f"s.labels[{{label{number}:String}}]"
    parameters |= {f"label{number}": matcher.label, f"value{number}": matcher.value}
    return _OPERATORS[matcher.operator].format(label=label, value=f"{{value{number}:String}}")
