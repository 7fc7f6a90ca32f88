"""Agreements that are kept by others beneath them, and when people are told that a promise is running out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Promise = tuple[int | None, int | None]
"""Minutes of working time until the first answer and until the resolution; None: nothing is promised."""
FARTHEST = 500  # percent


def warnings(upper: Mapping[int, Promise], lower: Sequence[tuple[str, Mapping[int, Promise]]]) -> list[str]:
    """Where an agreement promises, by priority, what those beneath it (name and promises) do not carry: one after the
    other they may take longer, or they promise nothing.

    >>> warnings({1: (None, 240)}, [("network", {1: (None, 120)}), ("Acme", {1: (None, 180)})])
    ['Priority 1: resolved within 240 minutes is promised, but network and Acme together may take 300 minutes.']
    >>> warnings({1: (None, 240)}, [("network", {1: (None, 240)})])
    []
    """
    out = []
    for priority in sorted(upper):
        for part, words in enumerate(("an answer", "resolved")):
            promised = upper[priority][part]
            found = [(name, own.get(priority, (None, None))[part]) for name, own in lower]
            if promised is not None:
                out += _of(
                    f"Priority {priority}: {words} within {promised} minutes is promised, but ",
                    promised,
                    found,
                )
    return out


def _of(begins: str, promised: int, found: Sequence[tuple[str, int | None]]) -> list[str]:
    carried = [(name, minutes) for name, minutes in found if minutes is not None]
    missing = [name for name, minutes in found if minutes is None]
    out = (
        [f"{begins}{_listed(missing)} {'promises' if len(missing) == 1 else 'promise'} nothing."]
        if missing
        else []
    )
    took = sum(minutes for _, minutes in carried)
    if took > promised:
        together = " together" if len(carried) > 1 else ""
        out.append(f"{begins}{_listed([n for n, _ in carried])}{together} may take {took} minutes.")
    return out


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def levels(text: str) -> tuple[int, ...]:
    """Percentages, in order. Raises ValueError in words.

    >>> levels("100, 50 75"), levels("")
    ((50, 75, 100), ())
    """
    out = set()
    for word in text.replace(",", " ").replace("%", " ").split():
        if not word.isdecimal() or not 1 <= int(word) <= FARTHEST:
            raise ValueError(f"{word!r} is not a percentage from 1 to {FARTHEST}, such as 75")
        out.add(int(word))
    return tuple(sorted(out))
