"""Alertmanager's API v2, alerts in: what Prometheus, Grafana, vmalert and amtool post becomes events.

It takes and refuses what Alertmanager 0.25 does, with its statuses and words; where it does not, the set-up
page (docs/how-to/doors/alertmanager.md) says so. Reading alerts and silences belong to the web process.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

import msgspec
import pyarrow as pa

from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import AlertStatus, Severity
from watchkeeper.receivers.body import weigh_json
from watchkeeper.receivers.dead_letters import Letter
from watchkeeper.receivers.events import Row, batch, encode_sorted, linkable
from watchkeeper.receivers.http import Answer, HttpDoor, Taken

NAME = "alertmanager"
RESOLVE_TIMEOUT_MS = 5 * 60 * 1000
_MESSAGES = 100  # of one answer
_NAMES = 10_000  # remembered as valid
_LATEST_MS = (2**63 - 1) // 1_000_000  # the last millisecond that nanoseconds in 64 bits can say: in 2262
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")  # the escape, and not the text of one
_FIRING, _RESOLVED = AlertStatus.FIRING.value, AlertStatus.RESOLVED.value
_NOTHING: dict[str, str] = {}


class Unprocessable(Malformed):
    """JSON, but not of an alert's shape: Alertmanager's 422. Nothing of the body is taken."""

    status = 422
    reason = "unprocessable"


class _Postable(msgspec.Struct, gc=False):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    generatorURL: str | None = None


_decode = msgspec.json.Decoder(list[_Postable] | None).decode


class AlertmanagerDoor:
    """`utf8_names` admits any label name that is not empty, as Alertmanager does from 0.27 on; else a name is
    one of Prometheus' classic names."""

    name = NAME

    def __init__(self, resolve_timeout_ms: int = RESOLVE_TIMEOUT_MS, *, utf8_names: bool = False) -> None:
        self._timeout = resolve_timeout_ms
        self._is_valid: Callable[[str], bool] = bool if utf8_names else _is_classic
        self._valid_names: set[str] = set()

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """The valid alerts of a body as an events batch (model.doors.Door). Raises as `take`."""
        return iter(self.take(body, content_type, now_ms).entries)

    def take(self, body: bytes, content_type: str, now_ms: int) -> Taken:  # noqa: ARG002
        """The valid alerts of a body, and what was wrong with the others.

        Raises Malformed when it is no list of alerts, Unprocessable when one has no labels, TooLarge.
        """
        alerts = _read(body)
        rows: list[Row] = []
        wrong: list[tuple[str, str, _Postable]] = []
        for alert in alerts:
            fault = self._add(alert, rows, now_ms)
            if fault is not None:
                wrong.append((*fault, alert))
        taken = Taken()
        if rows:
            taken.entries.append((Stream.EVENTS, batch(NAME, rows, now_ms)))
        if wrong:
            taken.rejected = dict(Counter(reason for reason, _, _ in wrong))
            taken.message = "; ".join(text for _, text, _ in wrong[:_MESSAGES])
            taken.letters = [Letter(reason, text, encode_sorted([alert])) for reason, text, alert in wrong]
        return taken

    def row(self) -> HttpDoor:
        """This door's row of the table."""
        return HttpDoor(
            NAME, "POST", "/api/v2/alerts", ("application/json",), self.take, accept=_accept, refuse=_refuse
        )

    def _add(self, alert: _Postable, rows: list[Row], now_ms: int) -> tuple[str, str] | None:
        """Append an alert's row; or give the reason and Alertmanager's sentence why it is not valid."""
        labels = alert.labels or _NOTHING
        if "" in labels.values():
            labels = {k: v for k, v in labels.items() if v}
        annotations = alert.annotations or _NOTHING
        starts, ends = _milliseconds(alert.startsAt), _milliseconds(alert.endsAt)
        if starts is None:
            starts = now_ms if ends is None else ends
        if ends is None:
            ends = now_ms + self._timeout
        if ends < starts:
            return "ends_before_start", "start time must be before end time"
        bad = self._bad_name(labels)
        if bad is not None:
            return "invalid_label_name", f"invalid label set: invalid name {_quoted(bad)}"
        if not labels:
            return "no_labels", "at least one label pair required"
        bad = self._bad_name(annotations)
        if bad is not None:
            return "invalid_annotation_name", f"invalid annotations: invalid name {_quoted(bad)}"
        document = encode_sorted(labels)
        url = alert.generatorURL or ""
        rows.append((
            blake2b(b"%d" % starts + document, digest_size=16).hexdigest(),
            _FIRING if ends > now_ms else _RESOLVED,
            labels.get("alertname") or "alert",
            _severity(labels.get("severity", "")),
            annotations.get("summary") or annotations.get("description") or annotations.get("message") or "",
            starts,
            ends,
            document,
            encode_sorted(annotations),
            linkable(url),
        ))  # fmt: skip
        return None

    def _bad_name(self, names: Iterable[str]) -> str | None:
        """The first name that is not valid."""
        if self._valid_names.issuperset(names):
            return None
        for name in names:
            if not self._is_valid(name):
                return name
        if len(self._valid_names) > _NAMES:
            self._valid_names.clear()
        self._valid_names.update(names)
        return None


def _read(body: bytes) -> list[_Postable]:
    weigh_json(body)
    if not body.strip():
        raise Unprocessable("alerts in body is required")
    try:
        if b"\\u0000" in body:  # no record database holds it
            body = _NUL.sub(rb"\1\\ufffd", body)
        try:
            alerts = _decode(body) or []
        except UnicodeDecodeError:  # as Go does
            alerts = _decode(body.decode("utf-8", "replace").encode()) or []
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f'parsing alerts body from "" failed, because {error}') from error
    for number, alert in enumerate(alerts):
        if alert.labels is None:
            raise Unprocessable(f"{number}.labels in body is required")
    return alerts


@lru_cache(16384)
def _milliseconds(text: str | None) -> int | None:
    """Unix milliseconds of a time as Go's strfmt reads it, UTC when it names no zone; None when it is absent,
    empty or Go's zero time. Raises Malformed."""
    if not text:
        return None
    try:
        if not _TIME.fullmatch(text):
            raise ValueError("not RFC 3339")
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        if time.year == 1:
            return None
        return min(max(0, int(time.timestamp() * 1000)), _LATEST_MS)
    except (ValueError, OverflowError) as error:
        raise Malformed(
            f'parsing alerts body from "" failed, because parsing time {_quoted(text)}: {error}'
        ) from error


@lru_cache(1024)
def _severity(word: str) -> str:
    return Severity.parse(word).value


def _is_classic(name: str) -> bool:
    return _LABEL_NAME.fullmatch(name) is not None


def _quoted(text: str) -> str:
    return msgspec.json.encode(text[:200]).decode()


def _accept(taken: Taken, content_type: str) -> Answer:  # noqa: ARG001
    """200 and nothing; 400 and the faults when some alerts were not valid, though the others are taken."""
    return _sentence(400, taken.message) if taken.rejected else Answer(200)


def _refuse(error: WatchkeeperError, content_type: str) -> Answer:  # noqa: ARG001
    """Alertmanager's errors before validation are objects with a code, those of its handlers JSON strings."""
    if isinstance(error, Malformed) or error.status == 415:
        code = 602 if isinstance(error, Unprocessable) else error.status
        return Answer(
            error.status, msgspec.json.encode({"code": code, "message": error.detail}), "application/json"
        )
    return _sentence(error.status, error.detail)


def _sentence(status: int, text: str) -> Answer:
    return Answer(status, msgspec.json.encode(text) + b"\n", "application/json")
