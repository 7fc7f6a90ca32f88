"""CloudWatch alarms as Amazon SNS delivers them over HTTPS: alarms, and the question whether to deliver at all.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.http import Entries, HttpDoor, Taken
from watchkeeper.receivers.webhooks.payload import JSON, from_json, listed, text, time_ms, told

NAME = "cloudwatch"
#: the only addresses that are visited: SNS itself, over https, on its own port
_SNS = re.compile(r"https://sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?/\?[!-~]{1,2000}", re.ASCII)
_SEVERITIES = {"ALARM": "error", "INSUFFICIENT_DATA": "warning"}

Confirm = Callable[[str, Entries], None]
"""(address to visit, what to journal when that has worked), without waiting for either."""


class _Message(msgspec.Struct, gc=False):
    """SNS's envelope; or, with raw message delivery, the alarm itself."""

    Type: str = ""
    TopicArn: str = ""
    Message: str = ""
    SubscribeURL: str = ""
    AlarmName: str = ""


class _Alarm(msgspec.Struct, gc=False):
    AlarmName: str
    NewStateValue: str  # ALARM, OK, INSUFFICIENT_DATA
    AlarmArn: str = ""
    AlarmDescription: str = ""
    AWSAccountId: str = ""
    Region: str = ""
    NewStateReason: str = ""
    StateChangeTime: str = ""
    Trigger: dict[str, Any] = {}


def door(confirm: Confirm | None = None) -> HttpDoor:
    """The door's row. Without `confirm` a person follows the link of the alert that every question becomes."""

    def take(body: bytes, content_type: str, now_ms: int) -> Taken:  # noqa: ARG001
        message = from_json(body, _Message)
        match message.Type:
            case "SubscriptionConfirmation":
                return _asked(message, confirm, now_ms)
            case "UnsubscribeConfirmation":
                return Taken()
            case "Notification":
                return _notified(message, now_ms)
            case "" if message.AlarmName:
                return told(NAME, [_reported(from_json(body, _Alarm))], now_ms)
        raise Malformed(f"SNS sends no messages of the type {message.Type[:40]!r}")

    # SNS says text/plain of its JSON, whatever is in it
    return HttpDoor(NAME, "POST", f"/intake/{NAME}", ("text/plain", JSON), take, keyed=True)


def _asked(message: _Message, confirm: Confirm | None, now_ms: int) -> Taken:
    """An alert with a link that stays until the subscription is confirmed, by us or by a person."""
    if not _SNS.fullmatch(message.SubscribeURL):
        raise Malformed("SubscribeURL is no https address of Amazon SNS", reason="foreign_address")
    taken = told(NAME, [_waiting(message, firing=True)], now_ms)
    if confirm is not None:
        over = told(NAME, [_waiting(message, firing=False)], now_ms).entries
        taken.after = partial(confirm, message.SubscribeURL, over)
    return taken


def _notified(message: _Message, now_ms: int) -> Taken:
    """The alarm, and that the subscription waits no longer."""
    try:
        alarm = from_json(message.Message, _Alarm)
    except Malformed as error:
        raise Malformed(
            f"the notification holds no alarm of CloudWatch: {error.detail}", reason="no_alarm"
        ) from error
    return told(NAME, [_reported(alarm), _waiting(message, firing=False)], now_ms)


def _waiting(message: _Message, *, firing: bool) -> Reported:
    return Reported(
        name="SNS subscription waits for confirmation",
        labels={DEDUP_KEY: f"subscription {message.TopicArn}", "topic": message.TopicArn},
        firing=firing,
        severity="info",
        summary=f"{message.TopicArn} asks whether it may send its alarms here. Follow the link to say yes.",
        url=message.SubscribeURL,
    )


def _reported(alarm: _Alarm) -> Reported:
    trigger = alarm.Trigger
    dimensions = {
        text(d.get("name")): text(d.get("value"))
        for d in listed(trigger.get("Dimensions"))
        if isinstance(d, dict)
    }
    over = alarm.NewStateValue == "OK"
    when = time_ms(alarm.StateChangeTime)
    return Reported(
        name=alarm.AlarmName,
        labels={
            **dimensions,
            DEDUP_KEY: alarm.AlarmArn or f"{alarm.AWSAccountId} {alarm.Region} {alarm.AlarmName}",
            "account": alarm.AWSAccountId,
            "region": alarm.Region,
            "metric_namespace": text(trigger.get("Namespace")),
            "metric": text(trigger.get("MetricName")),
        },
        firing=not over,
        severity=_SEVERITIES.get(alarm.NewStateValue, ""),
        summary=alarm.AlarmDescription or alarm.NewStateReason,
        starts_ms=0 if over else when,
        ends_ms=when if over else 0,
        annotations={"reason": alarm.NewStateReason, "state": alarm.NewStateValue},
    )
