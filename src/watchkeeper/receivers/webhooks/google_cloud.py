"""Google Cloud Monitoring's webhook channel, version 1.2 of its payload: one incident, open or closed.

Source: https://cloud.google.com/monitoring/support/notification-options#schema-pubsub
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import text, texts, time_ms, webhook


class _Described(msgspec.Struct, gc=False):
    type: str = ""
    labels: dict[str, Any] = {}


class _Incident(msgspec.Struct, gc=False):
    incident_id: str
    state: str  # open or closed; OPEN in the message that tests a channel
    policy_name: str = ""
    condition_name: str = ""
    severity: str = ""
    summary: str = ""
    url: str = ""
    started_at: Any = None  # Unix seconds
    ended_at: Any = None
    scoping_project_id: str = ""
    resource: _Described = msgspec.field(default_factory=_Described)
    metric: _Described = msgspec.field(default_factory=_Described)
    metadata: dict[str, Any] = {}
    policy_user_labels: dict[str, Any] = {}
    observed_value: Any = None
    threshold_value: Any = None
    documentation: Any = None  # an object with content, a text in old versions


class _Payload(msgspec.Struct, gc=False):
    incident: _Incident


def _read(payload: _Payload, _: int) -> Iterable[Reported]:
    i = payload.incident
    resource, metric = i.resource, i.metric
    system = texts(i.metadata.get("system_labels"))
    named = texts(metric.labels).get("instance_name") or system.get("name", "")
    words = i.documentation.get("content") if isinstance(i.documentation, dict) else i.documentation
    closed = i.state.lower() == "closed"
    yield Reported(
        name=i.policy_name or i.condition_name,
        labels={
            "host": named,
            **texts(i.policy_user_labels),
            **texts(resource.labels),
            DEDUP_KEY: i.incident_id,
            "project_id": i.scoping_project_id,
            "resource_type": resource.type,
            "metric": metric.type,
            "condition": i.condition_name,
        },
        firing=not closed,
        severity=i.severity,
        summary=i.summary,
        starts_ms=time_ms(i.started_at),
        ends_ms=time_ms(i.ended_at) if closed else 0,
        annotations={
            "description": text(words),
            "observed": text(i.observed_value),
            "threshold": text(i.threshold_value),
        },
        url=i.url,
    )


DOOR = webhook("google_cloud", _Payload, _read)
