"""Policies as they are written: Cedar text, parsed once into the engine's form and into a tree that can be compiled
to filters. Says where a text is wrong. Knows no records and no database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cedarpy
from cedarpy import pst


class BadPolicy(ValueError):
    """A policy that cannot be used: what is wrong, in which rule or line."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One permit or forbid. `engine_id` is what the engine calls it, `name` its @id, `because` its @because,
    `source` how it is written."""

    engine_id: str
    name: str
    because: str
    policy: str  # the record that it is written in
    tree: pst.Template
    source: str = ""

    @property
    def permits(self) -> bool:
        """Or it forbids."""
        return self.tree.effect == "permit"


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """All rules that count, in the order in which they are written."""

    rules: tuple[Rule, ...]
    engine: cedarpy.PolicySet

    def rule(self, engine_id: str) -> Rule:
        """The rule that the engine calls so."""
        return next(r for r in self.rules if r.engine_id == engine_id)


def parse(texts: Iterable[tuple[str, str]]) -> Policies:
    """Named texts as one set of rules. Raises BadPolicy."""
    rules: list[Rule] = []
    whole: list[str] = []
    for policy, text in texts:
        trees = _trees(text)
        for tree, (_, source) in zip(trees, statements(text), strict=True):
            # The engine numbers rules through; @id is for people.
            name = tree.annotations.get("id") or f"rule {len(rules) + 1}"
            because = tree.annotations.get("because", "")
            rules.append(Rule(f"policy{len(rules)}", name, because, policy, tree, source.strip()))
        whole.append(text)
    return Policies(tuple(rules), cedarpy.PolicySet.from_str("\n".join(whole)))


def _trees(text: str) -> list[pst.Template]:
    try:
        found = cedarpy.policies_to_pst(text)
    except ValueError as error:
        raise BadPolicy(_where(text, str(error))) from error
    if found.templates:
        raise BadPolicy("?principal and ?resource are for templates, which are not used here")
    return [found.static_policies[f"policy{n}"] for n in range(len(found.static_policies))]


def _where(text: str, error: str) -> str:
    """The error with its line, which the engine does not say: the first line with which the beginning of the
    wrong rule has another fault than that it ends too early."""
    for begins, statement in statements(text):
        try:
            cedarpy.policies_to_pst(statement)
            continue
        except ValueError as whole:
            error = str(whole)
        lines = statement.split("\n")
        for n in range(1, len(lines)):
            if not _only_cut("\n".join(lines[:n])):
                return f"line {begins + n - 1}: {error}"
        place = f"line {begins}" if len(lines) == 1 else f"lines {begins} to {begins + len(lines) - 1}"
        return f"{place}: {error}"
    return error


def _only_cut(text: str) -> bool:
    try:
        cedarpy.policies_to_pst(text)
    except ValueError as error:
        return "unexpected end of input" in str(error)
    return True


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Each rule with the number of the line that it begins on.

    >>> [(n, len(s)) for n, s in statements('// one;\\npermit(principal, action, resource);\\n')]
    [(2, 36)]
    """
    line, start, start_line, i = 1, 0, 1, 0
    while i < len(text):
        if text.startswith("//", i):
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
            if not _blank(text[start:i]):
                continue
            start, start_line = i, line  # a comment before the rule is none of it
            continue
        if text[i] == '"':
            i = _after_string(text, i)
            continue
        if text[i] == "\n":
            line += 1
            if not text[start:i].strip():
                start, start_line = i + 1, line
        if text[i] == ";":
            yield start_line, text[start : i + 1]
            start, start_line = i + 1, line
        i += 1
    if text[start:].strip() and not _blank(text[start:]):
        yield start_line, text[start:]


def _blank(text: str) -> bool:
    return all(not line.strip() or line.strip().startswith("//") for line in text.split("\n"))


def _after_string(text: str, i: int) -> int:
    i += 1
    while i < len(text) and text[i] != '"':
        i += 2 if text[i] == "\\" else 1
    return i + 1
