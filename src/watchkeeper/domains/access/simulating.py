"""What a change of policies would change: for whom which acts on which kinds of record are gained or lost, with
records as examples. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cedarpy import pst
from django.db.models import Model

from watchkeeper.domains.access.conditions import condition_of
from watchkeeper.domains.access.deciding import filter_of, policies_of
from watchkeeper.domains.access.explaining import actions_of
from watchkeeper.domains.access.facts import (
    PLATFORM,
    PRINCIPAL_ATTRIBUTES,
    Principal,
    Question,
    Uid,
    kind_of,
    question,
)
from watchkeeper.domains.access.language import Policies, Rule
from watchkeeper.domains.access.leaves import Condition, both, opposite
from watchkeeper.domains.access.models import Role
from watchkeeper.domains.access.standing import standings
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import Resource, registry

EXAMPLES = 3
_OWN = re.compile(r"resource\.\w+\s*==\s*principal\.username")
MOST = 200  # rows of an answer


@dataclass(frozen=True, slots=True)
class Party:
    """People for whom the policies say the same, or a role that nobody needs to hold."""

    principal: Principal
    people: tuple[str, ...]
    role: str = ""


@dataclass(slots=True)
class Change:
    """An act on a kind that some may do with more or with fewer records. `before` and `after`: none, some, all."""

    kind: str
    action: str
    gained: bool
    before: str
    after: str
    people: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    examples: list[Model] = field(default_factory=list)


def simulate(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> list[Change]:
    """From these named texts to those, for every active user and every role. Raises BadPolicy. At most MOST."""
    old, new = policies_of(before), policies_of(after)
    altered = _altered(old, new)
    found: dict[tuple[str, str, bool, str, str], Change] = {}
    parties = list(_parties(altered))
    for resource in (*registry, None):
        kind = kind_of(resource)
        for action in actions_of(resource):
            for party in parties:
                asked = question(party.principal, action, resource, kind)
                for gained, was, becomes, records in _differences(old, new, altered, asked):
                    key = (kind.path, action, gained, was, becomes)
                    change = found.setdefault(key, Change(*key))
                    _note(change, party, resource, records)
    return sorted(found.values(), key=lambda c: (c.gained, -len(c.people), c.kind, c.action))[:MOST]


def _altered(old: Policies, new: Policies) -> tuple[Rule, ...]:
    """The rules that are in one of them only: only what these are about can change."""
    a, b = ({(r.tree.effect, r.source): r for r in p.rules} for p in (old, new))
    return tuple(r for key, r in {**a, **b}.items() if key not in a or key not in b)


def _parties(altered: tuple[Rule, ...]) -> Iterator[Party]:
    users = list(User.objects.filter(is_active=True))
    known = standings(users)
    told_apart = _told_apart(altered)
    alike: dict[Any, list[Principal]] = {}
    for user in users:
        p = known[user.pk].principal
        alike.setdefault((p.within, p.scoped, told_apart(p)), []).append(p)
    for same in alike.values():
        yield Party(same[0], tuple(p.username for p in same))
    for role in Role.objects.values_list("name", flat=True):
        yield Party(Principal("", frozenset((Uid("Role", role),))), (), role)


def _told_apart(altered: tuple[Rule, ...]) -> Callable[[Principal], tuple[str, ...]]:
    """What of a person these rules can tell apart beside groups. That a record is one's own (its user, approver, …
    equals the principal's name) does not: everybody has their own."""
    named = {u.id for r in altered for u in pst.entity_uids(r.tree) if str(u.type) == "User"}
    text = _OWN.sub("", " ".join(r.source for r in altered))
    asked = [name for name in PRINCIPAL_ATTRIBUTES if f"principal.{name}" in text]
    return lambda p: (p.username if p.username in named else "", *(str(getattr(p, name)) for name in asked))


def _differences(
    old: Policies, new: Policies, altered: tuple[Rule, ...], asked: Question
) -> Iterator[tuple[bool, str, str, Condition]]:
    """Whether gained or lost, what was, what becomes, and of which records."""
    if all(condition_of(rule, asked) is False for rule in altered):
        return
    was, becomes = filter_of(old, asked), filter_of(new, asked)
    if was == becomes:
        return
    gained, lost = both(becomes, opposite(was)), both(was, opposite(becomes))
    if gained is not False:
        yield True, _amount(was), _amount(becomes), gained
    if lost is not False:
        yield False, _amount(was), _amount(becomes), lost


def _amount(condition: Condition) -> str:
    return {True: "all", False: "none"}.get(condition, "some") if isinstance(condition, bool) else "some"


def _note(change: Change, party: Party, resource: Resource | None, records: Condition) -> None:
    change.people += [p for p in party.people if p not in change.people]
    if party.role and party.role not in change.roles:
        change.roles.append(party.role)
    if resource is None or change.action == "create" or len(change.examples) >= EXAMPLES:
        return
    every = resource.queryset()
    found = every if records is True else every.filter(records)  # type: ignore[arg-type]
    known = {e.pk for e in change.examples}
    change.examples += [r for r in found.order_by("pk")[:EXAMPLES] if r.pk not in known]
    del change.examples[EXAMPLES:]


def told(change: Change, reader: Actor) -> dict[str, Any]:
    """As plain data; of the examples those that the reader may see."""
    resource = None if change.kind == PLATFORM else registry[change.kind]
    [e for e in change.examples if resource and may(reader, "read", resource, e)]
    return {
        "kind": change.kind,
        "action": change.action,
        "effect": "gained" if change.gained else "lost",
        "before": change.before,
        "after": change.after,
        "people": change.people,
        "roles": change.roles,
        "examples": [
            {"id": str(e.pk), "name": resource.title(e) if resource else ""} for e in change.examples
        ],
    }
