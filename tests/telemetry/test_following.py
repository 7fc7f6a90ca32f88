"""Whoever follows the log is asked about again and again, also while lines never cease to come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.telemetry.signals import carry, log, now_ms, of
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry import following
from watchkeeper.telemetry.queries.logs import Line
from watchkeeper.telemetry.store import Store


def test_a_busy_stream_ends_when_the_reader_may_no_more(store: Store, journal: SqliteJournal) -> None:
    asked: list[int] = []
    told: list[str] = []

    def write() -> None:
        journal.append([of(Stream.LOGS, log(now_ms(), f"line {len(told)}"))])
        carry(journal, store)

    def tell(lines: Sequence[Line]) -> list[Any]:
        """The next line is there before this one has reached the reader."""
        told.extend(line.body for line in lines)
        write()
        return [line.body for line in lines]

    async def may() -> bool:
        asked.append(len(told))
        return len(asked) < 2

    async def read() -> list[bytes]:
        stream = following.follow(store, "", 0, tell, may, look_every=0.0)
        return [chunk async for chunk in stream]

    write()
    chunks = asyncio.run(read())
    assert not any(c.startswith(b": still here") for c in chunks)
    each = following.LOOKS_A_CHECK
    assert asked == [each - 1, 2 * each - 1]
    assert len(told) == 2 * each - 1
