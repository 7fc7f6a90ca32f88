"""Series as tests write them: a selector, and values such as `1+2x5 _ stale 3x2` (promql/parser)."""

from __future__ import annotations

import re

from watchkeeper.telemetry import promql
from watchkeeper.telemetry.promql.values import NAME
from watchkeeper.telemetry.rulefiles.groups import ENDED
from watchkeeper.telemetry.rulefiles.yaml_nodes import BadRules

MOST_VALUES = 100_000
_NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|[iI]nf|[nN]a[nN])"
_VALUE = re.compile(
    rf"(?P<gap>_)(?:x(?P<gaps>\d+))?|(?P<stale>stale)(?:x(?P<stales>\d+))?"
    rf"|(?P<from>{_NUMBER})(?:(?P<by>[+-](?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+))?x(?P<times>\d+))?"
)


def labels_of(text: str) -> dict[str, str]:
    """The labels of `name{a="b"}`, or of `{a="b"}`. Raises BadRules."""
    if text.strip() == "{}":
        return {}
    try:
        found = promql.matchers(text)
    except promql.BadQuery as error:
        raise BadRules(f"{text!r} names no series: {error.detail}") from error
    if any(m.operator != "=" for m in found):
        raise BadRules(f"{text!r} names no series: labels have to be equal to something")
    return {m.label: m.value for m in found if m.value}


def values_of(text: str) -> list[float | None]:
    """The values, None where there is none. Raises BadRules.

    >>> values_of("1+2x2 _x2 -3 4x1")
    [1.0, 3.0, 5.0, None, None, -3.0, 4.0, 4.0]
    """
    out: list[float | None] = []
    for word in text.split():
        found = _VALUE.fullmatch(word)
        if found is None:
            raise BadRules(f"{word!r} is no value of a series; there are 1, 1+2x5, 1x5, _, _x5 and stale")
        repeats = next((int(n) for n in found.group("gaps", "stales", "times") if n), 0)
        if len(out) + repeats > MOST_VALUES:
            raise BadRules(f"a series has at most {MOST_VALUES:,} values")
        if found["gap"]:
            out += [None] * (repeats or 1)
        elif found["stale"]:
            out += [ENDED] * (repeats + 1)
        else:
            first, by = _number(found["from"]), float(found["by"] or 0)
            out += [first + i * by for i in range(repeats + 1)]
    return out


def _number(text: str) -> float:
    return float(int(text, 16)) if "x" in text.lower() else float(text)


def named(labels: dict[str, str]) -> str:
    """A label set as it is written.

    >>> named({"__name__": "up", "job": "web"})
    'up{job="web"}'
    """
    inner = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != NAME)
    return labels.get(NAME, "") + (f"{{{inner}}}" if inner or NAME not in labels else "")
