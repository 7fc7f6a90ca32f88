"""The functions of Prometheus' templates (template/template.go) and those of Go's text/template that are of use in them."""

from __future__ import annotations

import datetime as dt
import html
import ipaddress
import math
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_plus

import re2

from watchkeeper.model.relabelling import filled
from watchkeeper.telemetry.promql import BadQuery, duration_ms
from watchkeeper.telemetry.rulefiles.templates import humanizing as humane
from watchkeeper.telemetry.rulefiles.templates.go_text import four_digits, printf, shown
from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate
from watchkeeper.telemetry.rulefiles.templates.values import (
    as_float,
    as_sample,
    as_samples,
    as_text,
    less,
    same,
    true,
)

Function = Callable[..., Any]
MAX_TEXT = 100_000  # characters that a function may make


def _replaced(pattern: str, template: str, text: str) -> str:
    compiled = _compiled(pattern)
    return str(compiled.sub(lambda found: filled(as_text(template), found), as_text(text)))


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(as_text(pattern))
    except re2.error as error:
        raise BadTemplate(f"{pattern!r} is no regular expression") from error


def _first(samples: Any) -> Any:
    if not as_samples(samples):
        raise BadTemplate("first() called on vector with no elements")
    return samples[0]


def _index(of: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(of, list) and isinstance(key, int) and 0 <= key < len(of):
            of = of[key]
        elif isinstance(of, dict) and isinstance(key, str):
            of = of.get(key, "")
        else:
            raise BadTemplate(f"index: there is no {key!r} there")
    return of


def _slice(of: Any, start: int = 0, stop: int | None = None) -> Any:
    if not isinstance(of, str | list) or not 0 <= start <= (len(of) if stop is None else stop) <= len(of):
        raise BadTemplate("slice: out of bounds")
    return of[start:stop]


def _any_of(first: Any, *others: Any) -> Any:
    return next((v for v in (first, *others[:-1]) if true(v)), (first, *others)[-1])


def _all_of(first: Any, *others: Any) -> Any:
    return next((v for v in (first, *others[:-1]) if not true(v)), (first, *others)[-1])


def _print(*values: Any) -> str:
    out = ""
    for i, v in enumerate(values):
        between = i and not isinstance(v, str) and not isinstance(values[i - 1], str)
        out += (" " if between else "") + shown(v)
    return out


def _strip_port(address: str) -> str:
    found = re.fullmatch(r"\[([^\]]*)\]:\w*|([^:]*):\w*", as_text(address))
    return (found[1] if found[1] is not None else found[2]) if found else address


def _strip_domain(address: str) -> str:
    host = _strip_port(address)
    port = address[len(host) :] if address.startswith(host) else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.partition(".")[0] + port
    return address


def _timestamp(value: Any) -> str:
    seconds = as_float(value)
    if not math.isfinite(seconds) or abs(seconds) > 253_402_300_799:
        return four_digits(seconds)
    at = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=math.floor(seconds * 1000))
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _seconds(text: str) -> float:
    try:
        return duration_ms(as_text(text)) / 1000
    except BadQuery as error:
        raise BadTemplate(error.detail) from error


def _title(text: str) -> str:
    return re.sub(r"(?<![\w'])\w", lambda m: m[0].upper(), as_text(text))


def _length(of: Any) -> int:
    if isinstance(of, str):
        return len(of.encode())
    if isinstance(of, list | dict):
        return len(of)
    raise BadTemplate(f"len of {of!r}")


def _by_label(name: str, samples: Any) -> Sequence[Any]:
    return sorted(as_samples(samples), key=lambda s: s.Labels.get(as_text(name), ""))


#: those that need nothing of the rule; `query`, externalURL and pathPrefix are added where they are known
FUNCTIONS: dict[str, Function] = {
    "first": _first, "label": lambda name, s: as_sample(s).Labels.get(as_text(name), ""),
    "value": lambda s: as_sample(s).Value, "strvalue": lambda s: as_sample(s).Labels.get("__value__", ""),
    "sortByLabel": _by_label, "reReplaceAll": _replaced,
    "match": lambda pattern, text: bool(_compiled(pattern).search(as_text(text))),
    "title": _title, "toUpper": lambda t: as_text(t).upper(), "toLower": lambda t: as_text(t).lower(),
    "stripPort": _strip_port, "stripDomain": _strip_domain, "safeHtml": as_text,
    "graphLink": lambda e: f"/graph?g0.expr={quote_plus(as_text(e))}&g0.tab=0",
    "tableLink": lambda e: f"/graph?g0.expr={quote_plus(as_text(e))}&g0.tab=1",
    "humanize": lambda v: humane.metric(as_float(v)), "humanize1024": lambda v: humane.binary(as_float(v)),
    "humanizeDuration": lambda v: humane.duration(as_float(v)),
    "humanizePercentage": lambda v: humane.percentage(as_float(v)), "humanizeTimestamp": _timestamp,
    "parseDuration": _seconds, "args": lambda *v: {f"arg{i}": one for i, one in enumerate(v)},
    "print": _print, "println": lambda *v: " ".join(map(shown, v)) + "\n",
    "printf": lambda pattern, *v: printf(as_text(pattern), *v),
    "and": _all_of, "or": _any_of, "not": lambda v: not true(v), "len": _length, "index": _index,
    "slice": _slice, "html": lambda v: html.escape(shown(v)), "urlquery": lambda v: quote_plus(shown(v)),
    "eq": lambda a, *others: any(same(a, b) for b in others), "ne": lambda a, b: not same(a, b),
    "lt": less, "le": lambda a, b: less(a, b) or same(a, b), "gt": lambda a, b: less(b, a),
    "ge": lambda a, b: less(b, a) or same(a, b),
}  # fmt: skip
OF_THE_RULE = ("query", "externalURL", "pathPrefix")


def call(function: Function, name: str, arguments: Sequence[Any]) -> Any:
    """What it comes to. Raises BadTemplate for arguments that it does not take, and results that are too long."""
    try:
        found = function(*arguments)
    except TypeError as error:
        raise BadTemplate(f"wrong arguments for {name}") from error
    if isinstance(found, str) and len(found) > MAX_TEXT:
        raise BadTemplate(f"{name} makes more than {MAX_TEXT:,} characters")
    return found
