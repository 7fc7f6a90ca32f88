"""Panels: short answers to "what needs me now" on the page that everybody begins with.

A domain declares them in its `panels.py`, beside the records they are about; `panels` finds these modules the first
time it is asked. The console shows each reader those of their roles.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import autodiscover_modules

from watchkeeper.kernel.acting import Actor

EVERYONE = "everyone"


@dataclass(frozen=True)
class Line:
    """One thing that may need somebody: `mark` is its severity or state, `at` when it happened or will."""

    text: str
    url: str
    note: str = ""
    mark: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Panel:
    """A question with an answer from the records.

    `roles` maps the roles that it is for, or EVERYONE, to its place on their page. `kind` is the path of the kind that
    one has to be allowed to read, or "platform" with `act` for what has to be allowed of its pages; "" asks nothing.
    `find(actor)`
    gives the records, most urgent first: a queryset, which is cut and counted within bounds, or a short list; it looks
    at permissions itself, which `visible` does. `line` draws one of them. `link` leads to the list of all, `empty` says
    in one line that there are none; "" says nothing.
    """

    name: str
    title: str
    roles: Mapping[str, int]
    find: Callable[[Actor], QuerySet[Any] | Sequence[Any]]
    line: Callable[[Any], Line]
    empty: str
    link: str = ""
    kind: str = ""
    act: str = "read"


@dataclass
class Panels:
    """Every declared panel, by name."""

    _all: dict[str, Panel] = field(default_factory=dict)
    _looked: bool = False

    def add(self, *declared: Panel) -> None:
        """Declare panels. Raises ValueError when a name is taken."""
        for panel in declared:
            if panel.name in self._all:
                raise ValueError(f"two panels are called {panel.name}")
            self._all[panel.name] = panel

    def __iter__(self) -> Iterator[Panel]:
        if not self._looked:
            self._looked = True
            autodiscover_modules("panels")
        return iter(self._all.values())

    def of(self, roles: frozenset[str]) -> list[Panel]:
        """The panels of these roles, each once, where the first of the roles wants it."""
        mine = [
            (min(p.roles[r] for r in has), p) for p in self if (has := p.roles.keys() & {*roles, EVERYONE})
        ]
        return [p for _, p in sorted(mine, key=lambda placed: placed[0])]


panels = Panels()
