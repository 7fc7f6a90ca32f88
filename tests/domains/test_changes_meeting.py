"""What else is planned on the same items as a change, however much that is, and changes that start by themselves."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.approving import as_, call, make_people, work
from tests.domains.test_changes import HOUR, act, plan, service
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.changes.models import Change
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.jobs import port
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import Refused


@pytest.fixture
def ann(db: None) -> Client:  # noqa: ARG001
    """The author."""
    person = make_people()["ann"]
    User.objects.filter(pk=person.pk).update(is_administrator=True)
    Team.objects.create(name="net")
    return as_(User.objects.get(pk=person.pk))


def other(
    item: str, status: str = "scheduled", begins: dt.timedelta = -HOUR, ends: dt.timedelta = HOUR
) -> str:
    """Another change, of this item; its number."""
    now = timezone.now()
    made = Change.objects.create(title="other", status=status, starts_at=now + begins, ends_at=now + ends)
    made.items.add(item)
    return str(made.number)


def collisions(ann: Client, *items: str) -> list[str]:
    """Of a change of these, now for an hour."""
    because = act(ann, plan(ann, *items), "assess")["because"]
    return [text.partition(": ")[2] for text in because if "CHG-" in text]


def test_others_of_the_same_items_are_seen_among_however_many(ann: Client) -> None:
    """Before it or after it in the list."""
    away, db = service(ann, "away"), service(ann, "db")
    for _ in range(60):
        other(away)
    number = other(db, begins=-HOUR / 2)
    assert collisions(ann, db) == [f"{number} touches db in the same window"]


def test_an_item_is_seen_among_however_many(ann: Client) -> None:
    """By its name it is the last of them."""
    items = [service(ann, f"s{n:02}") for n in range(55)]
    number = other(items[-1])
    assert collisions(ann, *items) == [f"{number} touches s54 in the same window"]


def test_work_that_takes_longer_than_planned_is_seen(ann: Client) -> None:
    """It is in progress, whatever its window was; what has not begun or has ended is not in its way."""
    db = service(ann, "db")
    shop = service(ann, "shop", db)
    number = other(db, "in_progress", -5 * HOUR, -HOUR)
    other(db, "scheduled", -5 * HOUR, -HOUR)
    other(db, "done", -5 * HOUR, -HOUR)
    assert collisions(ann, db) == [f"{number} touches db and is still in progress"]
    assert collisions(ann, shop) == [
        f"{number} touches db, which is needed by shop, and is still in progress"
    ]


def automatic(ann: Client) -> dict[str, str]:
    """A scheduled change that starts a job by itself, now."""
    plans = {"implementation": "back it up", "job": "backup"}
    model = call(ann, "post", "change-models", {"name": "backup", **plans}, 201)["id"]
    made = plan(ann, type="standard", model=model, **plans, test="", back_out="", automatic=True)
    act(ann, made, "assess")
    act(ann, made, "pre-approve")
    act(ann, made, "schedule", {"despite": True})
    return made


def test_it_starts_with_its_job_or_not_at_all(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fault between the two the next attempt does both."""
    made = automatic(ann)
    start = port.start
    monkeypatch.setattr(port, "start", lambda *_, **__: (_ for _ in ()).throw(OSError("no room")))
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "scheduled"
    monkeypatch.setattr(port, "start", start)
    OutboxRow.objects.filter(kind="change-start").update(due_at=timezone.now())
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "in_progress"
    assert Job.objects.filter(kind="backup").count() == 1


def test_with_a_job_that_cannot_be_started_it_does_not_start_and_its_owner_is_told(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No repetition would help."""
    made = automatic(ann)
    monkeypatch.setattr(
        port, "start", lambda *_, **__: (_ for _ in ()).throw(Refused("there is no such job"))
    )
    work()
    assert call(ann, "get", f"changes/{made['id']}")["status"] == "scheduled"
    assert Notice.objects.filter(text__endswith="did not start by itself: there is no such job").exists()
