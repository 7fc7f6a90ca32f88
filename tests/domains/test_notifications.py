"""Who is told of what: by rule, once each, signed, also when told twice to tell, and not inside our own house."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook

from tests.domains.analysis_structs import NOW, alert, situation
from tests.kernel.receivers import Got, mail_receiver, webhook_receiver
from tests.support import eventually
from watchkeeper.domains import identity
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.domains.situations.models import NotificationRule
from watchkeeper.kernel.models import Delivery, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.model.verdicts import Severity, SituationState

LATER = 4_000_000_000_000  # rules tell of situations that open after they were made


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """A webhook receiver on this machine, which this test allows."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with webhook_receiver() as got:
        yield got


def rule(got: Got, **fields: Any) -> str:
    """A rule made through REST; its secret."""
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    body = {"name": f"to {got.port}", "address": got.url + "/hook", **fields}
    made = root.post("/api/notification-rules/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert "secret" not in root.get("/api/notification-rules/").json()["results"][0]
    return str(made.json().get("secret", ""))


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def types(got: Got) -> list[str]:
    """What was told, in order."""
    return [json.loads(body)["type"] for _, _, body in got.requests]


@pytest.mark.django_db
def test_a_situation_is_told_from_its_opening_to_its_end(receiver: Got) -> None:
    """Signed, each event once, whatever is replayed."""
    secret = rule(receiver)
    writer = AnalysisWriter()
    alerts = {"a": alert("a", situation="s")}
    steps = [
        situation("s", ("a",), opened_ms=LATER, severity=Severity.WARNING),
        situation("s", ("a",), opened_ms=LATER, severity=Severity.CRITICAL),
        situation("s", ("a",), opened_ms=LATER, severity=Severity.CRITICAL, title="Disk is full, still"),
        situation(
            "s",
            ("a",),
            opened_ms=LATER,
            severity=Severity.WARNING,
            state=SituationState.RESOLVED,
            resolved_ms=LATER,
        ),
    ]
    for n, step in enumerate(steps, 1):
        writer.write(alerts, {"s": step}, offset=n, now_ms=NOW)
        AnalysisWriter().write(alerts, {"s": step}, offset=n, now_ms=NOW)
        work()
    assert types(receiver) == ["situation.opened", "situation.severity_raised", "situation.resolved"]
    for _, headers, body in receiver.requests:
        told = Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})
        assert told["data"]["id"] == "s"
        assert told["data"]["url"].endswith("/situations/s/")
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 3


@pytest.mark.django_db
def test_rules_choose(receiver: Got) -> None:
    """By severity, labels, words and events."""
    rule(receiver, name="grave", min_severity="critical")
    rule(receiver, name="team a", labels={"team": "a"})
    rule(receiver, name="disks", words="disk FULL")
    rule(receiver, name="ends", events=["resolved"], labels={"team": "b"})
    alerts = {"a": alert("a", labels={"team": "a"}), "b": alert("b", labels={"team": "b"})}
    situations = {
        "x": situation("x", ("a",), title="Fan stopped", opened_ms=LATER),
        "y": situation("y", ("b",), title="Disk is full", opened_ms=LATER, severity=Severity.CRITICAL),
        "z": situation("z", ("b",), title="Disk is full", opened_ms=1),  # from before the rules
    }
    AnalysisWriter().write(alerts, situations, offset=1, now_ms=NOW)
    names = dict(NotificationRule.objects.values_list("pk", "name"))

    def told() -> set[tuple[str, str]]:
        return {
            (names[r.payload["rule"]], r.payload["message"]["data"]["id"])
            for r in OutboxRow.objects.filter(kind="notification")
        }

    assert told() == {("team a", "x"), ("grave", "y"), ("disks", "y")}
    ended = situation("y", ("b",), opened_ms=LATER, state=SituationState.RESOLVED, resolved_ms=LATER)
    AnalysisWriter().write({}, {"y": ended}, offset=2, now_ms=NOW)
    assert ("ends", "y") in told()


@pytest.mark.django_db
def test_silenced_alerts_tell_nobody_until_they_are_heard(receiver: Got) -> None:
    """And then it is told as opened, not missed."""
    rule(receiver)
    quiet = {"a": alert("a", suppressed_by="silence:q")}
    opened = situation("s", ("a",), opened_ms=LATER)
    AnalysisWriter().write(quiet, {"s": opened}, offset=1, now_ms=NOW)
    assert not OutboxRow.objects.filter(kind="notification").exists()
    AnalysisWriter().write({"a": alert("a")}, {"s": opened}, offset=2, now_ms=NOW)
    work()
    assert types(receiver) == ["situation.opened"]


@pytest.mark.django_db
def test_what_fails_is_tried_again_and_noted(receiver: Got) -> None:
    """With the same id; a receiver that is gone for good is not asked again."""
    rule(receiver)
    AnalysisWriter().write(
        {"a": alert("a")}, {"s": situation("s", ("a",), opened_ms=LATER)}, offset=1, now_ms=NOW
    )
    receiver.answer = lambda: 500
    work()
    row = OutboxRow.objects.get(kind="notification")
    assert (row.state, row.attempts) == ("due", 1)
    assert row.due_at > row.created_at
    receiver.answer = lambda: 302  # a redirect is not followed
    OutboxRow.objects.filter(kind="notification").update(due_at=row.created_at)
    work()
    receiver.answer = lambda: 204
    OutboxRow.objects.filter(kind="notification").update(due_at=row.created_at)
    work()
    assert [d.answer[:3] for d in Delivery.objects.order_by("id")] == ["500", "302", "204"]
    assert OutboxRow.objects.get(kind="notification").state == "done"
    assert len({h["webhook-id"] for _, h, _ in receiver.requests}) == 1
    receiver.answer = lambda: 410
    AnalysisWriter().write(
        {"a": alert("a")}, {"t": situation("t", ("a",), opened_ms=LATER)}, offset=2, now_ms=NOW
    )
    work()
    assert NotificationRule.objects.get().enabled is False
    assert OutboxRow.objects.get(subject="t").state == "failed"


@pytest.mark.django_db
def test_mail_says_it_in_plain_text(settings: Any) -> None:
    """To everybody of the rule, under one Message-ID."""
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=watch@example.org"
        rule(got, channel="email", address="ann@example.org, bob@example.org")
        opened = situation("s", ("a",), opened_ms=LATER, title="Disk is full\r\nBcc: eve@example.org")
        AnalysisWriter().write({"a": alert("a")}, {"s": opened}, offset=1, now_ms=NOW)
        work()
        [mail] = got.mails
    assert "Subject: [error] Disk is full Bcc: eve@example.org (opened)\r\n" in mail
    assert "To: ann@example.org, bob@example.org\r\n" in mail
    assert "\r\nBcc:" not in mail.partition("\r\n\r\n")[0]
    assert "- they began within 40 seconds" in mail
    assert Delivery.objects.get().answer == "accepted"


@pytest.mark.django_db
def test_secrets_are_sealed_at_rest(receiver: Got) -> None:
    """The database, and so its backups, have no signing secret in the clear."""
    from django.db import connection

    secret = rule(receiver)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM situations_notificationrule")
        assert secret not in cursor.fetchone()[0]
    assert NotificationRule.objects.get().secret == secret


def test_kill_9_while_telling_neither_loses_nor_doubles(tmp_path: Path) -> None:
    """Killed with the request under way, and again after the answer: the receiver hears one id; once it was noted
    as delivered, it is not sent again."""
    env = {
        **os.environ,
        "WATCHKEEPER_DATA": str(tmp_path),
        "WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8",
        "DATABASE_URL": "",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with webhook_receiver() as got:
        prepare = subprocess.run(
            [sys.executable, "-m", "tests.domains.notification_setup", got.url],
            env=env,
            check=True,
            capture_output=True,
        )
        assert prepare.returncode == 0
        hold, held = threading.Event(), threading.Event()

        def answer() -> int:
            held.set()
            hold.wait(20)
            return 204

        got.answer = answer
        with subprocess.Popen([sys.executable, "-m", "tests.kernel.outbox_process"], env=env) as process:
            assert held.wait(60)
            process.kill()
        hold.set()
        with subprocess.Popen([sys.executable, "-m", "tests.kernel.outbox_process"], env=env) as process:
            eventually(lambda: len(got.requests) >= 2, timeout=60)
            eventually(lambda: _state(tmp_path) == "done")
            process.kill()
        subprocess.run([sys.executable, "-m", "tests.kernel.outbox_process", "--once"], env=env, check=True)
        assert len({h["webhook-id"] for _, h, _ in got.requests}) == 1
        assert len(got.requests) == 2


def _state(folder: Path) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "records.db")) as records:
        return str(
            records.execute("SELECT state FROM kernel_outboxrow WHERE kind = 'notification'").fetchone()[0]
        )
