"""What needs somebody about who may do what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from watchkeeper.domains.access.models import AccessFinding, Approval, FindingState, Grant, ReviewLine
from watchkeeper.domains.access.standing import standing_of
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels
from watchkeeper.kernel.permissions import visible


def _grants(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "grants", Grant.objects.in_force(timezone.now()))
    return found.select_related("role", "user", "team", "in_organisation", "in_team")


def _expiring(actor: Actor) -> QuerySet[Any]:
    soon = timezone.now() + dt.timedelta(days=14)
    return _grants(actor).filter(expires_at__lt=soon).order_by("expires_at")


def _powerful(actor: Actor) -> QuerySet[Any]:
    return _grants(actor).filter(role__name="administrator").order_by("-id")


def _own(actor: Actor) -> list[Grant]:
    """What this reader may do, and until when; everybody may know that of themselves."""
    if actor.person is None:
        return []
    held = [g.pk for g in standing_of(actor.person).grants]
    found = Grant.objects.filter(Q(pk__in=held)).select_related(
        "role", "user", "team", "in_organisation", "in_team"
    )
    return list(found.order_by("expires_at", "id"))


def _asked(actor: Actor) -> QuerySet[Any]:
    """Requests that this reader is asked to approve."""
    found = visible(actor, "approvals", Approval.objects.filter(answer="open", request__state="requested"))
    found = found.filter(approver=actor.person).order_by("id")
    return found.select_related(
        "request__user", "request__role", "request__in_organisation", "request__in_team"
    )


def _to_review(actor: Actor) -> QuerySet[Any]:
    """What this reader has to keep or revoke."""
    found = visible(actor, "review-lines", ReviewLine.objects.filter(verdict="open", review__state="open"))
    return (
        found.filter(reviewer=actor.person)
        .select_related("review__campaign")
        .order_by("review__due_at", "id")
    )


def _findings(actor: Actor) -> QuerySet[Any]:
    return visible(actor, "access-findings", AccessFinding.objects.filter(state=FindingState.OPEN))


def _request(a: Approval) -> Line:
    asked = a.request
    return Line(
        f"{asked.role} for {asked.user.called}{asked.where}", "/my-access/", asked.reason, at=asked.asked_at
    )


def _review(line: ReviewLine) -> Line:
    return Line(str(line), "/my-access/", f"{line.review}, until", at=line.review.due_at)


def _grant(grant: Grant) -> Line:
    return Line(
        str(grant), f"/grants/{grant.pk}/", "" if grant.expires_at else "does not expire", at=grant.expires_at
    )


def _role(grant: Grant) -> Line:
    until = "" if grant.expires_at else "until somebody ends it"
    return Line(f"{grant.role}{grant.where}", "/settings/", until, at=grant.expires_at)


panels.add(
    Panel(
        "requests-to-answer", "Requests for access that wait for you", {EVERYONE: 3},
        _asked, _request, "", "/my-access/",
    ),
    Panel(
        "reviews-to-answer", "Reviews of access that wait for you", {EVERYONE: 4},
        _to_review, _review, "", "/my-access/",
    ),
    Panel(
        "access-findings", "Accounts, grants and tokens to look at",
        {"administrator": 48, "incident and security manager": 50},
        _findings, lambda f: Line(f.detail, f"/access-findings/{f.pk}/", f.get_found_display(), at=f.found_at),
        "Nothing is wrong with accounts, grants and tokens.", "/access-findings/?state=open", "access-findings",
    ),
    Panel(
        "grants-expiring", "Grants that expire within two weeks",
        {"administrator": 30, "operations manager": 45, "incident and security manager": 40, "external auditor": 30},
        _expiring, _grant, "No grant expires soon.", "/grants/", "grants",
    ),
    Panel(
        "administrators", "Who was granted to administer",
        {"external auditor": 20, "incident and security manager": 75},
        _powerful, _grant, "Nobody, beside the users who are administrators by their own record.", "/grants/", "grants",
    ),
    Panel(
        "own-grants", "What you may do", {"requester": 0},
        _own, _role, "You were granted nothing yet: an administrator can do it.",
    ),
)  # fmt: skip
