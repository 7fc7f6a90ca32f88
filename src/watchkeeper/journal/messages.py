"""Groups in a JetStream stream: published so that a reader sees all of a group or none, and read in order.

A group that one message holds is published on `<name>.group`. A larger one goes out in parts on
`<name>.part`, each accepted only right after the one before (Nats-Expected-Last-Sequence), its last piece on
`<name>.group`: that one exists only if all the parts stand directly before it. Parts that a dead writer left
are never completed, and readers pass over them. Servers before 2.12 have no atomic batches of their own.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

import nats.errors
from nats.js import api
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from watchkeeper.model.errors import JournalFull

TRY_FOR = 15.0  # seconds a publish is tried again when no answer comes; far below the window for duplicates
ATTEMPTS = 20  # for a group in parts that other writers keep coming between
_PARTS = "Watchkeeper-Parts"
_WRONG_LAST_SEQUENCE = (10071, 10164)
_UNANSWERED = (
    NoStreamResponseError,
    nats.errors.TimeoutError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.ConnectionReconnectingError,
    nats.errors.StaleConnectionError,
)


class Message(NamedTuple):
    """A message of the stream; `parts`: of how many messages the group is that it completes, 0 for none."""

    sequence: int
    parts: int
    body: bytes


async def publish(js: JetStreamContext, name: str, parts: Sequence[bytes]) -> int:
    """Publish a group; return the sequence of the message that completes it, once that is stored.
    Raises nats.errors.Error, or JournalFull (journal_busy) when other writers leave no gap for it."""
    for attempt in range(ATTEMPTS):
        try:
            return await _publish_once(js, name, parts)
        except APIError as error:
            if error.err_code not in _WRONG_LAST_SEQUENCE:
                raise
        await asyncio.sleep(random.uniform(0, 0.01 * attempt))
    raise JournalFull(f"{len(parts)} messages found no gap between those of others", reason="journal_busy")


async def _publish_once(js: JetStreamContext, name: str, parts: Sequence[bytes]) -> int:
    group = uuid.uuid4().hex
    stored: list[int] = []
    try:
        for part in parts[:-1]:
            headers = {api.Header.MSG_ID.value: f"{group}.{len(stored)}"}
            stored.append(await _publish_one(js, f"{name}.part", part, headers, stored))
        headers = {api.Header.MSG_ID.value: group, _PARTS: str(len(parts))}
        return await _publish_one(js, f"{name}.group", parts[-1], headers, stored)
    except APIError:
        # Refused for certain, so these will never be completed; if they stay, they are only passed over.
        await asyncio.gather(*(js.delete_msg(name, sequence) for sequence in stored), return_exceptions=True)
        raise


async def _publish_one(
    js: JetStreamContext, subject: str, body: bytes, headers: dict[str, str], stored: Sequence[int]
) -> int:
    """Publish until there is an answer: the message id makes the server store it once."""
    if stored:
        headers[api.Header.EXPECTED_LAST_SEQUENCE.value] = str(stored[-1])
    deadline = time.monotonic() + TRY_FOR
    while True:
        try:
            return (await js.publish(subject, body, headers=dict(headers))).seq
        except _UNANSWERED:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def following(js: JetStreamContext, name: str, first: int, count: int) -> list[Message]:
    """Up to `count` messages of the stream from this sequence on, without a gap that is not a real one."""
    got = await asyncio.gather(*(fetch(js, name, sequence) for sequence in range(first, first + count)))
    found: list[Message] = []
    for message in got:
        if message is None:
            break
        found.append(message)
    if found:
        return found
    # A replica may lag; only the leader knows whether nothing has come yet or what was there is deleted.
    try:
        raw = await js.get_msg(name, seq=first, subject=f"{name}.*", next=True)
    except NotFoundError:
        return []
    return [_message(raw)]


async def fetch(js: JetStreamContext, name: str, sequence: int) -> Message | None:
    """One message, from whichever replica; None when that does not have it."""
    try:
        return _message(await js.get_msg(name, seq=sequence, direct=True))
    except NotFoundError:
        return None


async def last(js: JetStreamContext, name: str) -> int:
    """The sequence of the last message that completes a group; 0 when there is none in the stream."""
    try:
        return (await js.get_last_msg(name, f"{name}.group")).seq or 0
    except NotFoundError:
        return 0


async def body(js: JetStreamContext, name: str, message: Message, near: dict[int, bytes]) -> bytes | None:
    """The whole body of the group that `message` completes, its parts from `near` or the stream; None when
    one of them is gone."""
    pieces: list[bytes] = []
    for sequence in range(message.sequence - message.parts + 1, message.sequence):
        piece = near.get(sequence)
        if piece is None:
            fetched = await fetch(js, name, sequence)
            if fetched is None:
                return None
            piece = fetched.body
        pieces.append(piece)
    return b"".join([*pieces, message.body])


def _message(raw: api.RawStreamMsg) -> Message:
    headers = raw.headers or {}
    return Message(raw.seq or 0, int(headers.get(_PARTS, 0)), raw.data or b"")
