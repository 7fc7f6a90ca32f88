"""Maintenance plans make a work order once for each occurrence; orders over their life; how often things fail."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.approving import call, client, work
from watchkeeper.domains.capacity.models import CapacityRule, Forecast
from watchkeeper.domains.situations.models import Alert, Membership, Situation
from watchkeeper.domains.upkeep import planning, rules
from watchkeeper.domains.upkeep.models import MaintenancePlan, WorkOrder
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.model.verdicts import Severity

DAY = dt.timedelta(days=1)


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return client()


@pytest.fixture
def db1(root: Client) -> str:
    """An item."""
    return str(call(root, "post", "items", {"name": "db1", "kind": "host"}, 201)["id"])


def plan(root: Client, **more: Any) -> dict[str, Any]:
    """One that is due now and every day."""
    body = {"name": "clean", "rule": "FREQ=DAILY", "starts_at": timezone.now().isoformat(), "lead_days": 0,
            "checklist": "filter\nfan", **more}  # fmt: skip
    made: dict[str, Any] = call(root, "post", "maintenance-plans", body, 201)
    return made


def test_by_the_calendar_an_order_is_made_once_for_each_occurrence_and_item(root: Client, db1: str) -> None:
    other = call(root, "post", "items", {"name": "db2", "kind": "host"}, 201)["id"]
    begins = timezone.now() - dt.timedelta(minutes=1)
    made = plan(root, item_kind="host", starts_at=begins.isoformat())
    work()
    orders = call(root, "get", "work-orders")["results"]
    assert {(o["item"], o["kind"], o["status"]) for o in orders} == {
        (db1, "preventive", "open"),
        (other, "preventive", "open"),
    }
    OutboxRow.objects.filter(kind=planning.KIND, state="done").update(state="due", due_at=timezone.now())
    work()
    assert WorkOrder.objects.count() == 2, "a second look makes none twice"
    there = MaintenancePlan.objects.get(pk=made["id"])
    assert planning.make(there, timezone.now() + DAY) == 2
    assert planning.make(there, timezone.now() + DAY) == 0
    assert OutboxRow.objects.filter(kind=planning.KIND, state="due").exists(), "it goes on"


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=DAILY;INTERVAL=0", "FREQ=MONTHLY;BYDAY=1MO,10MO"]
)
def test_a_plan_that_is_never_due_is_refused(root: Client, rule: str) -> None:
    """Looking when it is would go on until the year 9999, or for ever."""
    body = {
        "name": "clean",
        "rule": rule,
        "starts_at": "2026-06-02T23:30:00Z",
        "item_kind": "host",
    }  # a Tuesday
    assert "rule" in call(root, "post", "maintenance-plans", body, 400)["errors"]
    if "INTERVAL=7" in rule:  # a Wednesday there
        body |= {"zone": "Europe/Berlin", "rule": rule.replace("MO", "WE")}
        call(root, "post", "maintenance-plans", body, 201)


def test_a_forecast_that_becomes_an_alert_makes_a_proactive_order(root: Client, db1: str) -> None:
    made = plan(root, trigger="forecast", items=[db1])
    rule, now = CapacityRule.objects.create(name="disks"), timezone.now()
    Forecast.objects.create(key="k", name="disk of db1", rule=rule, item_id=db1, state="soon", alerting=True,
                            because="It is full in 3 days.", looked_at=now, since=now)  # fmt: skip
    there = MaintenancePlan.objects.get(pk=made["id"])
    assert [planning.make(there, now), planning.make(there, now)] == [1, 0]
    (order,) = call(root, "get", "work-orders")["results"]
    assert order["kind"] == "proactive" and order["description"].startswith("It is full in 3 days.")


def failure(item: str, number: int, begins: dt.datetime, ends: dt.datetime | None) -> None:
    """A situation with an alert of this item."""
    s = Situation.objects.create(
        id=f"s{number}", state="resolved" if ends else "open", severity=Severity.ERROR, title="down", opened_at=begins,
        updated_at=begins, resolved_at=ends,
    )  # fmt: skip
    a = Alert.objects.create(
        fingerprint=f"a{number}", item_id=item, name="Down", severity=Severity.ERROR, situation=s, starts_at=begins,
        status="resolved" if ends else "firing", first_seen_at=begins, last_seen_at=begins,
    )  # fmt: skip
    Membership.objects.create(situation=s, alert=a, position=0)


def test_a_situation_makes_a_reactive_order(root: Client, db1: str) -> None:
    made = plan(root, trigger="situation", items=[db1])
    failure(db1, 1, timezone.now(), None)
    assert planning.make(MaintenancePlan.objects.get(pk=made["id"]), timezone.now()) == 1
    assert WorkOrder.objects.get().kind == "reactive"


def test_mtbf_and_mttr_come_from_situations(root: Client, db1: str) -> None:
    now = timezone.now()
    failure(db1, 1, now - 9 * DAY, now - 8 * DAY)
    failure(db1, 2, now - 4 * DAY, now - 2 * DAY)
    call(root, "post", "work-orders", {"title": "mend it", "item": db1}, 201)
    found = call(root, "get", "reliability")
    (item,) = found["items"]
    assert (item["name"], item["failures"], item["mttr_seconds"]) == ("db1", 2, 1.5 * 86_400)
    assert item["mtbf_seconds"] == pytest.approx((90 - 3) / 2 * 86_400)
    assert (found["work"]["reactive"], found["planned"]) == (1, 0.0)
    assert root.get("/api/reliability/?days=x").status_code == 400


def test_an_order_is_put_off_with_a_reason_and_done_when_its_list_is_ticked(root: Client) -> None:
    made = call(root, "post", "work-orders", {"title": "clean", "checklist": "[ ] filter\n[x] fan"}, 201)
    url = f"work-orders/{made['id']}"
    later = (timezone.now() + DAY).isoformat()
    call(root, "post", f"{url}/put-off", {"until": later}, 400)
    assert (
        call(root, "post", f"{url}/put-off", {"until": later, "reason": "no parts"})["status"] == "deferred"
    )
    call(root, "post", f"{url}/start")
    assert "filter" in call(root, "post", f"{url}/finish", {"minutes": 30}, 409)["detail"]
    call(root, "patch", url, {"checklist": "[x] filter\n[x] fan"})
    done = call(root, "post", f"{url}/finish", {"minutes": 30, "parts": "1 filter"})
    assert (done["status"], done["minutes"], done["parts"], done["overdue"]) == (
        "done",
        30,
        "1 filter",
        False,
    )


def test_what_a_plan_cannot_be_is_said_at_its_field(root: Client, db1: str) -> None:
    base = {"name": "x", "items": [db1], "starts_at": timezone.now().isoformat()}
    for body, field in (
        ({"rule": "NOW AND THEN"}, "rule"),
        ({"starts_at": None}, "starts_at"),
        ({"items": []}, "items"),
        ({"trigger": "meter", "query": "hours"}, "every"),
        ({"trigger": "meter", "every": 5, "query": "hours"}, "query"),
        ({"trigger": "meter", "every": 5, "query": 'hours{host="$item"'}, "query"),
        ({"zone": "Mars"}, "zone"),
    ):
        assert field in call(root, "post", "maintenance-plans", {**base, **body}, 400)["errors"], body


_STRETCH = st.tuples(st.integers(0, 100), st.integers(1, 50)).map(lambda s: (float(s[0]), float(s[0] + s[1])))


@given(st.lists(_STRETCH, max_size=8))
def test_joined_stretches_neither_overlap_nor_lose_time(stretches: list[tuple[float, float | None]]) -> None:
    seconds = {t for a, b in stretches for t in range(int(a), int(b or 0))}
    out = rules.joined(stretches)
    assert {t for a, b in out for t in range(int(a), int(b or 0))} == seconds
    assert all(first[1] is not None and first[1] < then[0] for first, then in pairwise(out))
    found = rules.reliability(out, 0.0, 200.0)
    if found.mtbf_s is not None and found.mttr_s is not None:
        assert found.failures * (found.mtbf_s + found.mttr_s) == pytest.approx(200.0)


def test_a_look_that_is_done_twice_is_followed_by_one(root: Client, db1: str) -> None:
    plan(root, trigger="situation", items=[db1], rule="", starts_at=None)
    work()
    looks = OutboxRow.objects.filter(kind=planning.KIND)
    for _ in range(4):
        looks.filter(state="done").update(state="due")
        work()
        assert 1 <= looks.exclude(state="done").count() <= 2  # two where a quarter of an hour ends meanwhile
