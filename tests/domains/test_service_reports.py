"""Monthly reports: what they count, whose promises they name, and their files."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.domains.test_desk import MINUTE, act, call, earlier, promise, root, ticket
from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.desk import promising
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.objectives import slots
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.domains.reporting import making, rules, writing
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.fields import milliseconds

__all__ = ["root"]  # a fixture


def at_once(_: str, do: Any, __: Any) -> Any:
    """Steps that nothing remembers."""
    return do()


def carry_out_jobs() -> None:
    """All that are due."""
    while taken := jobs.claim("here"):
        for pk, attempt in taken:
            jobs.carry_out(pk, attempt, at_once)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.FILES = tmp_path / "files"


def test_a_month_of_an_agreement_with_what_was_broken(root: Client) -> None:
    queue = promise(root)
    kept, late = (ticket(root, queue=queue["id"], title=t) for t in ("quick", "slow | *again*"))
    other = ticket(root, title="of nobody")
    for one, minutes in ((kept, 10), (late, 300), (other, 5)):
        earlier(one, minutes * MINUTE)
        act(root, one, "start")
        act(root, one, "resolve", {"resolution": "The cable was\nreplaced."})
    body = {"month": timezone.now().date().isoformat(), "agreement": queue["agreement"]}
    made = call(root, "post", "service-reports", body, 201)
    assert (made["state"], made["month"][-2:]) == ("waiting", "01")
    carry_out_jobs()
    found = call(root, "get", f"service-reports/{made['id']}")
    assert found["state"] == "done"
    content = found["content"]
    assert (content["opened"], content["solved"], content["still_open"]) == (2, 2, 0)
    assert content["answers"] == {"kept": 1, "broken": 1}
    assert content["resolutions"] == {"kept": 1, "broken": 1}
    assert [(b["promise"], b["late_minutes"]) for b in content["broken"]] == [
        ("first answer", 270),
        ("resolution", 60),
    ]
    assert content["broken"][0]["reason"] == "The cable was"
    assert content["resolve"]["mean"] == pytest.approx(155, abs=1)
    files = {
        f.name.rpartition(".")[2]: f
        for f in File.objects.filter(kind="service-reports", record=str(made["id"]))
    }
    assert files.keys() == {"pdf", "md", "json"}

    for ending, begins in (("pdf", b"%PDF-"), ("md", b"# Service report, "), ("json", b"{")):
        content_of = storing.path_of(settings.FILES, files[ending].sha256).read_bytes()
        assert content_of.startswith(begins)
        if ending == "json":
            assert json.loads(content_of) == content
    text = writing.markdown(msgspec.convert(content, rules.Content))
    assert "slow \\| \\*again\\*" in text
    assert "2 of 4 promises were kept (50.0 %)" in text
    act_again = root.post(f"/api/service-reports/{made['id']}/again/", "{}", content_type="application/json")
    assert act_again.status_code == 200
    carry_out_jobs()
    assert File.objects.filter(kind="service-reports", record=str(made["id"])).count() == 3


def test_what_was_broken_stays_so_though_the_promise_is_another(root: Client) -> None:
    queue = promise(root)
    late = ticket(root, queue=queue["id"])
    earlier(late, 300 * MINUTE)
    promising.reckon(Ticket.objects.all())
    (target,) = call(root, "get", "agreement-targets")["results"]
    call(
        root,
        "patch",
        f"agreement-targets/{target['id']}",
        {"resolution_minutes": 6000, "response_minutes": 3000},
    )
    promising.reckon(Ticket.objects.all())
    report = making.ask(SYSTEM, ServiceReport(month=timezone.now().date().replace(day=1)))
    carry_out_jobs()
    report.refresh_from_db()
    assert report.content["resolutions"] == {"kept": 0, "broken": 1}


def test_objectives_are_of_the_month_alone_and_every_month_has_its_reports(root: Client) -> None:
    promise(root)
    one = ServiceLevelObjective.objects.create(name="answers", target=99.0, query="a", total_query="b")
    month = making.last_month(timezone.now())
    begins = milliseconds(dt.datetime.combine(month, dt.time(), dt.UTC))
    slots.write(one, begins - 3_600_000, np.zeros(12), np.full(12, 100.0))  # of the month before: all bad
    slots.write(one, begins, np.full(24, 99.5), np.full(24, 100.0))
    Job.objects.all().delete()
    jobs.start("service-reports")
    carry_out_jobs()
    found = ServiceReport.objects.filter(month=month)
    assert sorted(r.about for r in found) == ["all services", "gold"]
    (of_all,) = (r for r in found if r.about == "all services")
    assert of_all.state == "done"
    (objective,) = of_all.content["objectives"]
    assert (objective["attained"], objective["left"]) == (99.5, 50.0)
    jobs.start("service-reports")
    carry_out_jobs()
    assert ServiceReport.objects.filter(month=month).count() == 2, "those that are there stay"


def test_a_report_is_about_one_thing_of_a_month_that_has_begun(root: Client) -> None:
    queue = promise(root)
    calls = (
        ({"month": "2999-01-01"}, "month"), ({"month": "1900-01-01"}, "month"), ({"month": "May"}, "month"),
        ({"month": "2026-01-01", "agreement": 987_654}, "agreement"),
    )  # fmt: skip
    for body, field in calls:
        assert field in call(root, "post", "service-reports", body, 400)["errors"]
    assert queue
