"""Messages of MQTT as samples or events, by what a subscription says of them. Pure: no broker here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from watchkeeper.model.declared import MqttSubscription
from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.model.expressions import Evaluation, Expression, WrongExpression
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.model.topics import Topic
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.body import weigh_json
from watchkeeper.receivers.events import Reported, batch, rows
from watchkeeper.receivers.http import Entries
from watchkeeper.receivers.series import SeriesTable

NAME = "mqtt"
MOST = 1024 * 1024  # bytes of a message
_SAMPLES = 1000  # of one message
_DEPTH = 8  # of objects within objects whose numbers are looked for
_WORDS = {"on": 1.0, "true": 1.0, "open": 1.0, "online": 1.0, "off": 0.0, "false": 0.0, "closed": 0.0,
          "offline": 0.0}  # fmt: skip
_UNFIT = re.compile(r"[^a-zA-Z0-9_:.]")
#: what is looked for where the mapping says nothing of a field
_DEFAULTS = {"name": "name", "severity": "severity", "summary": "summary || message || description",
             "resolved": "contains(['resolved', 'ok', 'recovered'], not_null(status, state, ''))"}  # fmt: skip
_LATEST_MS = 253_402_300_799_999
Sample = tuple[int, int, float]


class Messages:
    """Reads the messages of one subscription. Raises ValueError when it cannot be one."""

    def __init__(self, subscription: MqttSubscription, series: SeriesTable) -> None:
        self._is, self._series = subscription, series
        self._topics = [Topic(t) for t in subscription.topics]
        self.filters = tuple(dict.fromkeys(t.filter for t in self._topics))
        given = {**_DEFAULTS, **subscription.mapping}
        try:
            self._mapping = {field: Expression(text) for field, text in given.items()}
        except WrongExpression as error:
            raise ValueError(f"its mapping: {error.detail}") from error

    def labels(self, topic: str) -> dict[str, str] | None:
        """What a topic says; None when it is none of the subscription's."""
        return next((found for t in self._topics if (found := t.match(topic)) is not None), None)

    def read(self, topic: str, payload: bytes, now_ms: int) -> Entries:
        """The rows of a message. Raises Malformed or TooLarge, and RateLimited when there is no room for a series."""
        labels = self.labels(topic)
        if labels is None:
            raise Malformed(f"nobody asked for the topic {topic[:200]!r}", reason="unwanted_topic")
        if len(payload) > MOST:
            raise TooLarge(f"the message has {len(payload)} bytes; at most {MOST} are taken")
        if self._is.payload == "events":
            told = [self._event(one, labels, topic) for one in _documents(payload)]
            return [(Stream.EVENTS, batch(NAME, rows(told, now_ms), now_ms))] if told else []
        if self._is.payload == "number":
            values: Iterator[tuple[str, float]] = iter((("", _number(payload)),))
        else:
            values = _numbers(_object(payload), "", _DEPTH)
        return self._samples(values, labels, topic, now_ms)

    def _samples(
        self, values: Iterator[tuple[str, float]], labels: dict[str, str], topic: str, now_ms: int
    ) -> Entries:
        used = set(re.findall(r"\{([^}]+)\}", self._is.metric))
        base = re.sub(r"\{([^}]+)\}", lambda m: _fit(labels[m[1]]), self._is.metric)
        if not base and self._is.payload == "number":
            base = _fit(topic.rpartition("/")[2]) or "mqtt"
        own = {**self._is.labels, **{k: v for k, v in labels.items() if k not in used}}
        found: list[Sample] = []
        for path, value in values:
            if len(found) == _SAMPLES:
                raise TooLarge(f"the message has more than {_SAMPLES} numbers", reason="too_many_elements")
            name = "_".join(filter(None, (base, _fit(path))))
            found.append((self._series.lookup(name, own, "gauge", "", NAME), now_ms, value))
        if not found:
            raise Malformed("there is no number in the message", reason="no_number")
        columns = zip(*found, strict=True)
        schema = SCHEMAS[Stream.SAMPLES]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        return [(Stream.SAMPLES, pa.RecordBatch.from_arrays(arrays, schema=schema))]

    def _event(self, document: Any, labels: dict[str, str], topic: str) -> Reported:
        evaluation = Evaluation(document)
        try:
            found = {field: evaluation.of(x, document) for field, x in self._mapping.items()}
        except WrongExpression as error:
            raise Malformed(
                f"the mapping does not fit the message: {error.detail}", reason="mapping_failed"
            ) from error
        own = {**self._is.labels, **labels, **_group(found, "label.")}
        if key := _text(found.get("key")):
            own[DEDUP_KEY] = f"{self._is.id} {key}"
        firing = not found["resolved"]
        time_ms = _time_ms(found.get("time"))
        return Reported(
            name=_text(found["name"])[:500] or self._is.name,
            labels=own or {"topic": topic},
            firing=firing,
            severity=_text(found["severity"]),
            summary=_text(found["summary"])[:2000],
            starts_ms=time_ms if firing else 0,
            ends_ms=0 if firing else time_ms,
            annotations={"topic": topic, **_group(found, "annotation.")},
            url=_text(found.get("url")),
        )


def _group(found: dict[str, Any], prefix: str) -> dict[str, str]:
    return {
        field.removeprefix(prefix): _text(value)[:2000]
        for field, value in found.items()
        if field.startswith(prefix)
    }


def _documents(payload: bytes) -> list[Any]:
    value = _json(payload)
    return value if isinstance(value, list) else [value]


def _object(payload: bytes) -> dict[str, Any]:
    value = _json(payload)
    if not isinstance(value, dict):
        raise Malformed("the message is no JSON object", reason="no_object")
    return value


def _json(payload: bytes) -> Any:
    weigh_json(payload)
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"the message is no JSON: {error}") from error


def _number(payload: bytes) -> float:
    text = payload[:64].decode("utf-8", "replace").strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or len(payload) > 64:
        raise Malformed(f"{text[:40]!r} is no number", reason="no_number")
    return value


def _numbers(value: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, float]]:
    """Every number within an object, with the names that lead to it."""
    for name, inner in value.items():
        at = f"{path}_{name}" if path else name
        if isinstance(inner, bool | int | float):
            number = _finite(inner)
            if number is not None:
                yield at, number
        elif isinstance(inner, dict) and depth:
            yield from _numbers(inner, at, depth - 1)


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:  # JSON knows numbers of any size
        return None
    return number if math.isfinite(number) else None


def _fit(text: str) -> str:
    """Text as a part of a metric's name."""
    return _UNFIT.sub("_", text)[:200]


def _text(value: Any) -> str:
    """A value of JSON as text."""
    match value:
        case None:
            return ""
        case str():
            return value.encode("utf-8", "replace").decode()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return msgspec.json.encode(value).decode("utf-8", "replace")


def _time_ms(value: Any) -> int:
    """Unix milliseconds of a time that is said as RFC 3339, in seconds or in milliseconds; 0 when it is none."""
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
            value = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or (number := _finite(value)) is None:
        return 0
    milliseconds = number if number > 1e11 else number * 1000
    return int(milliseconds) if 0 < milliseconds <= _LATEST_MS else 0
