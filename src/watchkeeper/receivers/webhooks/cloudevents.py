"""CloudEvents 1.0 over HTTP, in structured, batched and binary mode: an alert where the event says a severity or
status, else a change that has happened.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported, batch, rows
from watchkeeper.receivers.http import HttpDoor, Taken
from watchkeeper.receivers.webhooks.payload import JSON, OVER, from_json, text, texts, time_ms

NAME = "cloudevents"
_STRUCTURED, _BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"
_ATTRIBUTES = ("id", "source", "type", "specversion")
_NO_LABELS = frozenset({"specversion", "id", "time", "data", "data_base64", "datacontenttype", "dataschema", "severity",
                        "status", "dedupkey", "source", "type", "subject"})  # fmt: skip
_PREFIX = "ce-"


def take(headers: Mapping[str, str], body: bytes, content_type: str, now_ms: int) -> Taken:
    """The events of a request, all or none. Raises Malformed for what is no event, TooLarge."""
    media = content_type.partition(";")[0].strip().lower()
    if media == _STRUCTURED:
        events = [from_json(body, dict[str, Any])]
    elif media == _BATCHED:
        events = from_json(body, list[dict[str, Any]])
    else:
        events = [_binary(headers, body, media)]
    alerts: list[Reported] = []
    changes: list[Reported] = []
    for event in events:
        found, alert = _reported(event)
        (alerts if alert else changes).append(found)
    return Taken([
        (Stream.EVENTS, batch(NAME, rows(reported, now_ms), now_ms, kind))
        for kind, reported in (("alert", alerts), ("change", changes)) if reported
    ])  # fmt: skip


def _binary(headers: Mapping[str, str], body: bytes, media: str) -> dict[str, Any]:
    """An event whose attributes are headers and whose data is the body; of that only JSON is looked into."""
    event: dict[str, Any] = {
        name[len(_PREFIX) :].lower(): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith(_PREFIX)
    }
    if media == JSON or media.endswith("+json"):
        event["data"] = from_json(body, Any) if body.strip() else None
    return event


def _reported(event: dict[str, Any]) -> tuple[Reported, bool]:
    """What an event tells, and whether it is an alert. Its attributes count for more than the members of its data."""
    missing = [name for name in _ATTRIBUTES if not isinstance(event.get(name), str) or not event[name]]
    if missing or event["specversion"] != "1.0":
        raise Malformed(
            f"no CloudEvent 1.0: {', '.join(missing) or 'specversion'} missing or not as it has to be",
            reason="no_event",
        )
    data = event.get("data") if isinstance(event.get("data"), dict) else {}
    assert isinstance(data, dict)

    def said(name: str) -> str:
        return text(event.get(name)) or text(data.get(name))

    severity, status = said("severity"), said("status").lower()
    source, kind, subject = event["source"], event["type"], text(event.get("subject"))
    attributes = {k: text(v) for k, v in event.items() if k not in _NO_LABELS}
    named = {name: value for name in ("host", "service") if (value := said(name))}
    key = said("dedupkey") or text(data.get(DEDUP_KEY)) or "|".join((source, kind, subject))
    over, when = status in OVER, time_ms(event.get("time"))
    reported = Reported(
        name=said("name") or kind,
        labels={
            **texts(data.get("labels")),
            **attributes,
            **named,
            DEDUP_KEY: key,
            "source": source,
            "type": kind,
            "subject": subject,
        },
        firing=not over,
        severity=severity,
        summary=said("summary") or text(data.get("message")),
        starts_ms=0 if over else when,
        ends_ms=when if over else 0,
        annotations={"event_id": event["id"], "description": text(data.get("description"))},
        url=said("url"),
    )
    return reported, bool(severity or status)


def _without_headers(body: bytes, content_type: str, now_ms: int) -> Taken:
    return take({}, body, content_type, now_ms)


#: what the data of an event in binary mode may be; it need not have any
_TYPES = (
    _STRUCTURED,
    _BATCHED,
    JSON,
    "text/plain",
    "text/xml",
    "application/xml",
    "application/octet-stream",
    "",
)

DOOR = HttpDoor(NAME, "POST", f"/intake/{NAME}", _TYPES, _without_headers, keyed=True, decode_headers=take)
