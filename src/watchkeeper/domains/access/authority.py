"""Decides by policy: Cedar for one record, the same rules as a filter for lists.

A person is bound by the policies; a token by its scope and, where it belongs to a person, by theirs as well. The
command line and the platform itself are bound by their scope alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from watchkeeper.domains.access import safety
from watchkeeper.domains.access.deciding import filter_of, judge, present_policies
from watchkeeper.domains.access.facts import Uid, kind_of, question
from watchkeeper.domains.access.language import Policies
from watchkeeper.domains.access.standing import ADMINISTRATOR, CUSTOMER, Standing, standing_of
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.permissions import Decision, ScopeAuthority
from watchkeeper.kernel.resource import Resource


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read once for a request, kept on its user object."""

    standing: Standing
    policies: Policies


class CedarAuthority:
    """See kernel.permissions.Authority."""

    def __init__(self) -> None:
        self._scopes = ScopeAuthority()

    def decide(
        self, actor: Actor, action: str, resource: Resource | None, record: Model | None = None
    ) -> Decision:
        """By scope, and by the policies for whom they bind."""
        known, bound = self._bound(actor, action, resource)
        if known is None or not bound.allowed:
            return bound
        verdict = judge(known.policies, known.standing.principal, action, resource, record)
        return Decision(verdict.allowed, verdict.because, verdict.partly)

    def narrow(self, actor: Actor, action: str, resource: Resource, found: QuerySet[Any]) -> QuerySet[Any]:
        """The rules as a condition; none at all where every record is allowed."""
        known, bound = self._bound(actor, action, resource)
        if not bound.allowed:
            return found.none()
        if known is None:
            return found
        asked = question(known.standing.principal, action, resource, kind_of(resource))
        condition = filter_of(known.policies, asked)
        if isinstance(condition, bool):
            return found if condition else found.none()
        return found.filter(condition)

    def assure(self) -> None:
        """Raises Refused when no administrator could change policies, grants and users any more."""
        safety.assure()

    def _bound(self, actor: Actor, action: str, resource: Resource | None) -> tuple[_Known | None, Decision]:
        """What is known of the person, if one is behind it, and what the scope says of a token."""
        person = actor.person
        if person is None:
            return None, self._scopes.decide(actor, action, resource)
        known = _known_of(person)
        if actor.kind is not ActorKind.TOKEN:
            return known, Decision(True)
        return known, self._scopes.decide(_alone(actor), action, resource)


def _known_of(person: Any) -> _Known:
    known: _Known | None = getattr(person, "_access", None)
    if known is None:
        known = person._access = _Known(standing_of(person), present_policies())
    return known


def is_customer(person: Any) -> bool:
    """Whether the portal is all that somebody sees of this platform."""
    within = _known_of(person).standing.principal.within
    return Uid("Role", CUSTOMER) in within and Uid("Role", ADMINISTRATOR) not in within


def _alone(actor: Actor) -> Actor:
    """The token by its scope, without its person."""
    return Actor(actor.kind, actor.name, actor.id, actor.scope, only=actor.only)
