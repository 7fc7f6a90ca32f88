"""The language in which log lines are asked for: text in, a tree of conditions out. No SQL and no I/O here.

timeout "connection refused" -debug host:web-* severity>=warn (service:checkout OR label.region:eu) /db-\\d+/i
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import re2

from watchkeeper.model.errors import Malformed

if TYPE_CHECKING:
    from lark import Lark

SEVERITIES = ("unknown", "trace", "debug", "info", "warn", "error", "fatal")  # OpenTelemetry's bands, and 0
FIELDS = ("host", "service", "source", "door", "trace", "span", "template", "severity", "label.NAME")
MOST_CHARACTERS = 2000
MOST_CONDITIONS = 60
MOST_DEPTH = 20

_ALIASES = {"warning": "warn", "err": "error", "information": "info", "critical": "fatal", "crit": "fatal"}
_GRAMMAR = r"""
start: [either]
?either: every (OR every)*
?every: negated (AND? negated)*
?negated: (MINUS | NOT) negated -> without | part
?part: "(" either ")" | FIELD (QUOTED | REGEX | WORD) -> field | COMPARED WORD -> level | (QUOTED | REGEX | WORD) -> body
OR.6: /OR(?=[\s(]|$)/
AND.6: /AND(?=[\s(]|$)/
NOT.6: /NOT(?=[\s(]|$)/
MINUS.5: /-(?=[^\s])/
COMPARED.4: /severity(>=|<=|>|<)/i
FIELD.3: /(label\."[^"]+"|[A-Za-z][\w.\/-]*):/
QUOTED.2: /"(\\.|[^"\\])*"/
REGEX.2: /\/(\\.|[^\/\\])+\/i?(?=[\s)]|$)/
WORD.1: /[^\s()"][^\s()]*/
%ignore /\s+/
"""


class How(StrEnum):
    """How a text is compared: without regard to ASCII case, but for a regular expression."""

    WORD = "occurs, perhaps in a longer word"
    PHRASE = "occurs, of whole words"
    WILD = "as WORD in a body, whole in a field; * is any text"
    REGEX = "matches a part, by RE2"
    IS = "is the whole"


@dataclass(frozen=True)
class Match:
    """A field, or the body (""), compared with a text."""

    field: str
    how: How
    text: str


@dataclass(frozen=True)
class Level:
    """OpenTelemetry's severity number, both ends included."""

    low: int
    high: int


@dataclass(frozen=True)
class Every:
    """All of them hold; always true without any."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One of them holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Without:
    """It does not hold."""

    part: Condition


Condition = Match | Level | Every | Either | Without


class BadLogQuery(Malformed):
    """The text is no question; `place` is the character, from 0, at which it stops being one."""

    reason = "bad_log_query"

    def __init__(self, detail: str, place: int) -> None:
        super().__init__(f"{detail} (at character {place + 1})")
        self.more = {"parameter": "q", "place": place}


def parse(text: str) -> Condition:
    """The conditions. Raises BadLogQuery, which says where."""
    if len(text) > MOST_CHARACTERS:
        raise BadLogQuery(f"a query has at most {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    if "\0" in text:
        raise BadLogQuery("a query holds no zero characters", text.index("\0"))
    from lark.exceptions import UnexpectedInput, UnexpectedToken

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        raise _unread(text, len(text) if ended else error.pos_in_stream) from error
    return Every(()) if tree.children[0] is None else _Reader().read(tree.children[0], 0)


def narrowed(text: str, field: str, value: str, *, without: bool = False) -> str:
    """A query for those lines of another that have, or have not, this value.

    >>> narrowed("a OR b", "host", "web-1"), narrowed("disk", "label.x y", 'a"b', without=True)
    ('(a OR b) host:"web-1"', 'disk -label."x y":"a\\\\"b"')
    """
    if isinstance(parse(text), Either):
        text = f"({text})"
    name = field if re.fullmatch(r"[\w.\/-]+", field) else f'label."{field.removeprefix("label.")}"'
    said = value.replace("\\", "\\\\").replace('"', '\\"')
    if field in ("severity", "template"):  # words and numbers, which need no quotes
        return f"{text} {'-' if without else ''}{name}:{said}".strip()
    return f'{text} {"-" if without else ""}{name}:"{said}"'.strip()


@cache
def _parser() -> Lark:
    """Made when it is first needed."""
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


def _unread(text: str, at: int | None) -> BadLogQuery:
    place = len(text) if at is None or not 0 <= at < len(text) else at
    rest = text[place:]
    if not rest:
        return BadLogQuery("something is missing at the end: a value, or a bracket that closes", place)
    if rest.startswith('"'):
        return BadLogQuery("these quotes are not closed", place)
    if rest.startswith(")"):
        return BadLogQuery("there is nothing that this bracket closes", place)
    return BadLogQuery(f"{rest.split()[0][:20]!r} cannot stand here", place)


class _Reader:
    """From the parser's tree to conditions; counts them, because each costs time."""

    def __init__(self) -> None:
        self._count = 0

    def read(self, tree: Any, depth: int) -> Condition:
        """One branch."""
        if depth > MOST_DEPTH:
            raise BadLogQuery(f"brackets and exclusions are at most {MOST_DEPTH} deep", 0)
        parts: Sequence[Any] = tree.children
        if tree.data in ("either", "every"):
            inner = tuple(self.read(p, depth + 1) for p in parts if hasattr(p, "data"))
            return Either(inner) if tree.data == "either" else Every(inner)
        if tree.data == "without":
            return Without(self.read(parts[-1], depth + 1))
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise BadLogQuery(f"a query has at most {MOST_CONDITIONS} conditions", parts[0].start_pos)
        if tree.data == "level":
            return _level(str(parts[0])[len("severity") :], parts[1])
        return _compared("", parts[0]) if tree.data == "body" else _field(parts[0], parts[1])


def _field(name: Any, value: Any) -> Condition:
    field = str(name)[:-1]
    if field[:6].lower() == "label.":
        return _compared(f"label.{field[6:].strip(chr(34))}", value)
    field = field.lower()
    if field not in FIELDS:
        raise BadLogQuery(
            f"there is no field {field!r}; there are {', '.join(FIELDS)}. To look for this text, put it in quotes",
            name.start_pos,
        )
    if field == "severity":
        return _level(":", value)
    if field == "template" and not (value.isascii() and value.isdigit() and int(value[:21]) < 2**64):
        raise BadLogQuery("a template is asked for by its number", value.start_pos)
    return _compared(field, value)


def _compared(field: str, value: Any) -> Match:
    text = str(value)
    if value.type == "QUOTED":
        return Match(field, How.IS if field else How.PHRASE, re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S))
    if value.type == "REGEX":
        return Match(field, How.REGEX, _regex(text, value.start_pos))
    if "*" in text:
        return Match(field, How.WILD, text)
    return Match(field, How.IS if field else How.WORD, text)


def _regex(text: str, place: int) -> str:
    body, _, fold = text[1:].rpartition("/")
    pattern = ("(?i)" if fold else "") + body.replace("\\/", "/")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise BadLogQuery(f"the regular expression is none: {said}", place) from error
    return pattern


def _level(sign: str, value: Any) -> Level:
    """A band by its name, or one number, compared by this sign."""
    name = _ALIASES.get(value.lower(), value.lower())
    if name in SEVERITIES:
        band = SEVERITIES.index(name)
        low, high = (4 * band - 3, 4 * band) if band else (0, 0)
    elif name.isascii() and name.isdigit() and int(name[:4]) <= 24:
        low = high = int(name[:4])
    else:
        raise BadLogQuery(f"a severity is one of {', '.join(SEVERITIES)}, or 0 to 24", value.start_pos)
    bounds = {":": (low, high), ">=": (low, 255), ">": (high + 1, 255), "<": (1, low - 1), "<=": (1, high)}
    return Level(*bounds[sign])
