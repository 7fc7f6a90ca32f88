"""The text of a template as its pieces: plain text, and actions between {{ and }} as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LENGTH = 20_000  # characters
_ACTION = re.compile(r"\{\{(-(?=\s))?", re.S)
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*?((?:\s-)?)\}\}", re.S)
_WORD = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<char>'(?:[^'\\\n]|\\.)')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?))
    |(?P<variable>\$\w*)
    |(?P<field>\.\w+)
    |(?P<name>\w+)
    |(?P<sign>:=|=|\||\(|\)|,|\.)""",
    re.X,
)


class BadTemplate(Exception):
    """It is no template, or asks for what is not supported; or it fails while it is filled in."""


@dataclass(frozen=True)
class Word:
    """A word of an action. `after` says that white space stands before it, which parts `.a .b` from `.a.b`."""

    kind: str
    text: str
    after: bool = False


def pieces(text: str) -> Iterator[str | list[Word]]:
    """Plain text and actions, in order. Raises BadTemplate."""
    if len(text) > MAX_LENGTH:
        raise BadTemplate(f"it has {len(text):,} characters; {MAX_LENGTH:,} are the most")
    at, trim = 0, False
    while (found := _ACTION.search(text, at)) is not None:
        plain = text[at : found.start()]
        plain = plain.lstrip() if trim else plain
        yield plain.rstrip() if found[1] else plain
        if comment := _COMMENT.match(text, found.end()):
            at, trim = comment.end(), bool(comment[1])
            continue
        words, at, trim = _action(text, found.end())
        yield words
    rest = text[at:]
    yield rest.lstrip() if trim else rest


def _action(text: str, at: int) -> tuple[list[Word], int, bool]:
    """The words up to }}, where it goes on, and whether white space goes after it."""
    words: list[Word] = []
    after = False
    while True:
        if text.startswith("}}", at):
            return words, at + 2, False
        if after and text.startswith("-}}", at):
            return words, at + 3, True
        found = _WORD.match(text, at)
        if found is None:
            what = f"unexpected {text[at]!r}" if at < len(text) else "an action {{ is not closed by }}"
            raise BadTemplate(what)
        at = found.end()
        kind = str(found.lastgroup)
        if kind == "space":
            after = True
            continue
        words.append(Word(kind, found[0], after or not words))
        after = False
