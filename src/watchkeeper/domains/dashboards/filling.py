"""Variables in queries: $name and ${name} become what was chosen. Pure.

Several values, or all, become one pattern: use them with =~. Where the name stands in a string after =~ or !~, values
are taken literally, whatever characters they have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from watchkeeper.domains.dashboards.definition import Variable

ALL = "$all"
Chosen = Mapping[str, Sequence[str]]

_NAME = re.compile(r"\$(?:\{([a-z][a-z0-9_]*)\}|([a-z][a-z0-9_]*))")
_PATTERN = re.compile(r"[=!]~\s*\"(?:[^\"\\]|\\.)*$")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


def promql(text: str, chosen: Chosen) -> str:
    r"""A query with its variables filled in; names that are unknown stay.

    >>> promql('up{host=~"$host"}[$step]', {"host": ["a.b", "c"], "step": ["30s"]})
    'up{host=~"(?:a\\\\.b|c)"}[30s]'
    >>> promql('up{host="$host"}', {"host": ['a"b']})
    'up{host="a\\"b"}'
    """

    def fill(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in chosen:
            return found[0]
        values, before = chosen[name], text[: found.start()]
        if not _in_string(before):
            return ", ".join(values)
        if not _PATTERN.search(before):
            return _quoted("" if ALL in values else "|".join(values))
        if ALL in values:
            return ".*"
        return _quoted("(?:" + "|".join(re.escape(v) for v in values) + ")" if len(values) != 1
                       else re.escape(values[0]))  # fmt: skip

    return _NAME.sub(fill, text)


def words(text: str, chosen: Chosen) -> str:
    """A title, a text or a condition on log lines with its variables filled in; all becomes nothing.

    >>> words("Load of $host", {"host": ["a", "b"]})
    'Load of a, b'
    """

    def fill(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in chosen:
            return found[0]
        return "" if ALL in chosen[name] else ", ".join(chosen[name])

    return _NAME.sub(fill, text)


def used(text: str) -> set[str]:
    """The names of the variables in a text."""
    return {found[1] or found[2] for found in _NAME.finditer(text)}


def sample(variables: Sequence[Variable]) -> dict[str, list[str]]:
    """Something for each variable, to see whether a query with it can be read."""
    some = {"interval": "5m", "text": "1", "list": "1"}
    own = {v.name: [next(iter(v.values), some.get(v.kind, "x"))] for v in variables}
    return {**own, "step": ["30s"], "range": ["1h"], "rate_interval": ["2m"]}


def _in_string(before: str) -> bool:
    return '"' in _STRING.sub("", before)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
