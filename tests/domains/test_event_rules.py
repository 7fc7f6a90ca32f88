"""Event rules: what is done to a record is told once, by rule, signed; not in circles, not too often, and not lost."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from tests.domains.analysis_structs import NOW, alert, situation
from tests.kernel.kind_checks import KindChecks, problem
from tests.kernel.receivers import Got, webhook_receiver
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.automation.conditions import LENGTH, TOO_MUCH, evaluator
from watchkeeper.domains.automation.models import EventRule, Firing
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.models import AuditEntry, Delivery, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.kernel.problems import Invalid
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.verdicts import AlertStatus, Severity, SituationState

JSON = "application/json"
LOCAL = ipaddress.ip_network("127.0.0.0/8")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """A webhook receiver on this machine, which this test allows."""
    settings.OUTBOUND_ALLOW = [LOCAL]
    with webhook_receiver() as got:
        yield got


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    """What a call with a body answers."""
    answer = getattr(client, method)(url, json.dumps(body), content_type=JSON, headers=headers)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def rule(client: Client, address: str, **fields: Any) -> dict[str, Any]:
    """A rule about teams, made through REST."""
    body = {"name": "teams", "kinds": ["teams"], "address": f"{address}/hook", **fields}
    made: dict[str, Any] = call(client, "post", "/api/event-rules/", body, 201)
    return made


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def told(got: Got) -> list[str]:
    """What was sent, in order."""
    return [json.loads(body)["type"] for _, _, body in got.requests]


def test_what_is_done_is_told_once_and_signed(root: Client, receiver: Got) -> None:
    secret = rule(root, receiver.url)["secret"]
    team = call(root, "post", "/api/teams/", {"name": "network"}, 201)
    call(root, "patch", f"/api/teams/{team['id']}/", {"name": "networks"})
    call(root, "delete", f"/api/teams/{team['id']}/", status=204)
    work()
    OutboxRow.objects.filter(kind="event").update(state="due")
    work()
    assert told(receiver) == ["team.create", "team.change", "team.remove"]
    for _, headers, body in receiver.requests:
        data = Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})["data"]
        assert (data["kind"], data["key"], data["actor"]["name"]) == ("teams", str(team["id"]), "root")
    changed = json.loads(receiver.requests[1][2])["data"]
    assert (changed["before"], changed["after"]) == ({"name": "network"}, {"name": "networks"})
    assert [f["outcome"] for f in root.get("/api/firings/").json()["results"]] == ["done"] * 3


@pytest.mark.django_db
def test_alerts_and_situations_are_events_and_a_replay_adds_none(root: Client, receiver: Got) -> None:
    rule(
        root,
        receiver.url,
        kinds=["situations", "alerts"],
        condition="record.severity in ['error', 'critical']",
    )
    writer = AnalysisWriter()
    acted = Act(id="act1", kind=ActKind.ACKNOWLEDGE, target="s", actor="ann", time_ms=NOW)
    steps: list[tuple[Any, Any, tuple[Act, ...]]] = [
        ({"severity": Severity.WARNING}, {}, ()),
        ({"severity": Severity.ERROR}, {}, ()),
        ({"severity": Severity.ERROR, "state": SituationState.ACKNOWLEDGED}, {}, (acted,)),
        ({"severity": Severity.ERROR, "state": SituationState.RESOLVED, "resolved_ms": NOW + 9}, {"status": AlertStatus.RESOLVED}, ()),
    ]  # fmt: skip
    for n, (changed, of_alert, acts) in enumerate(steps, 1):
        s = situation("s", ("a",), updated_ms=NOW + n, **changed)
        for _ in range(2):
            writer.write(
                {"a": alert("a", situation="s", **of_alert)}, {"s": s}, acts=acts, offset=n, now_ms=NOW
            )
            writer = AnalysisWriter()
        work()
    assert sorted(told(receiver)) == [
        "alert.fire", "alert.resolve", "situation.acknowledge", "situation.escalate", "situation.resolve",
    ]  # fmt: skip
    by = {json.loads(b)["type"]: json.loads(b)["data"]["actor"]["name"] for _, _, b in receiver.requests}
    assert (by["situation.acknowledge"], by["situation.escalate"]) == ("ann", "watchkeeper")
