"""Matchers as Alertmanager's: four kinds, expressions anchored at both ends. Expressions are run by RE2, whose time is
linear in the text whatever a user writes."""

from __future__ import annotations

from typing import Any

import msgspec
import re2

from watchkeeper.model.errors import Malformed
from watchkeeper.model.matching import MAX_EXPRESSION, Matcher, expression_matches
from watchkeeper.model.verdicts import Alert

MAX_MATCHERS = 64


def parse_matchers(found: Any, *, narrow: bool = False) -> tuple[Matcher, ...]:
    """Matchers as Alertmanager's API writes them. Raises Malformed: none, too many, an expression that is
    too long or cannot be compiled, or a set that would match every alert; unless they only `narrow` something else.

    >>> parse_matchers([{"name": "job", "value": "db.*", "isRegex": True}])[0].matches({"job": "db-1"})
    True
    """
    try:
        matchers = msgspec.convert(found, tuple[Matcher, ...])
    except msgspec.ValidationError as error:
        raise Malformed(f"matchers: {error}") from error
    if not 0 < len(matchers) <= MAX_MATCHERS:
        raise Malformed(f"a silence needs 1 to {MAX_MATCHERS} matchers")
    for m in matchers:
        if not m.name or len(m.value) > MAX_EXPRESSION:
            raise Malformed(f"a matcher needs a name and a value of at most {MAX_EXPRESSION} characters")
        if m.is_regex:
            try:
                expression_matches(m.value, "")
            except re2.error as error:
                raise Malformed(f"matcher {m.name}: {error}") from error
    if not narrow and all(m.matches({}) for m in matchers):
        raise Malformed("these matchers hold for alerts without any label, so for every alert")
    return matchers


def labels_of(alert: Alert) -> dict[str, str]:
    """What matchers look at: the alert's labels, with its name as `alertname` if it has no such label."""
    return alert.labels if "alertname" in alert.labels else {**alert.labels, "alertname": alert.name}
