"""Shortcuts as they are told to people; assets/src/shortcuts.ts does what this says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

Rows = list[tuple[tuple[str, ...], str]]


class Goal(Protocol):
    """A page that is reached by a key after "g"."""

    label: str
    key: str


def shortcuts(pages: Iterable[Goal]) -> list[tuple[str, Rows]]:
    """By heading, keys one after the other and what they do."""
    return [
        ("Anywhere", [
            (("Ctrl K", "⌘ K"), "go anywhere, do anything: the palette"),
            (("/",), "search"),
            (("?",), "this list"),
            (("Esc",), "close what is open, leave a field"),
        ]),
        ("In a list", [
            (("j",), "to the next row"),
            (("k",), "to the row before"),
            (("x",), "choose the row, where rows can be chosen"),
            (("Enter",), "open the row"),
        ]),
        ("On a page", [
            (("c",), "create a record of this kind"),
            (("e",), "edit this record"),
        ]),
        ("Go to a page", [(("g", p.key), p.label) for p in pages if p.key]),
    ]  # fmt: skip
