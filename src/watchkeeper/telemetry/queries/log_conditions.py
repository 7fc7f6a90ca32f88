"""Conditions on log lines as SQL. Every text that a person gave is a bound parameter, never a part of the statement."""

from __future__ import annotations

import re
from typing import Any

from watchkeeper.telemetry.queries.log_language import Condition, Either, Every, How, Level, Match, Without

_TOKEN = re.compile(rb"[0-9A-Za-z\x80-\xff]+")  # as ClickHouse's tokenbf_v1 cuts
_BECAME = "SELECT id FROM templates GROUP BY id"
_COLUMNS = {"": "body", "trace": "trace_id", "span": "span_id", "template": "template_id"}


def compiled(condition: Condition) -> tuple[str, dict[str, Any]]:
    """The SQL of a condition, and what it binds."""
    values: dict[str, Any] = {}
    return _sql(condition, values), values


def _sql(condition: Condition, values: dict[str, Any]) -> str:
    match condition:
        case Every(parts) | Either(parts):
            word = " AND " if isinstance(condition, Every) else " OR "
            return f"({word.join(_sql(p, values) for p in parts)})" if parts else "1"
        case Without(part):
            return f"NOT ({_sql(part, values)})"
        case Level(low, high):
            return f"severity BETWEEN {_bind(values, low, 'Int32')} AND {_bind(values, high, 'Int32')}"
        case Match():
            return _match(condition, values)


def _match(asked: Match, values: dict[str, Any]) -> str:
    column = _column(asked.field, values)
    # Bytes, so that ASCII alone changes, as in ClickHouse's lower().
    text = asked.text.encode().lower().decode()
    match asked.how:
        case How.REGEX:
            return f"match({column}, {_bind(values, asked.text)})"
        case How.WILD if asked.field and not text.strip("*"):
            return f"{column} != ''"
        case How.WILD:
            pattern = "%".join(re.sub(r"([\\%_])", r"\\\1", piece) for piece in text.split("*"))
            return f"lower({column}) LIKE {_bind(values, pattern if asked.field else f'%{pattern}%')}"
        case How.IS if asked.field == "template":
            one = _bind(values, int(text), "UInt64")
            return f"{column} IN (SELECT {one} UNION ALL {_BECAME} HAVING argMax(became, updated) = {one})"
        case How.IS if asked.field in ("trace", "span"):  # by itself, because the index knows it so
            return f"{column} = {_bind(values, text)}"
        case How.IS:
            return f"lower({column}) = {_bind(values, text)}"
        case _:
            return _contains(text, values, whole=asked.how is How.PHRASE)


def _contains(text: str, values: dict[str, Any], *, whole: bool) -> str:
    """That a text occurs in a body. Tokens that must stand whole are asked for by themselves as well, because the
    index knows tokens alone: all of a phrase, the inner ones of a word."""
    conditions = [f"position(lower(body), {_bind(values, text)}) > 0"]
    word = text.encode()
    for token in _TOKEN.finditer(word):
        if whole or (token.start() > 0 and token.end() < len(word)):
            conditions.append(f"hasToken(lower(body), {_bind(values, token[0].decode())})")
    return f"({' AND '.join(conditions)})"


def _column(field: str, values: dict[str, Any]) -> str:
    if field.startswith("label."):
        return f"labels[{_bind(values, field.removeprefix('label.'))}]"
    return _COLUMNS.get(field, field)


def _bind(values: dict[str, Any], value: Any, kind: str = "String") -> str:
    name = f"q{len(values)}"
    values[name] = value
    return f"{{{name}:{kind}}}"
