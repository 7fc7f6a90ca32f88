"""Roles are asked for, approved by whoever answers for them, kept apart, taken in an emergency; what time does to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.test_access import grant, person, policy, post
from watchkeeper.domains.access import emergencies, requesting
from watchkeeper.domains.access.keeping import keep
from watchkeeper.domains.access.models import (
    AccessRequest,
    Approval,
    Grant,
    Organisation,
    Role,
    SeparationException,
    SeparationRule,
    Team,
)
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.situations.models import NotificationRule
from watchkeeper.kernel.models import AuditEntry, OutboxRow

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
PATCH = {"content_type": "application/json"}


def user(name: str) -> User:
    """Whoever has this name."""
    return User.objects.get(username=name)


def role(name: str, *owners: str, **fields: Any) -> Role:
    """A role with these owners and fields."""
    found = Role.objects.get(name=name)
    for field, value in fields.items():
        setattr(found, field, value)
    found.save()
    found.owners.set([user(o) for o in owners])
    return found


def apart(*roles: str, **fields: Any) -> SeparationRule:
    """A rule that keeps these roles apart."""
    made = SeparationRule.objects.create(name="four eyes", why="Nobody approves their own work.", **fields)
    made.roles.set(Role.objects.filter(name__in=roles))
    return made


def asked(client: Client, name: str, **more: Any) -> Any:
    """What asking for a role answers."""
    return post(
        client, "access-requests/", role=Role.objects.get(name=name).pk, reason="I am on call", **more
    )


def answer(client: Client, request: int, verdict: str, **body: Any) -> Any:
    """What the approver, whose list holds it, gets for their answer."""
    [row] = client.get("/api/approvals/", {"request": request, "answer": "open"}).json()["results"]
    return post(client, f"approvals/{row['id']}/{verdict}/", **body)


def state(request: int) -> str:
    """Of a request."""
    return str(AccessRequest.objects.get(pk=request).state)


def test_a_role_is_asked_for_approved_by_its_owner_and_ends_by_itself() -> None:
    """With the reason, the approver and the time; everybody concerned is told, and all of it is in the trail."""
    ann, olga = person("ann"), person("olga", "requester")
    User.objects.filter(username="olga").update(email="olga@example.org")
    role("incident and security manager", "olga", longest_days=30)
    assert asked(ann, "incident and security manager").json()["errors"].keys() == {"days"}
    made = asked(ann, "incident and security manager", days=7)
    assert made.status_code == 201, made.content
    key = made.json()["id"]
    assert ann.get("/api/access-requests/").json()["count"] == 1
    assert olga.get("/api/access-requests/").json()["count"] == 0
    told = OutboxRow.objects.get(id=f"access:request:{key}:asked:{user('olga').pk}")
    assert told.payload["to"] == "olga@example.org" and "I am on call" in told.payload["text"]
    assert ann.get("/api/approvals/").json()["count"] == 0  # nobody approves for themselves
    assert ann.get("/api/audit/").status_code == 403
    assert answer(olga, key, "approve").status_code == 200
    assert ann.get("/api/audit/").status_code == 200
    given = Grant.objects.get(user=user("ann"))
    assert (given.approved_by, given.reason) == ("olga", "I am on call")
    assert given.expires_at - given.valid_from == dt.timedelta(days=7)
    assert state(key) == "granted"
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {
        "access-request.create",
        "approval.approve",
        "access-request.approve",
        "access-request.grant",
    } <= acts
    keep(timezone.now() + dt.timedelta(days=8))
    assert state(key) == "ended"


def test_two_have_to_agree_and_one_refusal_is_enough() -> None:
    """Whoever was not needed any more has nothing left to answer."""
    ann, olga, otto = person("ann"), person("olga"), person("otto")
    role("operations engineer", "olga", "otto", "ann", approvals_needed=2)
    key = asked(ann, "operations engineer").json()["id"]
    assert answer(olga, key, "approve", note="fine").status_code == 200
    assert state(key) == "requested"
    assert answer(otto, key, "refuse").status_code == 400  # a refusal says why
    assert answer(otto, key, "refuse", note="not this month").status_code == 200
    found = AccessRequest.objects.get(pk=key)
    assert (found.state, found.note) == ("refused", "not this month")
    assert not Grant.objects.filter(user=user("ann")).exists()
    again = asked(ann, "operations engineer").json()["id"]
    assert answer(olga, again, "approve").status_code == 200
    assert answer(otto, again, "approve").status_code == 200
    assert Grant.objects.get(user=user("ann")).approved_by == "olga, otto"


def test_nobody_answers_for_another_nor_an_administrator_for_themselves(api: Api) -> None:
    """An administrator who asks needs another one."""
    root = person("root", "administrator")
    refused = asked(root, "operations engineer")
    assert refused.status_code == 409 and "approval of 1" in refused.json()["detail"]
    other = person("other", "administrator")
    key = asked(root, "operations engineer").json()["id"]
    [row] = Approval.objects.filter(request=key)
    assert row.approver == user("other")
    for client in (root, api()):
        denied = post(client, f"approvals/{row.pk}/approve/")
        assert denied.status_code == 403, denied.content
    assert post(other, f"approvals/{row.pk}/approve/").status_code == 200


def test_a_request_can_be_withdrawn_and_is_not_made_twice() -> None:
    """Nor for what one has; only one's own."""
    ann, eve = person("ann"), person("eve")
    person("root", "administrator")
    key = asked(ann, "operations engineer").json()["id"]
    assert asked(ann, "operations engineer").status_code == 409
    assert eve.get(f"/api/access-requests/{key}/").status_code == 404
    unseen = asked(eve, "operations engineer", user=user("ann").pk)
    assert unseen.status_code == 400 and unseen.json()["errors"].keys() == {"user"}, (
        "whom she may not even see"
    )
    sees = person("mia", "operations manager")
    assert asked(sees, "operations engineer", user=user("ann").pk).status_code == 403
    assert post(ann, f"access-requests/{key}/withdraw/").status_code == 200
    assert state(key) == "withdrawn" and Approval.objects.get(request=key).answer == "not_needed"
    grant("operations engineer", user=user("ann"))
    assert "already" in asked(ann, "operations engineer").json()["detail"]


def test_a_grant_that_ends_soon_is_warned_about_once_and_extended_by_request() -> None:
    """The extension begins when the first grant ends, for the same records."""
    ann = person("ann")
    User.objects.filter(username="ann").update(email="ann@example.org")
    person("root", "administrator")
    acme = Organisation.objects.create(name="Acme")
    now = timezone.now()
    old = grant("operations engineer", user=user("ann"), in_organisation=acme, valid_from=now - dt.timedelta(days=30),
                expires_at=now + dt.timedelta(days=3))  # fmt: skip
    for _ in range(2):
        keep(now)
    assert OutboxRow.objects.filter(id__startswith=f"access:ending:{old.pk}:").count() == 1
    made = post(ann, "access-requests/", extends=old.pk, days=10, reason="still on call")
    assert made.status_code == 201, made.content
    boss = Client(raise_request_exception=False)
    boss.force_login(user("root"))
    assert answer(boss, made.json()["id"], "approve").status_code == 200
    new = Grant.objects.get(request__pk=made.json()["id"])
    assert (new.valid_from, new.in_organisation) == (old.expires_at, acme)
    assert new.expires_at == old.expires_at + dt.timedelta(days=10)
    eve = person("eve")
    assert post(eve, "access-requests/", extends=old.pk, reason="mine").status_code in (400, 409)


def test_owners_of_an_organisation_and_of_a_team_approve_for_it() -> None:
    """By the role's rule; who becomes an owner later is asked later."""
    ann = person("ann")
    for name in ("orga", "lead", "late"):
        person(name)
    acme = Organisation.objects.create(name="Acme")
    acme.owners.add(user("orga"))
    crew = Team.objects.create(name="crew")
    crew.members.add(user("ann"))
    crew.owners.add(user("lead"))
    role("operations engineer", approvers=["scope_owners", "team_owners"])
    key = asked(ann, "operations engineer", in_organisation=acme.pk).json()["id"]
    names = lambda: set(Approval.objects.filter(request=key).values_list("approver__username", flat=True))  # noqa: E731
    assert names() == {"orga", "lead"}
    acme.owners.add(user("late"))
    requesting.keep(timezone.now())
    assert names() == {"orga", "lead", "late"}


# ── separation of duties ───────────────────────────────────────────────────────────────────────────────────────


def test_what_is_kept_apart_is_refused_wherever_it_would_come_together(api: Api) -> None:
    """By a grant, a request, a team, on becoming an administrator; an exception lets it be for a time."""
    ann, root = person("ann", "operations engineer"), api()
    person("root", "administrator")
    rule = apart("operations engineer", "external auditor", "administrator")
    audits = Role.objects.get(name="external auditor")
    body = {"role": audits.pk, "user": user("ann").pk, "reason": "an audit"}
    refused = post(root, "grants/", **body)
    assert refused.status_code == 409 and "Nobody approves their own work" in refused.json()["detail"]
    assert "four eyes" in asked(ann, "external auditor").json()["detail"]
    team = Team.objects.create(name="auditors")
    grant("external auditor", team=team)
    joined = root.patch(f"/api/teams/{team.pk}/", {"members": [user("ann").pk]}, **PATCH)
    assert joined.status_code == 409 and not team.members.exists()
    raised = root.patch(f"/api/users/{user('ann').pk}/", {"is_administrator": True}, **PATCH)
    assert raised.status_code == 409 and not user("ann").is_administrator
    later = timezone.now() + dt.timedelta(days=30)
    made = post(root, "separation-exceptions/", rule=rule.pk, user=user("ann").pk, reason="too few people",
                expires_at=later.isoformat())  # fmt: skip
    assert made.status_code == 201, made.content
    assert post(root, "grants/", **body).status_code == 201
    SeparationException.objects.update(expires_at=timezone.now())
    Grant.objects.filter(role=audits).update(expires_at=timezone.now())
    assert post(root, "grants/", **body).status_code == 409


def test_times_and_places_that_never_meet_are_no_conflict(api: Api) -> None:
    """Where the rule is about one place only; a part of an organisation is in the whole."""
    person("ann")
    acme = Organisation.objects.create(name="Acme")
    part, other = (
        Organisation.objects.create(name=n, parent=p) for n, p in (("Part", acme), ("Other", None))
    )
    apart("operations engineer", "requester", same_scope=True)
    grant(
        "operations engineer",
        user=user("ann"),
        in_organisation=acme,
        expires_at=timezone.now() + dt.timedelta(days=1),
    )
    asks = Role.objects.get(name="requester").pk

    def given(**more: Any) -> int:
        return int(post(api(), "grants/", role=asks, user=user("ann").pk, reason="x", **more).status_code)

    assert given(in_organisation=other.pk) == 201
    assert given(in_organisation=part.pk) == 409
    assert given() == 409
    tomorrow = timezone.now() + dt.timedelta(days=1, minutes=1)
    assert given(valid_from=tomorrow.isoformat()) == 201


def test_what_changes_before_the_last_approval_leaves_the_request_waiting() -> None:
    """Approved, with what is in the way; an administrator grants it once that is out of the way."""
    ann, root = person("ann"), person("root", "administrator")
    key = asked(ann, "operations engineer").json()["id"]
    grant("requester", user=user("ann"))
    rule = apart("operations engineer", "requester")
    assert answer(root, key, "approve").status_code == 200
    found = AccessRequest.objects.get(pk=key)
    assert found.state == "approved" and "four eyes" in found.note
    rule.delete()
    assert post(root, f"access-requests/{key}/grant/").status_code == 200
    assert state(key) == "granted" and AccessRequest.objects.get(pk=key).note == ""


# ── emergencies ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_is_taken_in_an_emergency_and_everybody_sees_it() -> None:
    """At once, for as long as the role allows, with an alarm; it ends by itself and somebody else looks at it."""
    ann, root = person("ann", "operations engineer"), person("root", "administrator")
    User.objects.filter(username="root").update(email="root@example.org")
    admin = Role.objects.get(name="administrator")
    body = {"role": admin.pk, "reason": "nobody else is reachable"}
    assert post(ann, "emergencies/", **body).status_code == 409  # the role does not allow it
    role("administrator", emergency_minutes=60)
    assert post(ann, "emergencies/", **body, minutes=61).status_code == 400
    assert post(person("eve"), "emergencies/", **body).status_code == 403
    assert ann.get("/api/policies/").status_code == 403
    everything = NotificationRule.objects.create(
        name="all", channel="email", address="noc@example.org", min_severity="warning"
    )
    made = post(ann, "emergencies/", **body, minutes=30)
    assert made.status_code == 201, made.content
    key = made.json()["id"]
    assert ann.get("/api/policies/").status_code == 200
    told = OutboxRow.objects.get(id=f"access:emergency:{key}:taken:{user('root').pk}")
    assert told.payload["subject"].startswith("EMERGENCY") and "nobody else" in told.payload["text"]
    assert OutboxRow.objects.filter(
        id=f"notify:{everything.pk}:emergency:{key}", kind="notification"
    ).exists()
    for client in (ann, root):
        assert "in an emergency</strong>" in client.get("/").content.decode()
    assert post(ann, "emergencies/", **body).status_code == 409
    assert post(root, f"emergencies/{key}/review/", review_note="fine").status_code == 409
    later = timezone.now() + dt.timedelta(minutes=31)
    emergencies.keep(later)
    Grant.objects.filter(emergency=key).update(expires_at=timezone.now())  # as the clock would
    assert ann.get("/api/policies/").status_code == 403
    assert "in an emergency</strong>" not in root.get("/").content.decode()
    assert (
        post(root, f"emergencies/{key}/review/", review_note="They restored the backup.").status_code == 200
    )
    assert root.get(f"/api/emergencies/{key}/").json()["reviewed_by"] == "root"
    acts = {"emergency.create", "emergency.end", "emergency.review"}
    assert acts <= set(AuditEntry.objects.values_list("act", flat=True))


def test_nobody_reviews_their_own_emergency() -> None:
    """Also an administrator; and it can be ended early."""
    role("administrator", emergency_minutes=60)
    policy('permit (principal, action == Action::"create", resource == Kind::"emergencies");')
    root, other = person("root", "administrator"), person("other", "administrator")
    body = {"role": Role.objects.get(name="administrator").pk, "reason": "to see"}
    key = post(root, "emergencies/", **body).json()["id"]
    assert post(root, f"emergencies/{key}/end/").status_code == 200
    assert Grant.objects.get(emergency=key).expires_at <= timezone.now()
    assert post(root, f"emergencies/{key}/review/", review_note="all good").status_code == 403
    assert post(other, f"emergencies/{key}/review/", review_note="all good").status_code == 200
