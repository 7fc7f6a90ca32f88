"""Dates of records that end: foreseen, grouped, told of before; told once where they had ended when they were first seen."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.paging_setup import call, root
from watchkeeper.domains.capacity.looking import Looking
from watchkeeper.domains.capacity.models import Forecast
from watchkeeper.domains.upkeep import planning
from watchkeeper.domains.upkeep.models import MaintenancePlan
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2027, 3, 1, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
Look = Callable[[dt.datetime], list[dict[str, Any]]]


@pytest.fixture
def client(db: None) -> Client:  # noqa: ARG001
    return root()


@pytest.fixture
def look(client: Client, tmp_path: Path) -> Look:
    """A round of the rules of dates; gives the alerts that it told the journal."""
    for rule in call(client, "get", "capacity-rules?limit=100")["results"]:
        if rule["measure"] != "recorded":
            call(client, "patch", f"capacity-rules/{rule['id']}", {"enabled": False})
    journal = SqliteJournal(tmp_path / "journal.db")
    looking = Looking(ports.telemetry, journal, nullcontext)  # type: ignore[arg-type]
    seen = 0

    def once(now: dt.datetime) -> list[dict[str, Any]]:
        nonlocal seen
        looking.once(now, threading.Event())
        entries = journal.read(seen)
        seen = entries[-1].offset if entries else seen
        return [row for e in entries if e.stream == Stream.EVENTS for row in e.batch.to_pylist()]

    return once


def forecasts(client: Client, rule: str = "") -> dict[str, dict[str, Any]]:
    found = call(client, "get", "forecasts?limit=200")["results"]
    return {f["name"]: f for f in found if not rule or f["rule_name"] == rule}


def model(client: Client, name: str, **more: Any) -> int:
    maker = call(client, "get", "manufacturers?name=Dell")["results"] or [
        call(client, "post", "manufacturers", {"name": "Dell"}, 201)
    ]
    body = {"manufacturer": maker[0]["id"], "model": name, **more}
    return int(call(client, "post", "device-types", body, 201)["id"])


def device(client: Client, name: str, until: dt.datetime, **more: Any) -> str:
    body = {"name": name, "warranty_until": f"{until:%Y-%m-%d}", **more}
    return str(call(client, "post", "devices", body, 201)["id"])


def test_what_ends_is_told_before_and_an_extended_date_clears_it(client: Client, look: Look) -> None:
    sw1 = device(client, "sw1", NOW + 9 * DAY)
    device(client, "sw2", NOW + 200 * DAY)
    device(client, "sw3", NOW + 900 * DAY)
    device(client, "old", NOW + 9 * DAY, status="disposed")
    (told,) = look(NOW)
    assert (told["status"], told["severity"]) == ("firing", "warning")
    assert told["summary"] == "sw1 goes out of warranty in 9 days, on 2027-03-10."
    found = forecasts(client)
    assert {n: f["state"] for n, f in found.items()} == {"sw1": "soon", "sw2": "coming"}
    assert found["sw1"]["item"] == sw1 and found["sw1"]["alerting"]
    call(client, "patch", f"devices/{sw1}", {"warranty_until": f"{NOW + 400 * DAY:%Y-%m-%d}"})
    look(NOW + dt.timedelta(hours=1))
    assert {n: f["state"] for n, f in forecasts(client).items()} == {"sw1": "coming", "sw2": "coming"}


def test_many_of_a_model_in_a_month_are_one(client: Client, look: Look) -> None:
    r740, r750 = model(client, "R740"), model(client, "R750")
    for n in range(30):
        device(client, f"a{n}", dt.datetime(2027, 4, 1 + n % 3, tzinfo=dt.UTC), device_type=r740)
    for n in range(20):
        device(client, f"b{n}", dt.datetime(2027, 4, 9, tzinfo=dt.UTC), device_type=r750)
    said = sorted(e["summary"] for e in look(NOW))
    assert said == [
        "20 devices of Dell R750 go out of warranty in 39 days, on 2027-04-09.",
        "30 devices of Dell R740 go out of warranty in April 2027, the first in 31 days, on 2027-04-01.",
    ]
    one = forecasts(client)["Devices of Dell R740, April 2027"]
    assert (one["value"], one["unit"], one["item"]) == (30, "{device}", None)
    said = sorted(e["summary"] for e in look(dt.datetime(2027, 4, 2, 9, tzinfo=dt.UTC)))
    assert (
        said[1] == "30 devices of Dell R740 go out of warranty in April 2027, the next today, on 2027-04-02."
    )
    one = forecasts(client)["Devices of Dell R740, April 2027"]
    assert "10 of them have gone out of warranty already." in one["because"]


def test_what_had_ended_is_told_once_and_listed(client: Client, look: Look) -> None:
    r740 = model(client, "R740")
    for n in range(40):
        device(client, f"a{n}", NOW - (1 + n * 40) * DAY, device_type=r740)
    device(client, "b", NOW - 3 * DAY)
    (told,) = look(NOW)
    assert (told["severity"], told["status"]) == ("info", "firing")
    assert told["summary"] == "41 devices have gone out of warranty; the last on 2027-02-28."
    found = forecasts(client)
    assert list(found) == ["Devices that have gone out of warranty"]
    one = found["Devices that have gone out of warranty"]
    assert (one["state"], one["value"], one["alerting"]) == ("lapsed", 41, True)
    assert "40 of Dell R740, 1 of a model that is not recorded" in one["because"]
    assert look(NOW + 2 * DAY) == [], "nobody is told any more"
    assert not forecasts(client)["Devices that have gone out of warranty"]["alerting"]
    device(client, "c", NOW - 300 * DAY)
    (told,) = look(NOW + 3 * DAY)
    assert told["summary"].startswith("42 devices have gone out of warranty"), "there is something new"
    assert look(NOW + 5 * DAY) == []


def test_what_was_foreseen_is_an_alert_for_a_month_after_and_then_listed(client: Client, look: Look) -> None:
    device(client, "sw1", NOW + 5 * DAY)
    (first,) = look(NOW)
    (after,) = look(NOW + 6 * DAY)
    assert after["summary"] == "sw1 went out of warranty yesterday, on 2027-03-06."
    assert after["starts_ms"] == first["starts_ms"] and after["severity"] == "warning", "it is the same alert"
    assert forecasts(client)["sw1"]["state"] == "lapsed"
    assert look(NOW + 40 * DAY) == [], "it was told before"
    one = forecasts(client)["Devices that have gone out of warranty"]
    assert (
        not one["alerting"] and one["because"] == "1 device has gone out of warranty; the last on 2027-03-06."
    )


def test_certificates_stay_alerts_and_share_one_by_issuer_and_day(client: Client, look: Look) -> None:
    for n in range(3):
        body = {
            "name": f"c{n}",
            "subject": f"CN=c{n}",
            "issuer": "Our CA",
            "expires_at": (NOW + 10 * DAY).isoformat(),
        }
        call(client, "post", "certificates", body, 201)
    lone = {"name": "www", "subject": "CN=www", "expires_at": (NOW + 12 * DAY).isoformat()}
    call(client, "post", "certificates", lone, 201)
    said = sorted(e["summary"] for e in look(NOW))
    assert said == [
        "3 certificates of Our CA expire in 10 days, on 2027-03-11.",
        "www expires in 12 days, on 2027-03-13.",
    ]
    late = look(NOW + 100 * DAY)
    assert {e["severity"] for e in late} == {"critical"}
    assert sorted(e["summary"] for e in late)[1] == "www expired 88 days ago, on 2027-03-13."


def test_every_date_that_records_have(client: Client, look: Look) -> None:
    soon = f"{NOW + 20 * DAY:%Y-%m-%d}"
    used = model(client, "R740", end_of_support=soon, end_of_sale=soon)
    model(client, "R230", end_of_support=soon)
    debian = call(client, "post", "platforms", {"name": "Debian 11", "end_of_support": soon}, 201)["id"]
    call(client, "post", "platforms", {"name": "Debian 8", "end_of_support": soon}, 201)
    call(client, "post", "devices", {"name": "d1", "device_type": used, "platform": debian}, 201)
    bt = call(client, "post", "providers", {"name": "BT"}, 201)["id"]
    call(client, "post", "circuits", {"provider": bt, "circuit_id": "7", "ends_on": soon}, 201)
    hours = call(client, "post", "calendars", {"name": "office"}, 201)["id"]
    agreed = {"name": "Gold", "kind": "uc", "calendar": hours, "valid_until": soon}
    call(client, "post", "service-level-agreements", agreed, 201)
    said = {e["summary"].replace(" in 20 days, on 2027-03-21.", "") for e in look(NOW)}
    assert said == {"Dell R740 goes out of support", "Dell R740 goes off sale", "Debian 11 goes out of support",
                    "BT 7 runs out of contract", "Gold expires"}  # fmt: skip


def test_a_plan_makes_one_order_of_a_group(client: Client, look: Look) -> None:
    r740, now = model(client, "R740"), timezone.now()
    ends = now.replace(day=15) + 31 * DAY
    for n in range(12):
        device(client, f"a{n}", ends, device_type=r740)
    made = call(client, "post", "maintenance-plans", {
        "name": "extend", "trigger": "forecast", "item_kind": "devices", "starts_at": now.isoformat()}, 201)  # fmt: skip
    look(now)
    plan = MaintenancePlan.objects.get(pk=made["id"])
    assert [planning.make(plan, now), planning.make(plan, now)] == [1, 0]
    (order,) = call(client, "get", "work-orders")["results"]
    assert order["kind"] == "proactive" and order["title"].startswith("extend: Devices of Dell R740, ")
    assert order["description"].startswith("12 devices of Dell R740 go out of warranty in ")


def test_thousands_of_devices_are_few_findings(
    client: Client, look: Look, django_assert_max_num_queries: Any
) -> None:
    ends = [(NOW + (n - 1600) * DAY).date().isoformat() for n in range(2000)]
    for begin in range(0, 2000, 500):
        rows = [{"name": f"d{n}", "warranty_until": ends[n]} for n in range(begin, begin + 500)]
        call(client, "post", "devices", rows, 201)
    with django_assert_max_num_queries(60):
        told = look(NOW)
    assert len(told) == 3, "the line of what has ended, and a month each of March and April"
    assert Forecast.objects.count() <= 16


def test_where_models_are_many_a_month_is_one(client: Client, look: Look) -> None:
    maker = call(client, "post", "manufacturers", {"name": "Dell"}, 201)["id"]
    models = [{"manufacturer": maker, "model": f"R{n}"} for n in range(40)]
    kinds = [m["id"] for m in call(client, "post", "device-types", models, 201)]
    rows = [
        {"name": f"d{n}", "device_type": kinds[n % 40], "warranty_until": f"{(NOW + (14 + n) * DAY).date()}"}
        for n in range(120)
    ]
    call(client, "post", "devices", rows, 201)
    said = sorted(e["summary"] for e in look(NOW))
    assert said == [
        "17 devices of several models go out of warranty in March 2027, the first in 14 days, on 2027-03-15.",
        "30 devices of several models go out of warranty in April 2027, the first in 31 days, on 2027-04-01.",
    ]
    assert forecasts(client)["Devices of several models, April 2027"]["value"] == 30
