"""PagerDuty's Events API v2: alerts that are triggered, acknowledged and resolved, and changes, as its clients post
them. The routing key is the intake key. Limits and words of errors are PagerDuty's; what differs is on the set-up
page (docs/how-to/doors/pagerduty.md).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed, TooLarge, Unauthorised, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.model.signals import batch as signals
from watchkeeper.model.verdicts import DEDUP_KEY, fingerprint
from watchkeeper.receivers.body import weigh_json
from watchkeeper.receivers.events import Reported, batch, linkable, rows
from watchkeeper.receivers.http import Answer, HttpDoor, Taken

NAME = "pagerduty"
LARGEST = 512 * 1024  # bytes of one event
_LONGEST = {"dedup_key": 255, "payload.summary": 1024}  # characters
_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")
_LATEST_MS = (2**63 - 1) // 1_000_000
_FIELDS = ("component", "group", "class")  # of the payload, labels under their own names
#: what of custom_details says where it is, and so becomes a label
_PLACES = frozenset(
    ("host", "hostname", "host.name", "instance", "service", "service.name", "cluster", "namespace", "pod", "node",
     "environment", "region")
)  # fmt: skip
Document = dict[str, Any]


class InvalidEvent(Malformed):
    """JSON, but no event; `errors` says why, in PagerDuty's sentences."""

    reason = "invalid_event"

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class _Routed(msgspec.Struct):
    routing_key: Any = None


_decode_key = msgspec.json.Decoder(_Routed).decode
_decode = msgspec.json.Decoder(Document).decode


class PagerDutyDoor:
    """`new_key` makes a dedup_key for an alert that comes without one, and the ids of acts."""

    name = NAME

    def __init__(self, new_key: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._new_key = new_key

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """An alert's event or act (model.doors.Door). Raises as `event`."""
        return iter(self.event(IntakeKey("", NAME), body, content_type, now_ms).entries)

    def event(self, key: IntakeKey, body: bytes, content_type: str, now_ms: int) -> Taken:  # noqa: ARG002
        """One alert event: a row of EVENTS, or of ACTS when it acknowledges. `told` is the dedup_key.

        Raises Malformed when it is no JSON object, InvalidEvent, TooLarge.
        """
        said = _read(body)
        errors: list[str] = []
        action = _one_of(said, "event_action", "event_action", _ACTIONS, errors)
        dedup_key = _text(said, "dedup_key", "dedup_key", errors, required=action in _ACTIONS[1:])
        payload = _payload(said, errors) if action == "trigger" else {}
        reported = _triggered(said, payload, errors) if action == "trigger" else _resolved()
        if errors:
            raise InvalidEvent(errors)
        dedup_key = (
            dedup_key.replace("\x00", "\ufffd") or self._new_key()
        )  # as in the row: no database holds NUL
        if action == "acknowledge":
            act = Act(
                id=self._new_key(), kind=ActKind.ACKNOWLEDGE, actor=key.name, time_ms=now_ms,
                target=fingerprint("", {DEDUP_KEY: dedup_key}, NAME), data={"until_ms": 0},
            )  # fmt: skip
            row: dict[str, object] = {"time_ms": now_ms, "document": msgspec.json.encode(act)}
            return Taken([(Stream.ACTS, signals(Stream.ACTS, [row]))], told=dedup_key)
        reported.labels[DEDUP_KEY] = dedup_key
        return Taken(_events(reported, now_ms, "alert"), told=dedup_key)

    def change(self, body: bytes, content_type: str, now_ms: int) -> Taken:  # noqa: ARG002
        """One change event: a row of EVENTS. Raises as `event`."""
        said = _read(body)
        errors: list[str] = []
        payload = _payload(said, errors)
        summary = _text(payload, "summary", "payload.summary", errors, required=True)
        reported = Reported(
            name=summary,
            summary=summary,
            severity="info",
            labels=_labels(payload, errors),
            starts_ms=_milliseconds(payload, errors),
            annotations=_annotations(said, payload, errors),
            url=_url(said),
        )
        if errors:
            raise InvalidEvent(errors)
        return Taken(_events(reported, now_ms, "change"))

    def rows(self) -> tuple[HttpDoor, HttpDoor]:
        """This door's rows of the table."""
        row = partial(
            HttpDoor, NAME, "POST", content_types=("application/json",), refuse=_refuse, key_in=_key_in,
            most=LARGEST,
        )  # fmt: skip
        return (
            row(path="/v2/enqueue", accept=_accept, decode=partial(self.event, IntakeKey("", NAME)),
                decode_for=self.event),
            row(path="/v2/change/enqueue", accept=_accept_change, decode=self.change),
        )  # fmt: skip


def _read(body: bytes) -> Document:
    if len(body) > LARGEST:
        raise TooLarge(f"an event may have {LARGEST} bytes")
    weigh_json(body)
    try:
        return _decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"JSON parse error: {error}") from error


def _key_in(body: bytes) -> str:
    """The routing key. Raises Malformed, Unauthorised when there is none."""
    try:
        key = _decode_key(body).routing_key
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"JSON parse error: {error}") from error
    if not isinstance(key, str) or not key:
        raise Unauthorised("'routing_key' is missing or blank")
    return key


def _events(reported: Reported, now_ms: int, kind: str) -> list[tuple[Stream, pa.RecordBatch]]:
    return [(Stream.EVENTS, batch(NAME, rows([reported], now_ms), now_ms, kind))]


def _triggered(said: Document, payload: Document, errors: list[str]) -> Reported:
    summary = _text(payload, "summary", "payload.summary", errors, required=True)
    _text(payload, "source", "payload.source", errors, required=True)
    labels = _labels(payload, errors)
    return Reported(
        name=labels.get("class") or summary,
        summary=summary,
        severity=_one_of(payload, "severity", "payload.severity", _SEVERITIES, errors),
        labels=labels,
        starts_ms=_milliseconds(payload, errors),
        annotations=_annotations(said, payload, errors),
        url=_url(said),
    )


def _resolved() -> Reported:
    return Reported(name="", labels={}, firing=False)


def _payload(said: Document, errors: list[str]) -> Document:
    payload = said.get("payload")
    if isinstance(payload, dict):
        return payload
    errors.append("'payload' is missing or is not an object")
    return {}


def _labels(payload: Document, errors: list[str]) -> dict[str, str]:
    details = payload.get("custom_details")
    places = details if isinstance(details, dict) else {}
    labels = {k: v for k, v in places.items() if k in _PLACES and isinstance(v, str)}
    labels |= {name: _text(payload, name, f"payload.{name}", errors) for name in _FIELDS}
    if source := _text(payload, "source", "payload.source", errors):
        labels["instance"] = source
    return {k: v for k, v in labels.items() if v}


def _annotations(said: Document, payload: Document, errors: list[str]) -> dict[str, str]:
    """Details under their names, then links, images and the client."""
    details = payload.get("custom_details")
    if details is not None and not isinstance(details, dict):
        details = {"custom_details": details}  # PagerDuty takes any value
    out = {k: v if isinstance(v, str) else _shown(v) for k, v in (details or {}).items()}
    for kind, address, words in (("link", "href", "text"), ("image", "src", "alt")):
        for number, one in enumerate(_objects(said, f"{kind}s", errors), 1):
            if isinstance(where := one.get(address), str) and where:
                text = one.get(words)
                name = kind if number == 1 else f"{kind} {number}"
                out[name] = f"{text}: {where}" if isinstance(text, str) and text else where
            else:
                errors.append(f"'{kind}s' has an element without '{address}'")
    if client := said.get("client"):
        out["client"] = client if isinstance(client, str) else _shown(client)
    return out


def _objects(said: Document, name: str, errors: list[str]) -> list[Document]:
    given = said.get(name)
    if given is None:
        return []
    if isinstance(given, list) and all(isinstance(x, dict) for x in given):
        return given
    errors.append(f"'{name}' is not a list of objects")
    return []


def _url(said: Document) -> str:
    """Where the alert can be looked at: the client's address, else the first link, else the first image's."""
    given = [said.get("client_url")]
    for name in ("links", "images"):
        elements = said.get(name)
        given += (
            [x.get("href") for x in elements if isinstance(x, dict)] if isinstance(elements, list) else []
        )
    return next((x for x in given if isinstance(x, str) and linkable(x)), "")


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(of: Document, field: str, called: str, errors: list[str], *, required: bool = False) -> str:
    """A field that is text, or a number that is taken as such; "" and an error when it is not, or missing though it
    is required."""
    value = of.get(field)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        value = ""
        if required:
            errors.append(f"'{called}' is missing or blank")
    elif not isinstance(value, str):
        errors.append(f"'{called}' is invalid (must be a string)")
        value = ""
    most = _LONGEST.get(called)
    if most and len(value) > most:
        errors.append(f"'{called}' is too long (maximum is {most} characters)")
    return value


def _one_of(of: Document, field: str, called: str, words: tuple[str, ...], errors: list[str]) -> str:
    value = of.get(field)
    if isinstance(value, str) and value in words:
        return value
    if value is None or value == "":
        errors.append(f"'{called}' is missing or blank")
    else:
        known = ", ".join(f"'{word}'" for word in words)
        errors.append(f"'{called}' is invalid (must be one of the following: {known})")
    return ""


def _milliseconds(payload: Document, errors: list[str]) -> int:
    """Unix milliseconds of `timestamp`; 0 when there is none. What names no zone is in UTC."""
    text = payload.get("timestamp")
    if text is None or text == "":
        return 0
    try:
        time = datetime.fromisoformat(
            text.replace("+00:00Z", "Z")
        )  # as PagerDuty's own Python client writes it
        at = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError, AttributeError, TypeError):
        errors.append("'payload.timestamp' is invalid (must be an ISO 8601 time)")
        return 0
    return min(max(0, at), _LATEST_MS)


def _accept(taken: Taken, content_type: str) -> Answer:  # noqa: ARG001
    return _answer(202, {"status": "success", "message": "Event processed", "dedup_key": taken.told})


def _accept_change(taken: Taken, content_type: str) -> Answer:  # noqa: ARG001
    return _answer(202, {"status": "success", "message": "Change event processed"})


def _refuse(error: WatchkeeperError, content_type: str) -> Answer:  # noqa: ARG001
    """An error as PagerDuty tells it: a short name, a sentence, and each fault."""
    if isinstance(error, InvalidEvent):
        status, message, errors = "invalid event", "Event object is invalid", error.errors
    elif isinstance(error, Malformed):
        status, message, errors = "invalid event", "Event object format is unrecognized", [error.detail]
    elif error.status == 429:
        status, message, errors = "throttle exceeded", "Events arrive too quickly", [error.detail]
    else:
        status, message, errors = error.reason.replace("_", " "), error.detail, [error.detail]
    return _answer(error.status, {"status": status, "message": message, "errors": errors})


def _answer(status: int, document: Document) -> Answer:
    return Answer(status, msgspec.json.encode(document), "application/json")
