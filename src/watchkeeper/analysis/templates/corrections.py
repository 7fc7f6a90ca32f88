"""What people have said of templates, applied over what the miner finds: two are one, one is several.

Nothing that was learned is changed by it, so that taking a correction back leaves the templates as if it had never been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec

from watchkeeper.analysis.templates.words import V
from watchkeeper.model.log_corrections import TemplateCorrection

MOST = 1_000
MOST_PARTS = 200  # of one template that was split; words beyond that stay in it


class Corrections:
    """By the id of who made them."""

    def __init__(self) -> None:
        self._of: dict[str, TemplateCorrection] = {}
        self._tokens: dict[
            str, int
        ] = {}  # of splits: which token of the key, found when it was first applied
        self._parts: dict[int, dict[str, int]] = {}  # template → word → code of the part

    def __bool__(self) -> bool:
        return bool(self._of)

    def take(self, name: str, correction: TemplateCorrection | None) -> bool:
        """Take one in, or back; whether that changes anything."""
        if self._of.get(name) == correction:
            return False
        self._tokens.pop(name, None)
        if correction is None:
            del self._of[name]
        elif len(self._of) < MOST or name in self._of:
            self._of[name] = correction
        else:
            return False
        return True

    def redirected(self, now: Callable[[int], int | None]) -> dict[int, int]:
        """Which codes people take for others, given the code that an id has become."""
        found: dict[int, int] = {}
        for one in self._of.values():
            to, other = now(one.template), now(one.other) if one.other else None
            if to is None or other is None:
                continue
            to = _last(found, to)
            if to != _last(found, other):
                found[_last(found, other)] = to
        return {code: _last(found, code) for code in found}

    def splits(
        self, now: Callable[[int], int | None], literals: Callable[[int], Sequence[str]]
    ) -> dict[int, int]:
        """By code of the template, the token that tells its parts from one another."""
        found = {}
        for name, one in self._of.items():
            code = now(one.template) if one.place else None
            if code is None:
                continue
            if name not in self._tokens:
                place = token_of(literals(code), one.place)
                if place is None:
                    continue
                self._tokens[name] = place
            found[code] = self._tokens[name]
        return found

    def part(self, template: int, word: str, make: Callable[[], int]) -> int | None:
        """The code of the part of a template that has this word, made when there is none; None beyond MOST_PARTS."""
        parts = self._parts.setdefault(template, {})
        if word not in parts:
            if len(parts) >= MOST_PARTS:
                return None
            parts[word] = make()
        return parts[word]

    def forget_parts(self) -> None:
        """Codes have changed: parts are found again by what `make` gives."""
        self._parts.clear()

    def snapshot(self) -> list[Any]:
        """All of them, as plain data."""
        return [[name, msgspec.to_builtins(c), self._tokens.get(name, -1)] for name, c in self._of.items()]

    def restore(self, state: Sequence[Any]) -> None:
        """Take back a snapshot."""
        self._of = {name: msgspec.convert(c, TemplateCorrection) for name, c, _ in state}
        self._tokens = {name: token for name, _, token in state if token >= 0}


def token_of(literals: Sequence[str], place: int) -> int | None:
    """Which token holds the value that is written as the `place`-th <*>; marks that touch are written as one.

    >>> token_of(["user", " ", V, " ", "from", " ", V, ":", V], 2)
    6
    """
    marks, goes_on = 0, False
    for k, text in enumerate(literals):
        pieces = text.split(V)
        if len(pieces) == 1:
            goes_on = goes_on and text == " "
            continue
        marks += 1 + sum(1 for x in pieces[1:-1] if x) - (goes_on and not pieces[0])
        if marks >= place:
            return k
        goes_on = not pieces[-1]
    return None


def common(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """What two wordings share, with a value for every stretch that is not the same.

    >>> common(["disk", " ", "a", " ", "full"], ["disk", " ", "b", " ", "full"])
    ['disk', ' ', '\\x01', ' ', 'full']
    """
    out: list[str] = []
    for tag, i, j, _, _ in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            out += ours[i:j]
        elif out[-1:] != [V]:
            out.append(V)
    return out


def _last(found: dict[int, int], code: int) -> int:
    while code in found:
        code = found[code]
    return code
