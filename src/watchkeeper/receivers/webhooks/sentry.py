"""Sentry's integration platform: issues, issue alerts and metric alerts.

Source: https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import listed, text, time_ms, webhook

_ENDS = ("resolved", "archived", "ignored")  # what happens to an issue and ends its alert


class _Data(msgspec.Struct, gc=False):
    issue: dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    metric_alert: dict[str, Any] | None = None
    triggered_rule: str = ""
    description_title: str = ""
    description_text: str = ""
    web_url: str = ""


class _Payload(msgspec.Struct, gc=False):
    action: str
    data: _Data


def _read(payload: _Payload, _: int) -> Iterable[Reported]:
    data = payload.data
    if data.metric_alert is not None:
        return [_metric(payload.action, data, data.metric_alert)]
    if data.event is not None:
        return [_event(data, data.event)]
    if data.issue is not None:
        return [_issue(payload.action, data.issue)]
    raise Malformed(
        "no issue, event_alert or metric_alert: tick these alone in the integration", reason="not_taken"
    )


def _issue(action: str, issue: dict[str, Any]) -> Reported:
    project = issue.get("project")
    slug = text(project.get("slug")) if isinstance(project, dict) else text(project)
    over = action in _ENDS
    return Reported(
        name=text(issue.get("title")),
        labels={
            DEDUP_KEY: f"issue {text(issue.get('id'))}",
            "service": slug,
            "issue": text(issue.get("shortId")),
        },
        firing=not over,
        severity=text(issue.get("level")),
        summary=text(issue.get("culprit")) or text(issue.get("title")),
        starts_ms=0 if over else time_ms(issue.get("firstSeen")),
        annotations={"action": action, "last_seen": text(issue.get("lastSeen"))},
        url=text(issue.get("web_url")) or text(issue.get("permalink")),
    )


def _event(data: _Data, event: dict[str, Any]) -> Reported:
    """The event that set off an issue alert; that its issue is resolved ends it."""
    tags = {text(t[0]): text(t[1]) for t in listed(event.get("tags")) if isinstance(t, list) and len(t) == 2}
    return Reported(
        name=text(event.get("title")),
        labels={
            DEDUP_KEY: f"issue {text(event.get('issue_id'))}",
            "host": tags.get("server_name", ""),
            "environment": tags.get("environment", ""),
        },
        severity=text(event.get("level")),
        summary=text(event.get("culprit")) or text(event.get("title")),
        starts_ms=time_ms(event.get("datetime")),
        annotations={"rule": data.triggered_rule, "event_id": text(event.get("event_id"))},
        url=text(event.get("web_url")),
    )


def _metric(action: str, data: _Data, alert: dict[str, Any]) -> Reported:
    rule = alert.get("alert_rule")
    projects = listed(alert.get("projects"))
    over = action == "resolved"
    return Reported(
        name=text(rule.get("name")) if isinstance(rule, dict) else text(alert.get("title")),
        labels={
            DEDUP_KEY: f"metric {text(alert.get('id'))}",
            "service": text(projects[0]) if projects else "",
        },
        firing=not over,
        severity=action,
        summary=data.description_title,
        starts_ms=time_ms(alert.get("date_started")),
        ends_ms=time_ms(alert.get("date_closed")) if over else 0,
        annotations={"description": data.description_text},
        url=data.web_url,
    )


DOOR = webhook("sentry", _Payload, _read)
