"""What the page of a method's version shows: how the version in the shade compares with the deciding one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from watchkeeper.domains import inventory
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import moment
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.versions import CAUSE, CORRELATION, LEVELS, PARTS
from watchkeeper.telemetry.queries import compared, metrics
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.store import Store

PATH = "method-versions"
DAYS = 90
SHOWN = 50
#: part → what is judged, one and several, and what a verdict is
WORDS = {
    CAUSE: ("situation", "situations", "names one"),
    CORRELATION: ("situation", "situations", "has one"),
    LEVELS: ("series outside its range", "series outside their range", "tells of it"),
}


def versions(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Counts since the comparison began, and where the two disagree."""
    if resource.path != PATH:
        return None
    if not record.counts:
        return {"overtaken": True}
    if not record.shade:
        return {"none": True}
    pair, now = (record.decides, record.shade), int(time.time() * 1000)
    window = Window(now - DAYS * 86_400_000, now + 60_000)
    try:
        store = ports.the_telemetry()
        tally = compared.tally(store, record.part, pair, window)
        found = compared.unlike(store, record.part, pair, window, SHOWN)
        rows = _rows(record.part, found, _urls(record.part, found, store, now))
    except WatchkeeperError as error:
        return {"trouble": error.detail}
    share = round(100 * tally.same / tally.subjects) if tally.subjects else 0
    unlike_count = tally.subjects - tally.same
    return {
        "tally": tally, "since": moment(tally.since_ms), "rows": rows, "share": share, "decides": record.decides,
        "shade": record.shade, "subject": WORDS[record.part],
        "words": [(name, PARTS[record.part].versions[name]) for name in pair],
        "more": max(0, unlike_count - len(rows)),
    }  # fmt: skip


def _rows(part: str, found: Sequence[compared.Unlike], urls: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where the two disagree; of causes, verdicts are items."""
    said = {i for u in found for i in (u.deciding, u.shade) if i and part == CAUSE}
    names = inventory.names_of(said)
    return [
        {
            "url": urls.get(u.subject, ""), "name": u.name, "at": moment(u.time_ms),
            "said": [{"item": i if i in said else "", "name": names.get(i, i)} for i in (u.deciding, u.shade)],
        }
        for u in found
    ]  # fmt: skip


def _urls(part: str, found: Sequence[compared.Unlike], store: Store, now_ms: int) -> dict[str, str]:
    """Subject → its page: a situation's, or the chart of a series since it strayed."""
    if part != LEVELS:
        return {u.subject: f"/situations/{u.subject}/" for u in found}
    ids = {u.subject: u.subject.partition(".")[0] for u in found}
    known = {f"{s.id:016x}": s for s in metrics.by_ids(store, sorted({int(i, 16) for i in ids.values()}))}
    urls = {}
    for subject, series in ids.items():
        if (one := known.get(series)) is not None:
            last = (now_ms - int(subject.rpartition(".")[2])) // 1000 + 3600
            labels = {f"l.{k}": v for k, v in one.labels.items()}
            urls[subject] = "/explore/metrics/?" + urlencode({"name": one.name, **labels, "last": last})
    return urls
