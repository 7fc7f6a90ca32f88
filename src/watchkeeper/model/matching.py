"""Conditions on labels as Prometheus and Alertmanager write them: four kinds, expressions anchored at both ends and run
by RE2, whose time is linear in the text whatever a user writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec
import re2

MAX_EXPRESSION = 1024  # characters
MAX_VALUE = 1024  # characters of a label that an expression looks at
_ONE = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')


class Matcher(msgspec.Struct, frozen=True, rename={"is_regex": "isRegex", "is_equal": "isEqual"}):
    """One condition on a label; a label that is absent counts as empty."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels satisfy the condition."""
        value = labels.get(self.name, "")
        same = expression_matches(self.value, value[:MAX_VALUE]) if self.is_regex else value == self.value
        return same is self.is_equal


def read_matchers(text: str) -> tuple[Matcher, ...]:
    """Conditions as they are written between the braces of a Prometheus selector. Raises ValueError with what is wrong.

    >>> [(m.name, m.is_regex, m.is_equal) for m in read_matchers('device!="lo", job=~"db.*"')]
    [('device', False, False), ('job', True, True)]
    """
    found, at = [], 0
    text = text.strip().removeprefix("{").removesuffix("}").strip()
    while at < len(text):
        one = _ONE.match(text, at)
        if one is None:
            raise ValueError(
                f'{text[at : at + 40]!r}: a condition is written such as job="db" or device!~"lo|veth.*"'
            )
        name, sign, value, _ = one.groups()
        value = re.sub(r'\\(["\\])', r"\1", value)
        if len(value) > MAX_EXPRESSION:
            raise ValueError(f"{name}: a value has at most {MAX_EXPRESSION} characters")
        if "~" in sign:
            _compiles(name, value)
        found.append(Matcher(name, value, "~" in sign, "!" not in sign))
        at = one.end()
    return tuple(found)


def _compiles(name: str, expression: str) -> None:
    try:
        expression_matches(expression, "")
    except re2.error as error:
        raise ValueError(f"{name}: {expression!r} is no expression that RE2 can run") from error


@lru_cache(maxsize=8192)
def expression_matches(expression: str, value: str) -> bool:
    """Whether the whole value matches, by RE2. Raises re2.error when it is no expression."""
    return _compiled(expression).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> re.Pattern[str]:
    options = re2.Options()
    options.log_errors = False
    re2.compile(expression, options)  # alone too: "a)|(b" is none, though it would be one in parentheses
    found: re.Pattern[str] = re2.compile(f"(?s:{expression})", options)
    return found
