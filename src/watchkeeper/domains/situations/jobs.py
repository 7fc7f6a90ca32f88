"""Carries notifications of situations out: a webhook, a chat or an e-mail, under an id made of the outbox row's. Forgets
what is old, each night."""

from __future__ import annotations

import hashlib
import time
from email.message import EmailMessage
from typing import Any

from watchkeeper.domains.outgoing import chat, mail, webhooks
from watchkeeper.domains.situations.models import Channel, NotificationRule
from watchkeeper.domains.situations.retention import KEEP_DAYS, forget
from watchkeeper.domains.situations.telling import KIND
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(KIND)
def deliver(row: OutboxRow) -> str:
    """Send it; return what came back. Raises TryAgain, GiveUp, NotAllowed or Unreachable."""
    rule = NotificationRule.objects.filter(pk=row.payload["rule"]).first()
    if rule is None:
        raise outbox.GiveUp("the notification rule has been removed")
    if not rule.enabled:
        raise outbox.GiveUp("the notification rule was switched off")
    message = webhooks.message_id(row.pk)
    if rule.channel == Channel.EMAIL:
        to = [a.strip() for a in rule.address.split(",")]
        return mail.send(_mail(message, to, row.payload["message"]), to)
    try:
        return chat.send(rule.channel, rule.address, rule.secret, message, _said(row.payload["message"]))
    except webhooks.Unwanted as error:
        NotificationRule.objects.filter(pk=rule.pk).update(enabled=False)
        said = f"{error.detail} (the receiver wants no more: the rule has been switched off)"
        raise outbox.GiveUp(said) from error


def _said(told: dict[str, Any]) -> chat.Message:
    """For a webhook as it is, for a chat in words."""
    data: dict[str, Any] = told["data"]
    causes = [f"Probable cause: {c['item']['name']} ({c['score']:.0%})" for c in data["causes"][:1]]
    return chat.Message(
        title=_headline(told), lines=[_state(data), *causes], severity=data["severity"],
        links=(("Open", data["url"]),), data=told,
    )  # fmt: skip


def _headline(told: dict[str, Any]) -> str:
    event = told["type"].removeprefix("situation.").replace("_", " ")
    return f"[{told['data']['severity']}] {told['data']['title']} ({event})"


def _state(data: dict[str, Any]) -> str:
    return f"State: {data['state']}, severity: {data['severity']}, alerts: {data['alert_count']}"


def _mail(message: str, to: list[str], told: dict[str, Any]) -> EmailMessage:
    data: dict[str, Any] = told["data"]
    lines = [data["title"], "", _state(data)]
    if data["because"]:
        lines += ["", "Why these alerts belong together:", *(f"- {s}" for s in data["because"])]
    for cause in data["causes"][:3]:
        lines += ["", f"Probable cause: {cause['item']['name']} ({cause['score']:.0%})"]
        lines += [f"- {s}" for s in cause["because"]]
    about = hashlib.sha256(data["id"].encode()).hexdigest()[:24]
    return mail.compose(message, to, _headline(told), [*lines, "", data["url"]], about)


@job("forget", f"Forget what ended more than {KEEP_DAYS} days ago", every="20 3 * * *")
def forget_old(run: Run) -> dict[str, int]:
    """Alerts, situations and what was noted about them, slice by slice."""

    def all_of_it() -> int:
        gone = 0
        while some := forget(int(time.time() * 1000)):
            gone += some
            run.progress(gone, unit="records")
        return gone

    return {"records forgotten": run.step("forget", all_of_it)}
