"""Texts with answers in them: `$name` is an answer to the question of this name, `$person`, `$item` … what the order
says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Template

#: what every order knows, whatever its form asks
KNOWN = ("person", "person_name", "person_email", "item", "ticket", "record")


class BadText(ValueError):
    """A text that asks for what is not there."""


def check(text: str, questions: Iterable[str]) -> None:
    """Raises BadText for a placeholder that nothing fills."""
    template = Template(text)
    if not template.is_valid():
        raise BadText("a $ stands before a name, such as $person; write $$ for the sign itself")
    there = (*KNOWN, *questions)
    if unknown := [n for n in template.get_identifiers() if n not in there]:
        raise BadText(f"${unknown[0]}: there are ${', $'.join(there)}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values.

    >>> filled("for $person", {"person": "bob"})
    'for bob'
    """
    return Template(text).safe_substitute(values)
