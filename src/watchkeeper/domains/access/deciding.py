"""What policies say: for one record by Cedar itself, for a list as a filter, and which rules decided. Both are one:
a record is in the filter exactly when Cedar allows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cedarpy
from django.db.models import Model

from watchkeeper.domains.access import language
from watchkeeper.domains.access.conditions import condition_of
from watchkeeper.domains.access.facts import (
    PRINCIPAL_ATTRIBUTES,
    Principal,
    Question,
    Uid,
    attributes_of,
    kind_of,
    question,
)
from watchkeeper.domains.access.language import Policies, Rule
from watchkeeper.domains.access.leaves import Condition, both, either, opposite
from watchkeeper.domains.access.models import Policy
from watchkeeper.kernel.resource import Resource

NOTHING = "No policy allows it."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say: `rules` are those that decided, `partly` as in Decision."""

    allowed: bool
    rules: tuple[Rule, ...]
    partly: bool = False

    @property
    def because(self) -> tuple[str, ...]:
        """In sentences."""
        return tuple(r.because or f"The policy {r.name} says so." for r in self.rules) or (NOTHING,)


def present_policies() -> Policies:
    """The enabled policies; parsed again only when a text has changed."""
    rows = Policy.objects.filter(enabled=True).order_by("id").values_list("name", "text")
    return policies_of(rows)


def policies_of(texts: Iterable[tuple[str, str]]) -> Policies:
    """Named texts as rules; parsed once. Raises BadPolicy."""
    return _parsed(tuple(texts))


@lru_cache(maxsize=8)
def _parsed(texts: tuple[tuple[str, str], ...]) -> Policies:
    return language.parse(texts)


@lru_cache(maxsize=2048)
def filter_of(policies: Policies, asked: Question) -> Condition:
    """The records of the kind with which it may be done: permitted by a rule and forbidden by none."""
    permitted: Condition = False
    forbidden: Condition = False
    for rule in policies.rules:
        if rule.permits:
            permitted = either(permitted, condition_of(rule, asked))
        else:
            forbidden = either(forbidden, condition_of(rule, asked))
    return both(permitted, opposite(forbidden))


def judge(
    policies: Policies,
    principal: Principal,
    action: str,
    resource: Resource | None,
    record: Model | None = None,
) -> Verdict:
    """What the policies say, and which rules decide it. Without a record: of the kind as a whole."""
    attributes = None if record is None else attributes_of(record, kind_of(resource))
    return judge_attributes(policies, principal, action, resource, attributes)


def judge_attributes(
    policies: Policies,
    principal: Principal,
    action: str,
    resource: Resource | None,
    attributes: dict[str, Any] | None,
) -> Verdict:
    """The same of a record with these attributes, which need not be there."""
    asked = question(principal, action, resource, kind_of(resource))
    return _of_kind(policies, asked) if attributes is None else _of_record(policies, asked, attributes)


@lru_cache(maxsize=2048)
def _of_kind(policies: Policies, asked: Question) -> Verdict:
    condition = filter_of(policies, asked)
    allowed = condition is not False
    applying = (r for r in policies.rules if r.permits is allowed and condition_of(r, asked) is not False)
    return Verdict(allowed, tuple(applying), allowed and condition is not True)


def _of_record(policies: Policies, asked: Question, attributes: dict[str, Any]) -> Verdict:
    principal, kind = asked.principal, asked.kind
    person = {name: getattr(principal, name) for name in PRINCIPAL_ATTRIBUTES}
    person["teams"] = list(principal.teams)
    entities = [
        _entity(principal.uid, person, principal.parents(attributes)),
        _entity(Uid("Kind", kind.path), attributes, (Uid("Area", a) for a in kind.areas)),
        _entity(Uid("Action", asked.action), {}, (Uid("Action", g) for g in asked.groups)),
    ]
    request = {
        "principal": _uid(principal.uid), "action": _uid(Uid("Action", asked.action)),
        "resource": _uid(Uid("Kind", kind.path)), "context": {"scope": asked.scope},
    }  # fmt: skip
    answer = cedarpy.is_authorized(request, policies.engine, entities)
    deciding = set(answer.diagnostics.reasons)
    return Verdict(answer.allowed, tuple(r for r in policies.rules if r.engine_id in deciding))


def _uid(uid: Uid) -> dict[str, str]:
    return {"type": uid.type, "id": uid.id}


def _entity(uid: Uid, attributes: dict[str, Any], parents: Iterable[Uid]) -> dict[str, Any]:
    return {"uid": _uid(uid), "attrs": attributes, "parents": [_uid(p) for p in parents]}
