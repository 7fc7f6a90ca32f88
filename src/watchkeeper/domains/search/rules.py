"""How well a text answers a search, and which part of it does. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

MOST_WORDS = 8
PIECE = 600  # characters of an entry
PIECES = 20  # of a long text
SHOWN = 160  # characters of a text around what was found


class Match(IntEnum):
    """The better, the lower."""

    EXACT = 0  # the text is what was searched
    BEGINS = 1  # it begins with it
    WORDS = 2  # every word begins one of its words
    WITHIN = 3  # somewhere else


def fold(text: str) -> str:
    """In lower case, white space made one.

    >>> fold("  SW-Core-01 \\n x")
    'sw-core-01 x'
    """
    return " ".join(text.replace("\x00", "").lower().split())


def words_of(text: str) -> list[str]:
    """What is searched for; more than a few words are cut off.

    >>> words_of("Core  switch core")
    ['core', 'switch']
    """
    return list(dict.fromkeys(fold(text)[:PIECE].split()))[:MOST_WORDS]


def pieces(text: str) -> list[str]:
    """A folded text in parts that fit into entries, cut between words where there are some.

    >>> [len(p) for p in pieces("x" * 700)]
    [600, 100]
    """
    out: list[str] = []
    rest = fold(text)
    while rest and len(out) < PIECES:
        cut = len(rest) if len(rest) <= PIECE else rest.rfind(" ", PIECE // 2, PIECE) + 1 or PIECE
        out.append(rest[:cut].strip())
        rest = rest[cut:]
    return out


def match(folded: str, phrase: str, words: Sequence[str]) -> Match:
    """How a text answers; it holds every word, or other texts of its record do.

    >>> [match("sw core-01", p, p.split()).name for p in ("sw core-01", "sw", "core", "ore")]
    ['EXACT', 'BEGINS', 'WORDS', 'WITHIN']
    """
    if folded == phrase:
        return Match.EXACT
    if folded.startswith(phrase):
        return Match.BEGINS
    if all(re.search(rf"(?<![^\W_]){re.escape(w)}", folded) for w in words):
        return Match.WORDS
    return Match.WITHIN


def marks(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words are in a text: beginning and end of each, in order, none within another.

    >>> marks("Core-core 1", ["core", "ore"])
    [(0, 4), (5, 9)]
    """
    if not words:
        return []
    longest_first = sorted(words, key=len, reverse=True)
    found = re.finditer("|".join(map(re.escape, longest_first)), text, re.IGNORECASE)
    return [m.span() for m in found]


def excerpt(text: str, words: Sequence[str]) -> str:
    """A long text around the first of the words.

    >>> excerpt("a" * 300 + " disk " + "b" * 300, ["disk"]).count("disk")
    1
    """
    text = " ".join(text.split())
    if len(text) <= SHOWN:
        return text
    found = marks(text, words)
    start = max(0, min((found[0][0] if found else 0) - SHOWN // 3, len(text) - SHOWN))
    return f"{'…' if start else ''}{text[start : start + SHOWN]}{'…' if start + SHOWN < len(text) else ''}"
