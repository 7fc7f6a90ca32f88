"""Access at a glance: what one person has, and what waits to be done in all."""

from __future__ import annotations

from typing import Any, NamedTuple

from watchkeeper.domains.access.models import Grant
from watchkeeper.domains.access.standing import ADMINISTRATOR, standing_of
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible


class OwnGrant(NamedTuple):
    """A role that somebody has: how it came to them, and whether they can ask for more time with it."""

    role: str
    purpose: str
    where: str
    how: str
    until: Any
    extends: int | None


def own_grants(user: User) -> list[OwnGrant]:
    """What counts for this person now."""
    standing = standing_of(user)
    found = []
    if standing.is_administrator:
        found.append(OwnGrant(ADMINISTRATOR, "Everything.", "", "by your own record", None, None))
    grants = Grant.objects.filter(pk__in=[g.pk for g in standing.grants])
    for g in grants.select_related(
        "role", "user", "team", "in_organisation", "in_team", "emergency"
    ).order_by("role__name"):
        how = f"as a member of {g.team}" if g.team else "like everyone without another grant"
        own = g.user_id is not None
        extends = g.pk if own and g.expires_at and not hasattr(g, "emergency") else None
        how = g.reason if own else how
        found.append(OwnGrant(g.role.name, g.role.purpose, g.where.strip(), how, g.expires_at, extends))
    return found


class Waiting(NamedTuple):
    """How many of a kind wait, and where they are listed."""

    label: str
    count: int
    url: str


_WAITING: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    (
        "Requests to answer",
        "access-requests",
        {"state__in": ["requested", "approved"]},
        "?state__in=requested,approved",
    ),
    ("Reviews going on", "reviews", {"state": "open"}, "?state=open"),
    ("Findings", "access-findings", {"state": "open"}, "?state=open"),
    ("Emergencies to review", "emergencies", {"state__in": ["active", "ended"]}, ""),
    ("Policy drafts", "policy-drafts", {}, ""),
)


def summary(actor: Actor) -> list[Waiting]:
    """What waits for somebody, as far as this reader may see it."""
    return [
        Waiting(label, visible(actor, path).filter(**only).order_by().count(), f"/{path}/{query}")
        for label, path, only, query in _WAITING
    ]
