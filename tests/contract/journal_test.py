"""What every journal promises, whatever it stands on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.contract.journal_places import KINDS, place
from tests.contract.journal_rows import Place, everything, letters, numbers, samples
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import JournalFull, TooLarge
from watchkeeper.model.signals import SCHEMAS, Stream, batch

SMALL = 400_000  # bytes, where the bound matters


@pytest.fixture(params=KINDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as where:
        yield where


@pytest.fixture(params=KINDS)
def small_home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path, SMALL) as where:
        yield where


@pytest.fixture
def journal(home: Place) -> Iterator[Journal]:
    journal = home.open()
    yield journal
    journal.close()


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert (journal.end(), journal.size(), journal.read(0)) == (0, 0, [])
    assert journal.committed("telemetry") == 0
    assert journal.append([]) == 0
    assert journal.append([samples(1, rows=0)]) == 0


def test_entries_come_back_as_they_went_in_and_in_order(journal: Journal) -> None:
    every = [
        (stream, pa.RecordBatch.from_pylist([_row(stream, i) for i in range(3)], schema=SCHEMAS[stream]))
        for stream in Stream
    ]
    last = journal.append(every)
    entries = journal.read(0)
    assert [e.stream for e in entries] == list(Stream)
    assert all(e.batch.equals(rows) for e, (_, rows) in zip(entries, every, strict=True))
    offsets = [e.offset for e in entries]
    assert offsets == sorted(set(offsets)) and offsets[0] > 0
    assert offsets[-1] == last == journal.end()


def _row(stream: Stream, i: int) -> dict[str, object]:
    values: dict[pa.DataType, object] = {
        pa.string(): f"naïve {i}",
        pa.binary(): bytes([i, 255]),
        pa.float64(): i / 3,
    }
    return {f.name: values.get(f.type, i) for f in SCHEMAS[stream]}


def test_a_large_append_stays_whole_and_in_order(journal: Journal) -> None:
    """Larger than one entry, and than one message of a server."""
    stream, rows = samples(7, rows=200_000)
    before = journal.append([samples(6)])
    last = journal.append([(stream, rows), samples(8)])
    entries = everything(journal, before)
    assert max(e.batch.num_rows for e in entries) <= 65_536
    assert pa.Table.from_batches([e.batch for e in entries[:-1]]).combine_chunks().equals(pa.table(rows))
    assert numbers(entries[-1:]) == [8]
    middle = entries[1].offset
    assert [e.offset for e in everything(journal, middle)] == [e.offset for e in entries if e.offset > middle]
    assert entries[-1].offset == last


def test_rows_of_another_schema_are_refused(journal: Journal) -> None:
    _, wrong = letters(1)
    with pytest.raises(ValueError, match="schema"):
        journal.append([samples(1), (Stream.LOGS, wrong)])
    assert journal.end() == 0


def test_a_read_keeps_to_its_limit_but_gives_at_least_one(journal: Journal) -> None:
    journal.append([samples(n, rows=10) for n in range(5)])
    assert numbers(journal.read(0, max_rows=1)) == [0]
    assert numbers(journal.read(0, max_rows=25)) == [0, 1]
    assert numbers(journal.read(0, max_rows=30)) == [0, 1, 2]
    assert numbers(everything(journal, max_rows=1)) == [0, 1, 2, 3, 4]


def test_a_read_is_bounded_by_what_it_comes_to_unpacked(journal: Journal) -> None:
    """Rows that repeat take hundreds of times less in the journal than in a reader's memory."""
    row = {"time_ms": 1, "door": "", "sender": "", "reason": "", "detail": "", "payload": b"=" * 4000}
    stream, rows = Stream.DEAD_LETTERS, batch(Stream.DEAD_LETTERS, [row] * 4000)
    for n in range(4):
        last = journal.append([(stream, rows)] * 3 + [samples(n)])
    assert journal.size() < rows.nbytes
    first = journal.read(0)
    assert 32 * 2**20 < sum(e.batch.nbytes for e in first) < 64 * 2**20 + rows.nbytes
    entries = everything(journal)
    assert [e.batch.num_rows for e in entries] == [4000, 4000, 4000, 3] * 4 and entries[-1].offset == last


def test_reading_changes_nothing(journal: Journal) -> None:
    journal.append([samples(1), letters(2)])
    assert numbers(journal.read(0)) == numbers(journal.read(0)) == [1, 2]


def test_offsets_rise_after_trimming_and_opening_again(home: Place) -> None:
    seen = [0]
    for n in range(4):
        journal = home.open()
        assert journal.end() == seen[-1]
        seen.append(journal.append([samples(n), letters(n)]))
        for consumer in ("telemetry", "analysis"):
            journal.commit(consumer, seen[-1])
        assert journal.read(0) == [] and journal.size() == 0
        assert journal.end() == seen[-1]
        journal.close()
    assert seen == sorted(set(seen))


def test_consumers_do_not_know_of_each_other(home: Place) -> None:
    journal = home.open()
    offsets = [journal.append([samples(n)]) for n in range(3)]
    journal.commit("telemetry", offsets[2])
    journal.commit("analysis", offsets[0])
    journal.close()
    journal = home.open()
    assert [journal.committed(c) for c in ("telemetry", "analysis")] == [offsets[2], offsets[0]]
    assert numbers(journal.read(journal.committed("analysis"))) == [1, 2], (
        "the slower one still finds its entries"
    )
    assert journal.read(journal.committed("telemetry")) == []
    assert journal.size() > 0
    journal.commit("analysis", offsets[2])
    assert journal.size() == 0
    journal.close()


def test_a_consumer_never_goes_back_and_never_beyond_the_end(journal: Journal) -> None:
    first, second = (journal.append([samples(n)]) for n in range(2))
    journal.commit("analysis", second)
    journal.commit("analysis", first)
    assert journal.committed("analysis") == second
    with pytest.raises(ValueError, match="ends at"):
        journal.commit("telemetry", second + 1)
    for ask in (lambda: journal.committed("nobody"), lambda: journal.commit("nobody", first)):
        with pytest.raises(ValueError, match="nobody"):
            ask()


def test_passing_a_part_of_a_group_keeps_the_rest_of_it(journal: Journal) -> None:
    journal.append([samples(n, rows=65_536) for n in range(5)])
    entries = everything(journal)
    for consumer in ("telemetry", "analysis"):
        journal.commit(consumer, entries[1].offset)
    assert numbers(everything(journal, entries[1].offset)) == [2, 3, 4]


def test_a_consumer_that_comes_later_begins_with_what_is_still_there(home: Place) -> None:
    journal = home.open()
    passed, _ = (journal.append([samples(n)]) for n in range(2))
    for consumer in ("telemetry", "analysis"):
        journal.commit(consumer, passed)
    journal.close()
    journal = home.open(("telemetry", "analysis", "archive"))
    assert numbers(journal.read(journal.committed("archive"))) == [1]
    assert journal.size() < SMALL
    journal.close()


def test_at_its_bound_it_refuses_and_goes_on_once_consumers_have_passed(small_home: Place) -> None:
    journal = small_home.open()
    appended: list[int] = []
    offsets: list[int] = []
    with pytest.raises(JournalFull) as refusal:
        for n in range(1000):
            offsets.append(journal.append([samples(n, rows=1000), letters(n)]))
            appended.append(n)
    assert (refusal.value.status, refusal.value.reason) == (503, "journal_full")
    assert 0 < journal.size() <= SMALL
    assert numbers(everything(journal)) == [n for n in appended for _ in range(2)], (
        "nothing of the refused one"
    )
    journal.commit("telemetry", offsets[-1])
    with pytest.raises(JournalFull):
        journal.append([samples(0, rows=1000), letters(0)])
    journal.commit("analysis", offsets[len(offsets) // 2])
    last = journal.append([samples(9999, rows=1000)])
    assert numbers(journal.read(offsets[-1])) == [9999]
    assert last > offsets[-1]
    journal.close()


def test_more_than_fits_at_all_is_refused_for_good(small_home: Place) -> None:
    journal = small_home.open()
    with pytest.raises((TooLarge, JournalFull)):
        journal.append([samples(n, rows=65_536) for n in range(3)])
    assert journal.read(0) == []
    journal.append([samples(1)])
    assert numbers(journal.read(0)) == [1]
    journal.close()


def test_waiting_ends_with_an_append_or_with_its_time(journal: Journal) -> None:
    assert not journal.wait(0, 0.05)
    thread = threading.Timer(0.1, lambda: journal.append([samples(1)]))
    thread.start()
    assert journal.wait(0, 30)
    thread.join()
    assert journal.wait(0, 0)
    assert not journal.wait(journal.end(), 0.05)


def test_who_waits_returns_when_the_journal_is_closed(home: Place) -> None:
    journal = home.open()
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(journal.wait(0, 30)))
    thread.start()
    time.sleep(0.1)
    journal.close()
    thread.join(10)
    assert results == [False]
    with pytest.raises(JournalFull) as refusal:
        journal.append([samples(1)])
    assert refusal.value.reason == "journal_closed"
    journal.close()


def test_many_threads_append_and_read_at_once(journal: Journal) -> None:
    def append(thread: int) -> None:
        for i in range(20):
            journal.append([samples(thread * 100 + i), letters(thread * 100 + i)])

    def read(seen: list[int]) -> None:
        after = 0
        while len(seen) < 160 and journal.wait(after, 30):
            entries = journal.read(after, max_rows=50)
            seen += numbers(entries)
            after = entries[-1].offset

    seen: list[list[int]] = [[], []]
    threads = [threading.Thread(target=append, args=(n,)) for n in range(4)]
    threads += [threading.Thread(target=read, args=(s,)) for s in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0] == seen[1]
    assert seen[0][::2] == seen[0][1::2], "a group is never torn apart by another"
    for n in range(4):
        assert [x for x in seen[0][::2] if x // 100 == n] == [n * 100 + i for i in range(20)]


def test_the_clock_may_jump(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    real, jumps = time.time_ns, iter([0, 10**18, -(10**18), 10**15] * 1000)
    monkeypatch.setattr(time, "time_ns", lambda: real() + next(jumps))
    monkeypatch.setattr(time, "time", lambda: (real() + next(jumps)) / 1e9)
    offsets = [journal.append([samples(n)]) for n in range(10)]
    assert offsets == sorted(set(offsets))
    assert journal.wait(offsets[-2], 5) and not journal.wait(offsets[-1], 0.05)
    assert numbers(everything(journal, max_rows=1)) == list(range(10))
    for consumer in ("telemetry", "analysis"):
        journal.commit(consumer, offsets[4])
    assert numbers(everything(journal, offsets[4])) == list(range(5, 10))


def test_rows_that_pass_through_batch_fit(journal: Journal) -> None:
    journal.append([(Stream.ACTS, batch(Stream.ACTS, [{"time_ms": 1, "document": b"{}"}]))])
    assert journal.read(0)[0].batch.to_pylist() == [{"time_ms": 1, "document": b"{}"}]
