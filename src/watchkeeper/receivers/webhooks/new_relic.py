"""New Relic's webhook destination of workflows, with its own template or that of docs/how-to/doors/new_relic.md.

Source: https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import listed, text, time_ms, webhook

#: which label an impacted entity of a type becomes
_ENTITIES = {"HOST": "host", "APPLICATION": "service", "SERVICE": "service"}


class _Issue(msgspec.Struct, gc=False):
    id: str
    state: str  # CREATED, ACTIVATED, ACKNOWLEDGED, CLOSED
    title: Any = None
    priority: str = ""
    issueUrl: str = ""
    impactedEntities: Any = None
    entityTypes: Any = None
    alertPolicyNames: Any = None
    alertConditionNames: Any = None
    workflowName: str = ""
    totalIncidents: Any = None
    createdAt: Any = None  # Unix milliseconds
    updatedAt: Any = None


def _read(issue: _Issue, _: int) -> Iterable[Reported]:
    entities = [text(name) for name in listed(issue.impactedEntities)]
    kinds = [text(kind).upper() for kind in listed(issue.entityTypes)]
    closed = issue.state == "CLOSED"
    conditions = ", ".join(map(text, listed(issue.alertConditionNames)))
    title = ", ".join(map(text, listed(issue.title)))
    labels = {DEDUP_KEY: issue.id, "policy": ", ".join(map(text, listed(issue.alertPolicyNames)))}
    if entities:
        labels[_ENTITIES.get(kinds[0] if kinds else "", "entity")] = entities[0]
    yield Reported(
        name=conditions or title,
        labels=labels,
        firing=not closed,
        severity=issue.priority,
        summary=title,
        starts_ms=time_ms(issue.createdAt),
        ends_ms=time_ms(issue.updatedAt) if closed else 0,
        annotations={
            "entities": ", ".join(entities[:50]),
            "incidents": text(issue.totalIncidents),
            "workflow": issue.workflowName,
        },
        url=issue.issueUrl,
    )


DOOR = webhook("new_relic", _Issue, _read)
