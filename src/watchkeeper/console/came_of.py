"""What the page of a job shows: how far it is, what it said and what came of it; of a preview of correlation each
difference with its alerts, their items and situations as links, where they are there still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from watchkeeper.console.templatetags.console import as_time
from watchkeeper.console.wording import label, plain
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible


def of_job(job: Job, actor: Actor) -> dict[str, Any]:
    """How far it is, what it said, and what came of it."""
    result = dict(job.result) if isinstance(job.result, dict) else {}
    summary, links, more = (result.pop(n, d) for n, d in (("summary", ""), ("links", {}), ("more", [])))
    if (told := result.pop("differences", None)) is not None:
        result = {}  # its numbers are in the summary
    lines = [(as_time(at), text) for at, text in reversed(job.log)]
    took = job.finished_at - job.started_at if job.finished_at and job.started_at else None
    drawn = [(label(name), plain(value)) for name, value in result.items()]
    return {"summary": summary, "links": links, "more": more, "differences": _linked(told or [], actor), "came": drawn,
            "lines": lines, "took": took}  # fmt: skip


def _linked(differences: Sequence[dict[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Each with the records of its groups, as far as they are there and this reader may see them."""
    keys = {g["alert"] for d in differences for g in d["groups"]}
    alerts = visible(actor, "alerts").select_related("item").in_bulk(keys)
    situations = visible(actor, "situations").in_bulk(
        {a.situation_id for a in alerts.values() if a.situation_id}
    )
    items = visible(actor, "items").in_bulk({a.item_id for a in alerts.values() if a.item_id})

    def group(told: dict[str, Any]) -> dict[str, Any]:
        alert = alerts.get(told["alert"])
        if alert is None:
            return told
        return {
            **told,
            "found": alert,
            "item": items.get(alert.item_id),
            "situation": situations.get(alert.situation_id),
        }

    return [_told(d, [group(g) for g in d["groups"]]) for d in differences]


def _told(difference: dict[str, Any], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """The situation that all are in now is said once."""
    situations = {g.get("situation") for g in groups}
    one = situations.pop() if len(situations) == 1 else None
    at = dt.datetime.fromisoformat(difference["at"])
    return {**difference, "at": at, "groups": groups, "situation": one}
