"""Log lines as they arrive, as server-sent events. Each follower is a coroutine; two threads ask for all of them.

An event's id is the position of its last line, so whoever connects again goes on where they were.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import time
from typing import Any

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry.queries import logs
from watchkeeper.telemetry.store import Store

LOOK_EVERY = 1.0  # seconds
LOOKS_A_SIGN = 15  # looks without a line, after which a sign of life is sent
LOOKS_A_CHECK = 15  # looks, with lines or without, after which it is asked whether the reader still may
LINES = 200  # at most in one event; of more, the newest
FOLLOWERS = 100

Tell = Callable[[list[logs.Line]], list[Any]]
_asking = ThreadPoolExecutor(2, "follow-logs")
_now: set[object] = set()


class TooManyFollowers(WatchkeeperError):
    """Each costs a question a second."""

    status = 503
    reason = "too_many_followers"
    retry_after = 30.0


def admit() -> None:
    """Raises TooManyFollowers when there is no room for one more."""
    if len(_now) >= FOLLOWERS:
        raise TooManyFollowers(f"{FOLLOWERS} already follow the log; close a page that does, or try again")


async def follow(
    store: Store, query: str, after: int | None, tell: Tell, may: Callable[[], Awaitable[bool]],
    look_every: float = LOOK_EVERY,
) -> AsyncIterator[bytes]:  # fmt: skip
    """The stream, without an end until the reader goes, or `may` is false. `after` is a position, None for now; the
    query is one that could be parsed. An event `lines` is {lines, skipped}, with `tell` for the shape of the lines."""
    me = object()
    _now.add(me)
    try:
        yield b"retry: 2000\n\n"
        position = after if after is not None else await _ask(lambda: logs.newest_position(store, _ms()))
        yield f"id: {position}\nevent: begin\ndata: {{}}\n\n".encode()
        looks = quiet = 0
        while True:
            looks += 1
            if looks % LOOKS_A_CHECK == 0 and not await may():
                return
            event, position = await _ask(_look, store, query, position, tell)
            quiet = 0 if event else quiet + 1
            if event:
                yield event
            elif quiet % LOOKS_A_SIGN == 0:
                yield b": still here\n\n"
            await asyncio.sleep(look_every)
    finally:
        _now.discard(me)


def position_in(text: str) -> int | None:
    """The position that an id of an event names; None when it is none.

    >>> position_in("12"), position_in("x"), position_in("")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and int(text[:21]) < 2**64 else None


async def _ask(function: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_asking, function, *given)


def _look(store: Store, query: str, position: int, tell: Tell) -> tuple[bytes, int]:
    """What to send, and where to go on. What went wrong is told, and asked for again."""
    try:
        found, skipped = logs.arrived(store, query, position, _ms(), LINES)
    except WatchkeeperError as error:
        return f"event: trouble\ndata: {json.dumps({'detail': error.detail})}\n\n".encode(), position
    if not found:
        return b"", position
    last = found[-1].position
    data = json.dumps({"lines": tell(found), "skipped": skipped})
    return f"id: {last}\nevent: lines\ndata: {data}\n\n".encode(), last


def _ms() -> int:
    return int(time() * 1000)
