"""The door for any JSON, which becomes alerts through the mapping that belongs to the key."""

from __future__ import annotations

from typing import Any

from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.http import HttpDoor, Taken
from watchkeeper.receivers.webhooks.payload import JSON, from_json, told

NAME = "custom"
BYTES = 256 * 1024  # of a payload


def parse(body: bytes) -> Any:
    """A payload. Raises Malformed, TooLarge."""
    if len(body) > BYTES:
        raise TooLarge(f"the payload has {len(body)} bytes; at most {BYTES} are taken")
    return from_json(body, Any)


def _take(key: IntakeKey, body: bytes, content_type: str, now_ms: int) -> Taken:  # noqa: ARG001
    if key.mapping is None:
        raise Malformed(
            f"the intake key {key.name!r} has no mapping; make one in the console under Payload mappings",
            reason="no_mapping",
        )
    from watchkeeper.receivers.webhooks.mapping import read  # 1.5 MB that a process without mappings saves

    return told(NAME, read(key.mapping, parse(body)), now_ms)


def _keyless(body: bytes, content_type: str, now_ms: int) -> Taken:
    return _take(IntakeKey(id="", name=""), body, content_type, now_ms)


DOOR = HttpDoor(NAME, "POST", f"/intake/{NAME}", (JSON,), _keyless, keyed=True, most=BYTES, decode_for=_take)
