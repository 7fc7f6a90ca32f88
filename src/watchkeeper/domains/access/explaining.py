"""Answers in words: may this person do that and why, and who may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cedarpy import pst
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model

from watchkeeper.domains.access.deciding import Verdict, judge, present_policies
from watchkeeper.domains.access.facts import PLATFORM
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.access.standing import ADMINISTRATOR, Standing, standing_of, standings
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.identity.preferring import preference_of
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import CRUD, PLATFORM_ACTS, may, require, visible
from watchkeeper.kernel.problems import BadQuery, NotThere
from watchkeeper.kernel.resource import Resource, registry


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about, checked: an action on a kind of record, or on one record."""

    action: str
    resource: Resource | None
    record: Model | None

    @property
    def kind(self) -> str:
        """The path of the kind."""
        return self.resource.path if self.resource else PLATFORM


def actions_of(resource: Resource | None) -> list[str]:
    """What can be done with a kind at all."""
    if resource is None:
        return list(PLATFORM_ACTS.values())
    done = [a for a in CRUD if a == "read" or a in resource.allow]
    return [*done, *(a.name for a in resource.actions)]


def asked(actor: Actor, given: Mapping[str, str]) -> Asked:
    """The question in `action`, `kind` and `record`. Raises BadQuery naming the parameter, or NotThere."""
    kind = given.get("kind", "")
    resource = next((r for r in registry if r.path == kind), None)
    if resource is None and kind != PLATFORM:
        raise BadQuery(f"there is no kind {kind!r}", "kind")
    action = given.get("action", "")
    if action not in (known := actions_of(resource)):
        raise BadQuery(f"{action!r} cannot be done with {kind}; there are: {', '.join(known)}", "action")
    if not (key := given.get("record", "")):
        return Asked(action, resource, None)
    if resource is None:
        raise BadQuery("pages of the platform are no records", "record")
    # Who may not see a record learns nothing of it, unless they look after who may what.
    found = resource.queryset() if may(actor, "read", registry["policies"]) else visible(actor, resource)
    try:
        return Asked(action, resource, found.get(pk=key))
    except (ObjectDoesNotExist, ValueError, ValidationError) as error:
        raise NotThere(f"there is no {resource.name} {key!r}") from error


def explain(actor: Actor, username: str, about: Asked) -> dict[str, Any]:
    """Whether this user (empty: whoever asks) may, by which rules, and by which grants: `allowed`, `partly` (some
    records of the kind only), `because` (policy, rule, effect, sentence), `grants`. Others are asked about by who
    may read policies. Raises BadQuery or Forbidden."""
    person = actor.person
    if username and (person is None or username != person.username):
        require(actor, "read", registry["policies"])
        person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise BadQuery(f"there is no active user {username!r}" if username else "which user?", "user")
    standing = standing_of(person)
    verdict = judge(present_policies(), standing.principal, about.action, about.resource, about.record)
    return {"user": person.username, "name": person.name, **_told(standing, verdict, _grants([standing]))}


def who(actor: Actor, about: Asked) -> list[dict[str, Any]]:
    """Every active user who may, by name, told as `explain` does. Raises Forbidden."""
    require(actor, "read", registry["policies"])
    users = list(User.objects.filter(is_active=True))
    policies, known = present_policies(), standings(users)
    grants = _grants(known.values())
    found = []
    for user in users:
        standing = known[user.pk]
        verdict = judge(policies, standing.principal, about.action, about.resource, about.record)
        if verdict.allowed:
            found.append({"user": user.username, "name": user.name, **_told(standing, verdict, grants)})
    return found


def home_of(user: User) -> str:
    """The page that a person has chosen to begin with, else what their role does: that of their newest grant, or the
    overview."""
    if chosen := preference_of(user).home:
        return chosen
    standing = standing_of(user)
    if standing.is_administrator or not standing.grants:
        return "/"
    return str(Role.objects.get(name=standing.grants[-1].role).home_page)


def _told(standing: Standing, verdict: Verdict, known: Mapping[int, Grant]) -> dict[str, Any]:
    roles = {u.id for r in verdict.rules for u in pst.entity_uids(r.tree) if str(u.type) == "Role"}
    grants = [_grant(known[g.pk]) for g in standing.grants if g.role in roles and g.pk in known]
    if standing.is_administrator and ADMINISTRATOR in roles:
        grants.insert(0, {"id": None, "role": ADMINISTRATOR, "holder": standing.principal.username, "where": "",
                          "reason": "An administrator by the user's own record.", "valid_from": None,
                          "expires_at": None, "approved_by": ""})  # fmt: skip
    because = [
        {
            "policy": r.policy,
            "rule": r.name,
            "effect": r.tree.effect,
            "text": r.because or f"The rule {r.name}.",
        }
        for r in verdict.rules
    ]
    if not because:
        because = [{"policy": "", "rule": "", "effect": "", "text": verdict.because[0]}]
    return {"allowed": verdict.allowed, "partly": verdict.partly, "because": because, "grants": grants}


def _grants(of: Iterable[Standing]) -> dict[int, Grant]:
    """The grants that these people have, in one query."""
    keys = {g.pk for s in of for g in s.grants}
    found = Grant.objects.select_related("role", "user", "team", "in_organisation", "in_team")
    return found.in_bulk(keys)


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.pk,
        "role": grant.role.name,
        "holder": grant.holder,
        "where": grant.where.strip(),
        "reason": grant.reason,
        "valid_from": grant.valid_from,
        "expires_at": grant.expires_at,
        "approved_by": grant.approved_by,
    }
