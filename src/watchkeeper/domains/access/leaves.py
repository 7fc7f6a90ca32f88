"""Single tests of an attribute as database conditions: true for exactly the rows for which Cedar says true. Text is
compared letter by letter on every database, which LIKE on SQLite would not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from cedarpy import pst
from django.db.models import F, Q, Value
from django.db.models.functions import Length, Right, StrIndex, Substr
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual

from watchkeeper.domains.access.facts import Column
from watchkeeper.model.verdicts import Severity

Condition = bool | Q


def both(a: Condition, b: Condition) -> Condition:
    """a and b."""
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return a & b


def either(a: Condition, b: Condition) -> Condition:
    """a or b."""
    if isinstance(a, bool):
        return True if a else b
    if isinstance(b, bool):
        return True if b else a
    return a | b


def opposite(a: Condition) -> Condition:
    """not a."""
    return not a if isinstance(a, bool) else ~a


def present(column: Column) -> Condition:
    """The record has the attribute."""
    return Q((f"{column.path}__isnull", False)) if column.nullable else True


def one_of(column: Column, values: Iterable[Any]) -> Condition:
    """It equals one of these values; those of another type equal nothing."""
    found: list[Any]
    match column.sort:
        case "text":
            found = sorted({v for v in values if type(v) is str and "\x00" not in v})
        case "severity":
            found = sorted({Severity(v) for v in values if type(v) is str and v in set(Severity)})
        case "long":
            found = sorted({v for v in values if type(v) is int})
        case _:
            found = sorted({v for v in values if type(v) is bool})
    if not found:
        return False
    return Q((column.path, found[0])) if len(found) == 1 else Q((f"{column.path}__in", found))


def compared(column: Column, lookup: str, number: int) -> Condition:
    """It is lt, lte, gt or gte the number."""
    return Q((f"{column.path}__{lookup}", number))


def matching(pattern: tuple[pst.PatternElem, ...]) -> Callable[[str], bool]:
    """The pattern as a test of a text in memory."""
    parts = (".*" if isinstance(p, pst.Wildcard) else re.escape(p.value) for p in pattern)
    return re.compile("".join(parts), re.DOTALL).fullmatch  # type: ignore[return-value]


def like(column: Column, pattern: tuple[pst.PatternElem, ...]) -> Condition | None:
    """It matches the pattern; None when no filter can tell: text between two wildcards beside text at an end."""
    if column.sort == "severity":
        return one_of(column, filter(matching(pattern), (s.value for s in Severity)))
    pieces = [""]
    for p in pattern:
        if isinstance(p, pst.Wildcard):
            pieces.append("")
        else:
            pieces[-1] += p.value
    if any("\x00" in p for p in pieces):
        return False
    if len(pieces) == 1:
        return one_of(column, pieces)
    first, *middle, last = pieces
    inner = [m for m in middle if m]
    if not inner:
        return _ends(column, first, last)
    if len(inner) > 1 or first or last:
        return None
    return Q(GreaterThan(StrIndex(F(column.path), Value(inner[0])), Value(0)))


def _ends(column: Column, first: str, last: str) -> Condition:
    text, found = F(column.path), Q()
    if first:
        found &= Q(Exact(Substr(text, 1, len(first)), Value(first)))
    if last:
        found &= Q(Exact(Right(text, len(last)), Value(last)))
    if first and last:  # which must not share letters
        found &= Q(GreaterThanOrEqual(Length(text), Value(len(first) + len(last))))
    return found if found else True
