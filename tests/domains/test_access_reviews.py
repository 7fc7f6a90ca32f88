"""Reviews of who has what, and what a look at all accounts finds."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.test_access import grant, person, post
from tests.domains.test_access_requests import apart, role, user
from watchkeeper.domains import identity
from watchkeeper.domains.access import findings, reviewing
from watchkeeper.domains.access.models import (
    AccessFinding,
    Grant,
    Review,
    ReviewCampaign,
    ReviewLine,
    Role,
    Team,
)
from watchkeeper.domains.identity.models import ApiToken, User
from watchkeeper.kernel.models import AuditEntry, OutboxRow

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
DAY = dt.timedelta(days=1)


def campaign(client: Client, owner: str, **fields: Any) -> Review:
    """A campaign of this owner, and its first review."""
    body = {"name": "every quarter", "owner": user(owner).pk, "days": 10, **fields}
    made = post(client, "review-campaigns/", **body)
    assert made.status_code == 201, made.content
    begun = post(client, f"review-campaigns/{made.json()['id']}/begin/")
    assert begun.status_code == 200, begun.content
    return Review.objects.get(campaign=made.json()["id"])


def lines(client: Client, **query: Any) -> list[dict[str, Any]]:
    """What a reviewer's list shows."""
    found = client.get("/api/review-lines/", {"verdict": "open", **query}).json()
    return list(found["results"])


def test_a_review_asks_for_every_grant_whether_it_is_kept() -> None:
    """With how it came about and how it is used; what is taken back ends; the result is a table for an auditor."""
    root = person("root", "administrator")
    olga = person("olga", "requester")
    User.objects.filter(username="olga").update(email="olga@example.org")
    for name in ("ann", "bob"):
        person(name, "operations engineer")
    User.objects.filter(username="ann").update(last_seen_at="2026-01-02T03:04:05Z")
    role("operations engineer", "olga")
    review = campaign(root, "root", roles=[Role.objects.get(name="operations engineer").pk])
    assert OutboxRow.objects.filter(id=f"access:review:{review.pk}:opened:{user('olga').pk}").exists()
    found = {line["holder"]: line for line in lines(olga)}
    assert found.keys() == {"ann", "bob"}
    assert found["ann"]["evidence"]["last seen"] == "2026-01-02"
    assert found["ann"]["evidence"]["why"] == "a test" and found["bob"]["evidence"]["last seen"] == "never"
    assert post(olga, f"review-lines/{found['ann']['id']}/keep/", note="on call").status_code == 200
    assert post(olga, f"review-lines/{found['bob']['id']}/revoke/").status_code == 400
    assert post(olga, f"review-lines/{found['bob']['id']}/revoke/", note="has left").status_code == 200
    assert Grant.objects.get(user=user("bob")).expires_at is not None
    assert Grant.objects.get(user=user("ann")).expires_at is None
    assert post(root, f"reviews/{review.pk}/close/").status_code == 200
    told = root.get("/api/review-lines/", {"review": review.pk, "format": "csv"}).getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(told)))
    assert {(r["holder"], r["verdict"], r["decided_by"], r["note"]) for r in rows} == {
        ("ann", "kept", "olga", "on call"), ("bob", "revoked", "olga", "has left")
    }  # fmt: skip
    assert {"review.begin", "review-line.keep", "review-line.revoke", "review.close"} <= set(
        AuditEntry.objects.values_list("act", flat=True)
    )


def test_nobody_reviews_what_they_hold_themselves() -> None:
    """Neither as the owner of the role, nor in the team that holds it, nor as an administrator."""
    root, second = person("root", "administrator"), person("second", "administrator")
    olga = person("olga", "operations engineer")
    role("operations engineer", "olga")
    team = Team.objects.create(name="crew")
    team.members.add(user("root"))
    grant("operations engineer", team=team)
    campaign(root, "root", roles=[Role.objects.get(name="operations engineer").pk])
    by_holder = {line.holder: line for line in ReviewLine.objects.all()}
    assert by_holder["olga"].reviewer == user("root")
    assert by_holder["team crew"].reviewer == user("olga")
    assert post(olga, f"review-lines/{by_holder['olga'].pk}/keep/").status_code == 404
    assert post(root, f"review-lines/{by_holder['team crew'].pk}/keep/").status_code == 403
    assert post(second, f"review-lines/{by_holder['olga'].pk}/keep/").status_code == 200


def test_administrators_by_their_own_record_are_reviewed_too() -> None:
    """And the last of them stays."""
    root, second = person("root", "administrator"), person("second", "administrator")
    review = campaign(
        root, "root", roles=[Role.objects.get(name="administrator").pk], reviewers="campaign_owner"
    )
    assert {(line.holder, str(line.reviewer)) for line in review.lines.all()} == {
        ("root", "second"), ("second", "root")
    }  # fmt: skip
    [own] = review.lines.filter(holder="second")
    [other] = review.lines.filter(holder="root")
    assert post(root, f"review-lines/{own.pk}/revoke/", note="not needed").status_code == 200
    assert not user("second").is_administrator
    assert post(second, f"review-lines/{other.pk}/revoke/", note="revenge").status_code == 409
    assert user("root").is_administrator


def test_what_nobody_answers_is_revoked_or_goes_to_the_owner_first() -> None:
    """After reminders; the next round begins by itself."""
    root = person("root", "administrator")
    person("olga")
    User.objects.filter(username="olga").update(email="olga@example.org")
    person("ann", "operations engineer")
    role("operations engineer", "olga")
    about = [Role.objects.get(name="operations engineer").pk]
    review = campaign(root, "root", roles=about, unanswered="escalate", interval_days=90)
    now = timezone.now()
    reviewing.keep(now + 4 * DAY)
    assert OutboxRow.objects.filter(id__startswith=f"access:review:{review.pk}:reminder-7").count() == 1
    reviewing.keep(now + 11 * DAY)
    review.refresh_from_db()
    line = review.lines.get()
    assert review.escalated_at is not None and line.reviewer == user("root") and line.verdict == "open"
    reviewing.keep(now + 22 * DAY)
    line.refresh_from_db()
    review.refresh_from_db()
    assert (line.verdict, line.decided_by, review.state) == ("unanswered", "watchkeeper", "closed")
    assert Grant.objects.get(user=user("ann")).expires_at is not None
    grant("operations engineer", user=user("ann"))
    reviewing.keep(now + 91 * DAY)
    assert list(Review.objects.values_list("number", "state")) == [(2, "open"), (1, "closed")]


def test_a_grant_that_ends_during_the_review_needs_no_answer() -> None:
    """And the review closes when nothing is open."""
    root = person("root", "administrator")
    person("ann", "operations engineer")
    review = campaign(root, "root", roles=[Role.objects.get(name="operations engineer").pk])
    assert post(root, f"reviews/{review.pk}/close/").status_code == 409
    post(root, f"grants/{Grant.objects.get(user=user('ann')).pk}/end/")
    reviewing.keep(timezone.now())
    review.refresh_from_db()
    assert (review.state, review.lines.get().verdict) == ("closed", "gone")
    assert ReviewCampaign.objects.get().next_at is None


# ── findings ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_used_or_belongs_to_nobody_is_found(api: Api) -> None:
    """Accounts, service accounts, tokens and grants; each can be settled from the list."""
    old = timezone.now() - 200 * DAY
    person("ann", "operations engineer", valid_from=old)
    person("new")
    service = User.objects.create_user("backup", kind="service", owner=user("new"))
    identity.create_token("nightly", "read", user=service)
    ApiToken.objects.update(created_at=old)
    root = api()
    grant("requester", team=Team.objects.create(name="x"), attribute="site", values=["Atlantis"])
    User.objects.exclude(username="new").update(created_at=old, last_login=None)
    User.objects.filter(username="new").update(is_active=False)
    service.tokens.update(last_used_at=None)

    def found() -> dict[str, str]:
        findings.look(timezone.now())
        return {
            f["found"]: f["detail"]
            for f in root.get("/api/access-findings/", {"state": "open"}).json()["results"]
        }

    seen = found()
    assert set(seen) == {"dormant", "ownerless", "unused_token", "unused_grant", "empty_grant"}
    assert "Atlantis" in seen["empty_grant"] and "never used" in seen["unused_token"]
    key = {f.found: f.pk for f in AccessFinding.objects.filter(state="open")}
    assert post(root, f"access-findings/{key['unused_token']}/revoke/").status_code == 200
    assert ApiToken.objects.get(name="nightly").revoked_at is not None
    assert post(root, f"access-findings/{key['unused_grant']}/revoke/").status_code == 200
    kept = post(root, f"access-findings/{key['empty_grant']}/keep/", note="it is being built")
    assert kept.status_code == 200, kept.content
    User.objects.filter(username="ann").update(last_seen_at=timezone.now())
    assert set(found()) == {"ownerless", "dormant", "homeless"}  # the service account is not used either
    [homeless] = AccessFinding.objects.filter(found="homeless")
    assert post(root, f"access-findings/{homeless.pk}/keep/", note="begins in May").status_code == 200
    AccessFinding.objects.filter(found="empty_grant").update(kept_until=timezone.now())
    assert "empty_grant" in found()
    own = AccessFinding.objects.get(found="ownerless")
    assert post(root, f"access-findings/{own.pk}/disable/").status_code == 200
    assert not user("backup").is_active
    assert set(found()) == {"empty_grant"}


def test_the_last_administrator_is_not_disabled_for_being_idle(api: Api) -> None:
    """However long they were away."""
    person("root", "administrator")
    User.objects.update(created_at=timezone.now() - 200 * DAY, last_login=None)
    findings.look(timezone.now())
    [finding] = AccessFinding.objects.filter(found="dormant")
    assert post(api(), f"access-findings/{finding.pk}/disable/").status_code == 409
    assert user("root").is_active


def test_administrators_are_disabled_by_administrators_and_with_all_they_have_open() -> None:
    boss, root = person("boss", "administrator"), person("root", "administrator")
    ann = person("ann", "incident and security manager")
    token = Client(headers={"authorization": "Bearer " + identity.create_token("root's", user=user("root"))})
    User.objects.update(created_at=timezone.now() - 200 * DAY, last_login=None, last_seen_at=None)
    findings.look(timezone.now())
    finding = AccessFinding.objects.get(found="dormant", user=user("root"))
    refused = post(ann, f"access-findings/{finding.pk}/disable/")
    assert refused.status_code == 403
    assert "Only an administrator" in refused.json()["because"][0]
    assert [c.get("/api/users/").status_code for c in (root, token)] == [200, 200]
    assert post(boss, f"access-findings/{finding.pk}/disable/").status_code == 200
    assert [c.get("/api/users/").status_code for c in (root, token)] == [401, 401]
    User.objects.filter(username="root").update(is_active=True)
    assert [c.get("/api/users/").status_code for c in (root, token)] == [401, 401]


def test_nobody_excepts_themselves_by_keeping_the_finding() -> None:
    """Nor by a service account of theirs."""
    person("root", "administrator")
    ann = person("ann", "incident and security manager", "operations engineer")
    robot = User.objects.create_user("robot", kind="service", owner=user("ann"))
    grant("incident and security manager", user=robot)
    apart("incident and security manager", "operations engineer")
    findings.look(timezone.now())
    [finding] = AccessFinding.objects.filter(found="separation")
    token = Client(headers={"authorization": "Bearer " + identity.create_token("robot's", user=robot)})
    for who in (ann, token):
        said = post(who, f"access-findings/{finding.pk}/keep/", note="I may")
        assert (said.status_code, said.json()["because"]) == (403, ["Nobody excepts themselves."]), (
            said.content
        )
    finding.refresh_from_db()
    assert finding.state == "open"
    assert not user("ann").separation_exceptions.exists()


def test_what_was_in_one_hand_before_the_rule_is_found(api: Api) -> None:
    """And kept by an exception, until that is over."""
    person("ann", "operations engineer", "external auditor")
    apart("operations engineer", "external auditor")
    now = timezone.now()
    findings.look(now)
    [finding] = AccessFinding.objects.filter(found="separation")
    assert "ann is external auditor and operations engineer" in finding.detail
    kept = post(
        api(), f"access-findings/{finding.pk}/keep/", note="until we hire", until=(now + DAY).isoformat()
    )
    assert kept.status_code == 200, kept.content
    findings.look(now)
    finding.refresh_from_db()
    assert finding.state == "kept"
    finding.user.separation_exceptions.update(expires_at=now)
    findings.look(now + 2 * DAY)
    finding.refresh_from_db()
    assert finding.state == "open"
