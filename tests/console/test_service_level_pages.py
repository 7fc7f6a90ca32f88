"""Pages of service levels, as they are sent: each is there with what it has to say, for whoever may read it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.test_desk import MINUTE, act, call, earlier, promise, root, ticket, work
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.objectives.models import ServiceLevelObjective, Standing
from watchkeeper.domains.reporting.models import ServiceReport

__all__ = ["root"]  # a fixture
SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: imported}
spec:
  service: nothing-of-this-name
  indicator: {metadata: {name: up}, spec: {ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: up}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


@pytest.fixture
def person(root: Client) -> Client:  # noqa: ARG001
    """Somebody who may do everything, signed in to the console."""
    found = Client()
    found.force_login(User.objects.create_user("ada", is_administrator=True))
    return found


def text(person: Client, url: str) -> str:
    """What a page says."""
    answer = person.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.content.decode())


def _standing(**fields: Any) -> ServiceLevelObjective:
    now = timezone.now()
    made = ServiceLevelObjective.objects.create(name="shop", title="Shop answers", query="a", total_query="b")
    at = [int(now.timestamp() * 1000) - n * 3_600_000 for n in (2, 1)]
    given = {
        "state": "at_risk", "said": "It burns.", "attained": 99.85, "left": 40.0, "burn_hour": 7.5, "burn_day": 2.0,
        "foreseen": "At this pace the budget is used up on 12 December.", "excluded_seconds": 7200, "begins_at": now,
        "ends_at": now + dt.timedelta(days=1), "evaluated_at": now, "measured_as": made.measured_as,
        "chart": {"at": at, "left": [1.0, 0.4], "excluded": [at],
                  "ahead": {"at": [at[1] + 1], "value": [0.3], "lower": [0.2], "upper": [0.35]}},
    }  # fmt: skip
    Standing.objects.create(objective=made, **{**given, **fields})
    return made


def test_the_page_of_an_objective_and_its_picture(person: Client) -> None:
    made = _standing()
    said = text(person, f"/service-level-objectives/{made.pk}/")
    for part in ("It burns.", "99.85 %", "40 %", "7.5", "2 h", "12 December", "at risk", "chart.json"):
        assert part in said, part
    drawn = person.get(f"/service-level-objectives/{made.pk}/chart.json").json()
    assert [s["name"] for s in drawn["series"]] == ["budget left", "expected"]
    assert (len(drawn["band"]), len(drawn["marks"])) == (1, 1)
    assert "at risk" in text(person, "/service-level-objectives/")
    assert "apiVersion: openslo/v1" in text(person, f"/service-level-objectives/{made.pk}/openslo/")
    new = ServiceLevelObjective.objects.create(name="new", query="a", total_query="b")
    assert "evaluated within a few minutes" in text(person, f"/service-level-objectives/{new.pk}/")
    nothing = _standing_of(new, left=None, attained=None, said="Nothing has been measured in its window.")
    assert nothing in text(person, f"/service-level-objectives/{new.pk}/")


def _standing_of(objective: ServiceLevelObjective, **fields: Any) -> str:
    Standing.objects.create(objective=objective, **fields)
    return str(fields["said"])


def test_openslo_is_imported_with_what_is_wrong_and_what_is_odd(root: Client, person: Client) -> None:
    url = "/service-level-objectives/import-openslo/"
    assert "Import OpenSLO" in text(person, "/service-level-objectives/")
    wrong = person.post(url, {"text": SLO.replace("0.99", "99")})
    assert wrong.status_code == 400 and "from 0 to 1" in wrong.content.decode()
    assert person.post(url, {"text": ""}).status_code == 400
    assert "no item" in person.post(url, {"text": SLO}).content.decode()
    assert ServiceLevelObjective.objects.get(name="imported").indicator == "success_ratio"
    again = call(root, "post", "service-level-objectives/import-openslo", {"text": SLO})
    assert again["same"] == ["imported"]


def test_a_ticket_its_queue_and_its_agreement_say_how_it_stands(root: Client, person: Client) -> None:
    queue = promise(root)
    made = ticket(root, queue=queue["id"])
    act(root, made, "ask")
    page = text(person, f"/tickets/{made['id']}/")
    assert "It stands since" in page and "waiting for the requester" in page
    act(root, made, "go-on")
    earlier(made, 400 * MINUTE)
    row = Ticket.objects.get(pk=made["id"])
    row.waits.all().delete()
    call(root, "patch", f"tickets/{made['id']}", {"title": "slower"})
    work()
    page = text(person, f"/tickets/{made['id']}/")
    assert "late by" in page and "100 % of the time for the resolution used" in page
    assert "Will it be in time?" in text(person, f"/queues/{queue['id']}/")
    calendar = call(root, "get", f"service-level-agreements/{queue['agreement']}")["calendar"]
    lower = call(
        root, "post", "service-level-agreements", {"name": "Net", "kind": "ola", "calendar": calendar}, 201
    )
    call(root, "patch", f"service-level-agreements/{queue['agreement']}", {"kept_by": [lower["id"]]})
    assert "Net promises nothing" in text(person, f"/service-level-agreements/{queue['agreement']}/")
    assert "It helps to keep" in text(person, f"/service-level-agreements/{lower['id']}/")


def test_a_report_is_read_on_its_page(person: Client) -> None:
    made = ServiceReport.objects.create(month=dt.date(2026, 10, 1), asked_by="ada")
    assert "being made" in text(person, f"/service-reports/{made.pk}/")
    none = {"mean": None, "median": None}
    kept = {"kept": 3, "broken": 1}
    made.content = {
        "month": "2026-10-01", "about": "all services", "opened": 5, "solved": 4, "still_open": 1, "by_priority": {"1": 5},
        "answers": kept, "resolutions": kept, "acknowledge": none, "resolve": none, "objectives": [],
        "broken": [{"number": "INC-1", "title": "<b>slow</b>", "promise": "resolution", "late_minutes": 90, "reason": "x"}],
    }  # fmt: skip
    made.state = "done"
    made.save()
    said = text(person, f"/service-reports/{made.pk}/")
    assert "6 of 8 promises were kept (75.0 %)" in said
    assert "<b>slow</b>" not in said and "<table>" in said
