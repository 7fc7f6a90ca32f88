"""Whom an event of a calendar is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_WORD = re.compile(r"[\w.@+-]+")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody it may be about."""

    key: int
    username: str
    email: str = ""
    name: str = ""


class People:
    """Finds people by the address of who attends, else by their user name or whole name in the title."""

    def __init__(self, known: Iterable[Known]) -> None:
        people = list(known)
        self._by_email: Mapping[str, list[Known]] = _grouped((p.email.lower(), p) for p in people if p.email)
        self._by_name = {p.username.lower(): p for p in people}
        self._called = [(p.name.lower(), p) for p in people if " " in p.name]

    def about(self, title: str, addresses: Iterable[str]) -> list[Known]:
        """Everybody it is about; nobody, or several, when it is not clear.

        >>> people = People([Known(1, "ann", "ann@example.org", "Ann Lee"), Known(2, "bob")])
        >>> [[p.username for p in people.about(*e)] for e in (
        ...     ("Holiday", ["ann@example.org"]), ("bob: away", []), ("Ann Lee skiing", []), ("bobby", []))]
        [['ann'], ['bob'], ['ann'], []]
        """
        by_mail = {p.key: p for a in addresses for p in self._by_email.get(a.lower(), ())}
        if by_mail:
            return list(by_mail.values())
        text = title.lower()
        named = {p.key: p for w in _WORD.findall(text) if (p := self._by_name.get(w.rstrip(".")))}
        named |= {p.key: p for name, p in self._called if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)}
        return list(named.values())


def _grouped(pairs: Iterable[tuple[str, Known]]) -> dict[str, list[Known]]:
    out: dict[str, list[Known]] = {}
    for key, person in pairs:
        out.setdefault(key, []).append(person)
    return out
