"""Group commit: many small submissions become few large appends, and each is answered once it is on disk.

Whatever arrives while one append syncs goes into the next, rows of the same stream joined. Nobody who waits
is kept waiting for more to come; only what nobody waits for (datagrams) lingers to fill a group.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from watchkeeper.journal.entries import MAX_BYTES, MAX_ROWS, check
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.signals import Stream

Batches = Sequence[tuple[Stream, pa.RecordBatch]]
Answer = asyncio.Future[int] | Future[int]


@dataclass
class Counts:
    """What a GroupCommit has done, in rows where nothing else is said."""

    groups: int = 0
    submissions: int = 0
    written: int = 0
    refused: int = 0  # too much was waiting already, or it was closed
    failed: int = 0  # the journal did not take them
    seconds: float = 0.0  # spent appending


class Submission(NamedTuple):
    """Batches that go to disk together, and who waits for that, if anybody."""

    batches: Batches
    rows: int
    size: int
    answer: Answer | None


class GroupCommit:
    """Sits before a journal in the process that receives. For event loops and threads, also at once."""

    def __init__(
        self,
        journal: Journal,
        *,
        max_rows: int = MAX_ROWS,
        max_bytes: int = MAX_BYTES,
        max_delay: float = 0.2,
        max_waiting: int = 64 * 1024**2,
    ) -> None:
        """A group holds at most `max_rows` rows and `max_bytes` bytes, or one larger submission. `max_delay`
        is how long, in seconds, what nobody waits for may linger. At most `max_waiting` bytes may wait for
        the journal; more is refused."""
        self.counts = Counts()
        self._journal = journal
        self._max_rows, self._max_bytes = max_rows, max_bytes
        self._max_delay, self._max_waiting = max_delay, max_waiting
        self._lock = threading.Lock()  # guards everything below
        self._changed = threading.Condition(self._lock)
        self._queue: deque[Submission] = deque()
        self._rows = self._size = self._awaited = 0  # of the queue
        self._since = 0.0  # when the queue began to fill
        self._busy = self._starting = self._lingering = self._closed = False
        self._writer = ThreadPoolExecutor(1, "journal")

    async def submit(self, batches: Batches) -> int:
        """Append together, all or none; return when it is on disk, with the last offset of its group. Raises
        JournalFull, DiskFull, ValueError (rows of another schema). If the caller is cancelled, the batches
        may be written all the same."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        self._enter(batches, answer)
        return await answer

    def submit_blocking(self, batches: Batches) -> int:
        """As `submit`, from a thread. Not from an event loop, which it would stop."""
        answer: Future[int] = Future()
        self._enter(batches, answer)
        return answer.result()

    def submit_nowait(self, batches: Batches) -> bool:
        """For a sender who cannot be answered: True when taken, False (and counted) when refused. Written
        within `max_delay`; what the journal then does not take is counted as failed."""
        try:
            self._enter(batches, None)
        except JournalFull:
            return False
        return True

    def close(self) -> None:
        """Write what waits, then stop; the journal stays open. What comes later is refused."""
        with self._lock:
            self._closed = True
            self._start_locked()  # an event loop that is to start the writer may itself be waiting here
            self._changed.notify_all()
            while self._busy:
                self._changed.wait()
        self._writer.shutdown()

    def _enter(self, batches: Batches, answer: Answer | None) -> None:
        check(batches)
        rows = size = 0
        for _, batch in batches:
            rows += batch.num_rows
            size += pa.ipc.get_record_batch_size(batch)
        with self._lock:
            self._admit(rows, size)
            if not self._queue:
                self._since = time.monotonic()
            self._queue.append(Submission(batches, rows, size, answer))
            self._rows += rows
            self._size += size
            self._awaited += answer is not None
            self._wake(answer)

    def _admit(self, rows: int, size: int) -> None:
        if self._closed:
            self.counts.refused += rows
            raise JournalFull("the journal is closing down", reason="closing")
        if self._queue and self._size + size > self._max_waiting:
            self.counts.refused += rows
            raise JournalFull(
                f"{self._size} bytes wait to be written to the journal", reason="journal_behind"
            )

    def _wake(self, answer: Answer | None) -> None:
        if self._busy:
            if self._lingering and not self._may_linger():
                self._changed.notify_all()
            return
        self._busy = self._starting = True
        if isinstance(answer, asyncio.Future):
            # once every task of this loop that is ready now has had its turn to submit
            answer.get_loop().call_soon(self._start)
        else:
            self._start_locked()

    def _start(self) -> None:
        with self._lock:
            self._start_locked()

    def _start_locked(self) -> None:
        if self._starting:
            self._starting = False
            self._writer.submit(self._begin)

    def _may_linger(self) -> bool:
        """Whether a fuller group costs nobody anything."""
        full = self._rows >= self._max_rows or self._size >= self._max_bytes
        return not (full or self._awaited or self._closed)

    def _begin(self) -> None:
        """In the writer's thread: choose the next group and have it written."""
        with self._lock:
            until = self._since + self._max_delay
            self._lingering = True
            while self._may_linger() and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._lingering = False
            group = self._take()
        # As a task of its own, so that whatever goes wrong in it is the answer to its submissions.
        self._writer.submit(self._append, group).add_done_callback(partial(self._settle, group))

    def _take(self) -> list[Submission]:
        group: list[Submission] = []
        rows = size = 0
        while self._queue:
            first = self._queue[0]
            rows, size = rows + first.rows, size + first.size
            if group and (rows > self._max_rows or size > self._max_bytes):
                break
            group.append(self._queue.popleft())
            self._rows -= first.rows
            self._size -= first.size
            self._awaited -= first.answer is not None
        self._since = time.monotonic()
        return group

    def _append(self, group: list[Submission]) -> int:
        begun = time.monotonic()
        try:
            return self._journal.append(joined(group))
        finally:
            self.counts.seconds += time.monotonic() - begun

    def _settle(self, group: list[Submission], done: Future[int]) -> None:
        """Answer a group's submissions, then turn to the next group."""
        rows = sum(s.rows for s in group)
        error = done.exception()
        self.counts.groups += 1
        self.counts.submissions += len(group)
        if error is None:
            self.counts.written += rows
        else:
            self.counts.failed += rows
        answer_all([s.answer for s in group if s.answer is not None], done)
        with self._lock:
            if self._queue:
                self._writer.submit(self._begin)
                return
            self._busy = False
            self._changed.notify_all()


def joined(group: Sequence[Submission]) -> list[tuple[Stream, pa.RecordBatch]]:
    """The batches of a group, one a stream: streams in the order of Stream, so that a series is declared
    before its samples, and rows within a stream in the order in which they were submitted."""
    by_stream: dict[Stream, list[pa.RecordBatch]] = {}
    for submission in group:
        for stream, rows in submission.batches:
            by_stream.setdefault(stream, []).append(rows)
    return [
        (stream, rows)
        for stream in Stream
        if (batches := by_stream.get(stream))
        for rows in (
            batches if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()
        )
    ]


def answer_all(answers: Sequence[Answer], done: Future[int]) -> None:
    """Pass on what became of an append: to threads at once, to each event loop in one call."""
    error = done.exception()
    offset = done.result() if error is None else 0
    by_loop: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
    for answer in answers:
        if isinstance(answer, asyncio.Future):
            by_loop.setdefault(answer.get_loop(), []).append(answer)
        else:
            _pass_on([answer], offset, error)
    for loop, waiting in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and who waited with it
            loop.call_soon_threadsafe(_pass_on, waiting, offset, error)


def _pass_on(answers: Sequence[Answer], offset: int, error: BaseException | None) -> None:
    for answer in answers:
        if answer.done():
            continue  # cancelled
        if error is None:
            answer.set_result(offset)
        else:
            answer.set_exception(error)
