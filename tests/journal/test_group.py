"""Group commit: answered when on disk, few large appends, failures only to those they concern."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.journal_rows import everything, letters, numbers, samples
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.signals import Stream, batch


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on an event loop of its own."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db", max_bytes=3_000_000)
    yield journal
    journal.close()


@pytest.fixture
def group(journal: SqliteJournal) -> Iterator[GroupCommit]:
    group = GroupCommit(journal)
    yield group
    group.close()


def rows_of(journal: SqliteJournal, stream: Stream = Stream.SAMPLES) -> list[int]:
    """The number of every row of a stream, in order."""
    column = "series" if stream == Stream.SAMPLES else "time_ms"
    entries = [e for e in everything(journal) if e.stream == stream]
    return [n for e in entries for n in e.batch.column(column).to_pylist()]


@in_loop
async def test_what_is_answered_is_on_disk(group: GroupCommit, tmp_path: Path) -> None:
    other = SqliteJournal(tmp_path / "journal.db")

    async def client(first: int) -> None:
        for number in range(first, first + 10):
            offset = await group.submit([samples(number, rows=2)])
            assert other.end() >= offset

    await asyncio.gather(*(client(n * 10) for n in range(50)))
    found = rows_of(other)
    assert sorted(found) == sorted([n for n in range(500) for _ in range(2)])
    assert all([n for n in found[::2] if n // 10 == c] == list(range(c * 10, c * 10 + 10)) for c in range(50))
    assert group.counts.written == 1000
    assert group.counts.groups < 250, "many submissions share a sync"
    other.close()


@in_loop
async def test_streams_of_a_group_come_in_their_order(journal: SqliteJournal, group: GroupCommit) -> None:
    series = batch(
        Stream.SERIES, [{"id": 1, "name": "up", "labels": "{}", "kind": "gauge", "unit": "", "door": "test"}]
    )
    await asyncio.gather(
        group.submit([letters(1), samples(1)]),
        group.submit([samples(2), (Stream.SERIES, series)]),
        group.submit([letters(3)]),
    )
    entries = everything(journal)
    assert [e.stream for e in entries] == [Stream.SERIES, Stream.SAMPLES, Stream.DEAD_LETTERS]
    assert rows_of(journal) == [1, 1, 1, 2, 2, 2]
    assert rows_of(journal, Stream.DEAD_LETTERS) == [1, 3]


@in_loop
async def test_a_submission_of_nothing_is_answered(group: GroupCommit) -> None:
    assert await group.submit([]) == 0
    offset = await group.submit([samples(1)])
    assert await group.submit([samples(1, rows=0)]) == offset


@in_loop
async def test_a_mistake_fails_only_who_made_it(journal: SqliteJournal, group: GroupCommit) -> None:
    good = asyncio.create_task(group.submit([samples(1)]))
    with pytest.raises(ValueError, match="schema"):
        await group.submit([(Stream.LOGS, samples(2)[1])])
    await good
    assert rows_of(journal) == [1, 1, 1]


@in_loop
async def test_a_full_journal_fails_those_submissions_and_no_later_ones(
    journal: SqliteJournal, group: GroupCommit
) -> None:
    await group.submit([samples(1, rows=60_000)])
    answers = await asyncio.gather(
        *(group.submit([samples(2, rows=60_000)]) for _ in range(8)), return_exceptions=True
    )
    failed = [a for a in answers if isinstance(a, JournalFull)]
    assert failed and group.counts.failed == 60_000 * len(failed)
    for consumer in ("telemetry", "analysis"):
        journal.commit(consumer, journal.end())
    await group.submit([samples(3)])
    assert rows_of(journal) == [3, 3, 3]


@in_loop
async def test_a_large_group_is_split_between_submissions(journal: SqliteJournal) -> None:
    group = GroupCommit(journal, max_rows=100)
    offsets = await asyncio.gather(*(group.submit([samples(n, rows=40)]) for n in range(10)))
    assert len(set(offsets)) >= 5
    assert [e.batch.num_rows for e in everything(journal)] == [80] * 5
    assert (
        len(set(await asyncio.gather(group.submit([samples(1, rows=500)]), group.submit([samples(2)])))) == 2
    )
    group.close()


@in_loop
async def test_who_goes_away_does_not_stop_the_others(journal: SqliteJournal, group: GroupCommit) -> None:
    tasks = [asyncio.create_task(group.submit([samples(n)])) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[3], asyncio.CancelledError)
    assert all(isinstance(a, int) for i, a in enumerate(answers) if i != 3)
    assert sorted(set(rows_of(journal))) == list(range(10))


def test_threads_and_loops_together(journal: SqliteJournal, group: GroupCommit) -> None:
    async def submit(first: int) -> None:
        await asyncio.gather(*(group.submit([samples(n)]) for n in range(first, first + 20)))

    def block(first: int) -> None:
        for n in range(first, first + 20):
            assert group.submit_blocking([samples(n)]) <= journal.end()

    threads = [threading.Thread(target=block, args=(n * 100,)) for n in range(3)]
    threads += [threading.Thread(target=lambda n=n: asyncio.run(submit(n * 100))) for n in range(3, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rows_of(journal)[::3]) == [n * 100 + i for n in range(6) for i in range(20)]
    with pytest.raises(ValueError, match="schema"):
        group.submit_blocking([(Stream.LOGS, samples(2)[1])])


def test_datagrams_are_gathered(journal: SqliteJournal) -> None:
    group = GroupCommit(journal, max_delay=30)
    assert all(group.submit_nowait([samples(n)]) for n in range(100))
    assert journal.end() == 0, "nobody waits, so there is time"
    group.submit_blocking([samples(100)])
    assert len(everything(journal)) == 1
    assert all(group.submit_nowait([samples(n, rows=10_000)]) for n in range(6))
    assert not journal.wait(journal.end(), 0.2)
    assert group.submit_nowait([samples(7, rows=10_000)])
    assert journal.wait(1, 20), "a full group waits no longer"
    group.close()


def test_datagrams_wait_no_longer_than_they_may(journal: SqliteJournal) -> None:
    group = GroupCommit(journal, max_delay=0.05)
    group.submit_nowait([samples(1)])
    assert journal.wait(0, 20)
    group.close()


def test_too_much_at_once_is_refused_and_counted(journal: SqliteJournal) -> None:
    group = GroupCommit(journal, max_delay=30, max_waiting=100_000)
    taken = [group.submit_nowait([samples(n, rows=1000)]) for n in range(10)]
    assert taken == [True] * 4 + [False] * 6
    assert group.counts.refused == 6000
    with pytest.raises(JournalFull) as refusal:
        group.submit_blocking([samples(1, rows=1000)])
    assert refusal.value.reason == "journal_behind"
    group.close()
    assert rows_of(journal)[::1000] == [0, 1, 2, 3]


def test_closing_writes_what_waits_and_refuses_what_comes_later(journal: SqliteJournal) -> None:
    group = GroupCommit(journal, max_delay=30)
    assert group.submit_nowait([samples(1)])
    group.close()
    assert numbers(everything(journal)) == [1]
    assert not group.submit_nowait([samples(2)])
    with pytest.raises(JournalFull) as refusal:
        group.submit_blocking([samples(2)])
    assert refusal.value.reason == "closing"
    group.close()


@in_loop
async def test_closing_from_the_loop_that_has_just_submitted(journal: SqliteJournal) -> None:
    group = GroupCommit(journal)
    task = asyncio.create_task(group.submit([samples(1)]))
    await asyncio.sleep(0)
    group.close()
    assert await task == journal.end()
