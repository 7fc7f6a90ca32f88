"""What the vendors' webhooks share: a door whose body is JSON of a known shape (or a form), and how their words, times
and numbers are read. One vendor a file beside this one says what its payload means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.body import weigh_json
from watchkeeper.receivers.events import Reported, batch, rows
from watchkeeper.receivers.http import HttpDoor, Taken

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
LATEST_MS = (2**63 - 1) // 1_000_000  # the last millisecond that nanoseconds in 64 bits can say: in 2262
#: words for an alert that is over, where a vendor leaves it to people
OVER = frozenset(
    {"resolved", "ok", "closed", "cleared", "recovered", "recovery", "up", "success", "normal", "false"}
)
_FIELDS = 200  # of a form
_TEXT = 4000  # characters of a list or object that is shown as text

Read = Callable[[Any, int], Iterable[Reported]]
"""(the payload in its shape, now in Unix ms) → what it tells. Raises Malformed."""


def webhook(
    name: str,
    shape: type[Any],
    read: Read,
    *,
    path: str = "",
    content_types: tuple[str, ...] = (JSON,),
    left_out: Callable[[Any], int] | None = None,
) -> HttpDoor:
    """The door of a vendor at `/intake/<name>`, or at `path`, with the key in a header or behind the path. A body is
    taken whole or not at all; `left_out` counts what its sender says to have left out of it."""

    def take(body: bytes, content_type: str, now_ms: int) -> Taken:
        form = content_type.partition(";")[0].strip().lower() == FORM
        payload = from_form(body, shape) if form else from_json(body, shape)
        taken = told(name, read(payload, now_ms), now_ms)
        if left_out is not None and (count := left_out(payload)) > 0:
            taken.rejected = {"truncated": count}
        return taken

    return HttpDoor(name, "POST", path or f"/intake/{name}", content_types, take, keyed=True)


def told(door: str, reported: Iterable[Reported], now_ms: int) -> Taken:
    """Alerts as what the door took."""
    made = rows(reported, now_ms)
    return Taken([(Stream.EVENTS, batch(door, made, now_ms))] if made else [])


def from_json(body: bytes | str, shape: Any) -> Any:
    """A JSON body in its shape; a member that is null is as good as none. Raises Malformed naming what does not fit and
    where, TooLarge."""
    if isinstance(body, bytes):
        weigh_json(body)
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(body)), shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"this is not what is sent here: {error}") from error


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {k: _without_nulls(v) for k, v in value.items() if v is not None}
        case list():
            return [_without_nulls(v) for v in value]
    return value


def from_form(body: bytes, shape: type[Any]) -> Any:
    """A form's fields in their shape, texts all of them. Raises Malformed."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
        return msgspec.convert(dict(fields), shape)
    except (ValueError, msgspec.ValidationError) as error:
        raise Malformed(f"this is not the form that is sent here: {error}") from error


def text(value: Any) -> str:
    """Any value of JSON as a label or sentence: nothing for null, JSON for lists and objects.

    >>> text(None), text(True), text(2.0), text(["a", 1]), text(" x ")
    ('', 'true', '2', '["a",1]', 'x')
    """
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case bool() | int() | float():
            return msgspec.json.encode(value).decode() if abs(value) < 2**63 else str(value)
    return msgspec.json.encode(value).decode()[:_TEXT]


def texts(values: Any) -> dict[str, str]:
    """An object's members as labels; nothing of what is no object."""
    return {str(k): text(v) for k, v in values.items()} if isinstance(values, dict) else {}


def listed(values: Any) -> list[Any]:
    """A list as it is, nothing for null, and one value as a list of one."""
    if values is None:
        return []
    return values if isinstance(values, list) else [values]


def tagged(tags: Iterable[Any]) -> dict[str, str]:
    """Tags written `key:value` as labels, the last of a key counts.

    >>> tagged(["service:web", "plain", "url:http://x"])
    {'service': 'web', 'plain': 'true', 'url': 'http://x'}
    """
    pairs = (text(tag).partition(":") for tag in tags)
    return {key.strip(): value.strip() if colon else "true" for key, colon, value in pairs if key.strip()}


@lru_cache(4096)
def _written_ms(written: str) -> int:
    try:
        time = datetime.fromisoformat(written)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def time_ms(value: Any) -> int:
    """Unix milliseconds of a time as vendors give it: ISO 8601 (UTC when it names no zone), or a number of seconds,
    milliseconds, microseconds or nanoseconds since 1970, told apart by their size. 0 for what is no time: an alert is
    worth more than the moment at which it began.

    >>> time_ms("1970-01-01T00:00:01Z"), time_ms(1_700_000_000), time_ms("1700000000000"), time_ms("soon")
    (1000, 1700000000000, 1700000000000, 0)
    """
    if isinstance(value, str):
        value = value.strip()
        if not value.replace(".", "", 1).isdigit() or not value.isascii():
            return min(max(0, _written_ms(value[:64])), LATEST_MS)
        value = float(value[:32])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e19:
        return 0
    for most, scale in ((1e11, 1000), (1e14, 1), (1e17, 1e-3)):
        if value < most:
            return min(int(value * scale), LATEST_MS)
    return min(int(value * 1e-6), LATEST_MS)
