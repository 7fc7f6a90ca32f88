"""What a custom field takes: its types, and how a value of each is checked, kept and compared. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

MOST_TEXT, MOST_LONG, MOST_NUMBER = 255, 20_000, 2**53 - 1
NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
TAG = re.compile(r"[^,\x00-\x1f\x7f]{1,64}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
_PICKED = "\n"  # between the choices of one value, and around them: no choice holds it


class Unfit(ValueError):
    """A value that a field does not take; the message says why."""


@dataclass(frozen=True)
class Rule:
    """What the definition of a field asks of a value. `least` and `most` bound numbers, and the length of text."""

    type: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    pattern: str = ""


@dataclass(frozen=True)
class Kept:
    """A value as it is shown (`plain`, JSON's types), and as the database compares it: as text, or as a number."""

    plain: Any
    text: str = ""
    number: float | None = None


def kept(rule: Rule, value: Any) -> Kept:
    """A value from outside: JSON's types, or text from a form or a table. Raises Unfit."""
    match rule.type:
        case "text" | "long_text":
            return _text(rule, value)
        case "whole" | "decimal":
            return _number(rule, value)
        case "yes_no":
            truth = _truth(value)
            return Kept(truth, number=float(truth))
        case "date":
            day = _day(value).isoformat()
            return Kept(day, day)
        case "moment":
            at = _moment(value)
            return Kept(at.isoformat().replace("+00:00", "Z"), number=at.timestamp())
        case "url":
            return _url(value)
        case "choice":
            return Kept(_choice(rule, value), str(value))
        case "choices":
            return _choices(rule, value)
    return Kept(str(value), str(value))  # the key of a record, which the caller looks up


def _text(rule: Rule, value: Any) -> Kept:
    if not isinstance(value, str):
        raise Unfit("it has to be text")
    text = value if rule.type == "long_text" else value.strip()
    most = MOST_LONG if rule.type == "long_text" else MOST_TEXT
    if "\x00" in text:
        raise Unfit("no text may contain NUL")
    if len(text) > min(most, rule.most or most):
        raise Unfit(f"it is longer than {min(most, rule.most or most):g} characters")
    if rule.least is not None and len(text) < rule.least:
        raise Unfit(f"it is shorter than {rule.least:g} characters")
    if rule.pattern and not compiled(rule.pattern).fullmatch(text):
        raise Unfit(f"it does not have the form {rule.pattern}")
    return Kept(text, text)


def _number(rule: Rule, value: Any) -> Kept:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit("it has to be a number")
    try:
        exact = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Unfit(f"{value!r} is not a number") from error
    if not exact.is_finite():
        raise Unfit(f"{value!r} is not a number")
    if rule.type == "whole" and exact != exact.to_integral_value():
        raise Unfit(f"{value!r} is not a whole number")
    number = float(exact)
    if abs(number) > MOST_NUMBER or (
        rule.type == "decimal" and len(exact.normalize().as_tuple().digits) > 15
    ):
        raise Unfit("it has more digits than can be kept exactly (15, and whole numbers below 2^53)")
    if rule.least is not None and number < rule.least:
        raise Unfit(f"it is less than {rule.least:g}")
    if rule.most is not None and number > rule.most:
        raise Unfit(f"it is more than {rule.most:g}")
    return Kept(int(exact) if rule.type == "whole" else number, number=number)


def _truth(value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = value if isinstance(value, bool) else words.get(str(value).strip().lower())
    if found is None:
        raise Unfit("it has to be true or false")
    return bool(found)


def _day(value: Any) -> dt.date:
    try:
        if isinstance(value, str) and len(value.strip()) == 10:
            return dt.date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise Unfit(f"{value!r} is not a date such as 2026-01-31")


def _moment(value: Any) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Unfit(f"{value!r} is not a time with its zone, such as 2026-01-31T08:00:00Z")
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise Unfit(f"{value!r} is out of range") from error


def _url(value: Any) -> Kept:
    """Only http and https: the value becomes a link that people click."""
    text = value.strip() if isinstance(value, str) else ""
    if not web_address(text):
        raise Unfit("it has to be an address that begins with http:// or https://")
    return Kept(text, text)


def web_address(text: str) -> bool:
    """Whether this can be offered as a link.

    >>> web_address("https://wiki.example.org/a?b"), web_address("javascript:alert(1)"), web_address("https://")
    (True, False, False)
    """
    if len(text) > 2000 or any(c.isspace() or ord(c) < 32 for c in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _choice(rule: Rule, value: Any) -> str:
    if value not in rule.choices:
        raise Unfit(f"{value!r} is none of: {', '.join(rule.choices)}")
    return str(value)


def _choices(rule: Rule, value: Any) -> Kept:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        raise Unfit("it has to be a list of choices")
    wanted = {_choice(rule, v) for v in value}
    picked = [c for c in rule.choices if c in wanted]
    return Kept(picked, f"{_PICKED}{_PICKED.join(picked)}{_PICKED}" if picked else "")


def picked(choice: str) -> str:
    """What `text` of a value contains when this choice is among several."""
    return f"{_PICKED}{choice}{_PICKED}"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """A regular expression in RE2, whose time is linear in the text whatever the pattern. Raises Unfit."""
    import re2  # loaded when the first field has a pattern

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        raise Unfit(f"{pattern!r} is no regular expression of RE2: {_said(why)}") from error


def _said(why: Any) -> str:
    return why.decode(errors="replace") if isinstance(why, bytes) else str(why)


def readable_on(colour: str) -> str:
    """Black or white: what can be read on a colour "#rrggbb", by the WCAG's relative luminance.

    >>> readable_on("#ffff00"), readable_on("#1a1a60")
    ('#000000', '#ffffff')
    """

    def linear(part: int) -> float:
        c = part / 255
        return c / 12.92 if c <= 0.04045 else math.pow((c + 0.055) / 1.055, 2.4)

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if light > 0.179 else "#ffffff"
