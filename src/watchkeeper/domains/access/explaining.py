"""Answers in words: may this person do that and why, and who may."""

from __future__ import annotations

from typing import Any

from cedarpy import pst
from django.db.models import Model

from watchkeeper.domains.access.deciding import Verdict, judge, present_policies
from watchkeeper.domains.access.models import Grant
from watchkeeper.domains.access.standing import ADMINISTRATOR, Standing, standing_of, standings
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.resource import Resource


def explain(
    user: User, action: str, resource: Resource | None, record: Model | None = None
) -> dict[str, Any]:
    """Whether this user may, by which rules, and by which grants: `allowed`, `partly` (some records of the kind
    only), `because` (policy, rule, effect, sentence) and `grants`."""
    standing = standing_of(user)
    verdict = judge(present_policies(), standing.principal, action, resource, record)
    return _told(standing, verdict)


def who(action: str, resource: Resource | None, record: Model | None = None) -> list[dict[str, Any]]:
    """Every active user who may, by name, told as `explain` does."""
    users = list(User.objects.filter(is_active=True))
    policies, known = present_policies(), standings(users)
    found = []
    for user in users:
        verdict = judge(policies, known[user.pk].principal, action, resource, record)
        if verdict.allowed:
            found.append({"user": user.username, "name": user.name, **_told(known[user.pk], verdict)})
    return found


def home_of(user: User) -> str:
    """The page that a person's role begins with: of their newest grant, or the overview."""
    standing = standing_of(user)
    if standing.is_administrator or not standing.grants:
        return "/"
    return standing.grants[-1].role.home_page


def _told(standing: Standing, verdict: Verdict) -> dict[str, Any]:
    roles = {u.id for r in verdict.rules for u in pst.entity_uids(r.tree) if str(u.type) == "Role"}
    grants = [_grant(g) for g in standing.granted(roles)]
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
