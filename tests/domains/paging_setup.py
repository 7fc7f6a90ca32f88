"""What tests of paging begin with: people with ways, a policy, a rule, and situations as analysis writes them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from tests.domains.analysis_structs import NOW, alert, situation
from tests.kernel.receivers import Got, webhook_receiver
from watchkeeper.domains import identity
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.paging.climbing import climb
from watchkeeper.domains.oncall.paging.models import Escalation
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.verdicts import Alert, Severity, SituationState

JSON = "application/json"
MINUTE = dt.timedelta(minutes=1)
ACKNOWLEDGE, UNACKNOWLEDGE = ActKind.ACKNOWLEDGE, ActKind.UNACKNOWLEDGE


def root() -> Client:
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    send = getattr(client, method)
    address = f"/api/{url}/" if "?" not in url else f"/api/{url.replace(chr(63), '/?')}"
    answer = send(address) if method == "get" else send(address, json.dumps(body or {}), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def work() -> None:
    """Carry out everything that is due in the outbox."""
    worker = OutboxWorker()
    while worker.step():
        pass


def person(client: Client, username: str, url: str = "", **fields: Any) -> User:
    """Somebody, with a webhook at this address where there is one."""
    user, _ = User.objects.get_or_create(username=username, defaults=fields)
    if url:
        method = {"person": username, "name": "hook", "channel": "webhook", "address": f"{url}/{username}"}
        call(client, "post", "contact-methods", method, 201)
    return user


def policy(
    client: Client, *steps: dict[str, Any], name: str = "shop", rule: Any = None, **fields: Any
) -> int:
    """A policy with these steps, for every situation from error on, or those of `rule`; None: no rule."""
    made = call(client, "post", "escalation-policies", {"name": name, "repeat": 0, **fields}, 201)
    for n, step in enumerate(steps, 1):
        call(
            client,
            "post",
            "escalation-steps",
            {"policy": made["id"], "position": n, "minutes": 5, **step},
            201,
        )
    if rule is not False:
        call(client, "post", "escalation-rules", {"name": name, "policy": made["id"], **(rule or {})}, 201)
    return int(made["id"])


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """Everybody's webhook, which this test allows."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with webhook_receiver() as got:
        yield got


def told(got: Got) -> list[str]:
    """Who was told, in order."""
    return [path.strip("/") for path, _, _ in got.requests]


def second_way(client: Client, username: str, url: str, minutes: int) -> None:
    """Their webhook at once, and another so many minutes later, for what is pressing."""
    later = {"person": username, "name": "second", "channel": "webhook", "address": f"{url}/later"}
    second = call(client, "post", "contact-methods", later, 201)["id"]
    first = call(client, "get", "contact-methods?name=hook")["results"][0]["id"]
    for method, after in ((first, 0), (second, minutes)):
        body = {"person": username, "urgency": "high", "method": method, "minutes": after}
        call(client, "post", "notification-preferences", body, 201)


class World:
    """Situations as analysis writes them, each write a batch of its own."""

    def __init__(self) -> None:
        self.offset = 0

    def write(
        self, key: str = "s", state: str = "open", heard: bool = True, by: str = "", beside: Sequence[Alert] = (),
        **fields: Any,
    ) -> None:  # fmt: skip
        """Write this situation with one alert, and others `beside` it, and let everybody hear of it, if not somebody else
        does so. `by` names who has acknowledged it, or says that they have it no longer."""
        self.offset += 1
        of_alert = {k.removeprefix("alert_"): fields.pop(k) for k in list(fields) if k.startswith("alert_")}
        made = (alert(f"a-{key}", situation=key, **of_alert), *beside)
        alerts = {a.fingerprint: a for a in made}
        more = {"severity": Severity.CRITICAL, "title": "The shop is down", **fields}
        about = situation(
            key, tuple(alerts), state=SituationState(state), updated_ms=NOW + self.offset * 1000,
            resolved_ms=NOW if state == "resolved" else 0, **more,
        )  # fmt: skip
        now_ms, act = NOW + self.offset * 1000, ACKNOWLEDGE if state == "acknowledged" else UNACKNOWLEDGE
        acts = [Act(id=f"act{self.offset}", kind=act, target=key, actor=by, time_ms=now_ms)] if by else []
        AnalysisWriter().write(alerts, {key: about}, acts=acts, offset=self.offset, now_ms=now_ms)
        if heard:
            work()


def pass_time(minutes: float = 0.0) -> None:
    """As if so many minutes had gone by: what is due then is done, and sent."""
    for rows in (Escalation.objects.filter(state="running"), OutboxRow.objects.filter(state="due")):
        rows.update(due_at=F("due_at") - minutes * MINUTE)
    while climb(timezone.now()):
        pass
    work()
