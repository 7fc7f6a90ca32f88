"""Marks of groups rise with the journal's offsets, however far those go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.journal_places import place
from tests.journal.test_jetstream_offsets import begin_as_earlier, name_of
from tests.telemetry.signals import carry, many_samples, now_ms
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.telemetry.ledger import Ledger, beyond
from watchkeeper.telemetry.rollups import Rollups, covered_up_to
from watchkeeper.telemetry.store import Store, TelemetryError


def last_offset(sequence: int) -> int:
    """Of the group that this message of a stream completes, as earlier versions counted."""
    return (sequence + 1) * 65_536 - 1


def test_marks_rise_where_offsets_need_more_than_forty_bits(store: Store) -> None:
    ledger = Ledger(store)
    ledger.open(0)
    around = [last_offset(s) for s in range(2**24 - 3, 2**24 + 3)] + [last_offset(2**31)]
    marks = [ledger.mark(o) for o in around]
    assert marks == sorted(set(marks))
    positions = [ledger.position(o) for o in around]
    assert positions == sorted(set(positions)) and positions[-1] < 2**64
    for offset, mark in zip(around[:-1], marks[1:], strict=True):
        low, high = beyond(ledger.number, offset)
        assert low < mark < high


def test_offsets_that_no_mark_can_tell_are_refused(store: Store) -> None:
    ledger = Ledger(store)
    ledger.open(0)
    assert ledger.position(2**48 - 2**40 - 1) + 0xFFFF == 2**64 - 1
    with pytest.raises(TelemetryError, match="marks"):
        ledger.mark(2**48 - 2**40)


def test_a_stream_is_stored_once_and_rolled_up_past_forty_bits(store: Store, tmp_path: Path) -> None:
    with place("jetstream", tmp_path) as home:
        stood = last_offset(2**24 - 3)
        asyncio.run(begin_as_earlier(name_of(home), 2**24 - 3, {"telemetry": stood, "analysis": stood}))
        for n in range(5):  # each with a journal and a consumer that are started anew
            journal = home.open()
            journal.append([many_samples(n * 10, 10, now_ms())])
            carry(journal, store)
            rollups, ledger = Rollups(store), Ledger(store)
            ledger.open(journal.end())
            assert ledger.number == 1
            rollups.look(ledger.mark(journal.end()))
            while rollups.step():
                pass
            assert covered_up_to(store) == ledger.mark(journal.end())
            journal.close()
    found = store.rows("SELECT count() AS n, uniqExact(series) AS u, uniqExact(batch) AS b FROM samples")
    assert found == [{"n": 50, "u": 50, "b": 5}]
    rolled = store.rows("SELECT uniqExact(series) AS n FROM samples_5m")
    assert rolled == [{"n": 50}]


def test_a_journal_after_one_that_went_past_forty_bits_has_marks_of_its_own(
    store: Store, tmp_path: Path
) -> None:
    offsets: list[int] = []
    for name, begins in (("first", 3 * 2**40), ("second", 0)):
        journal = SqliteJournal(tmp_path / f"{name}.db")
        journal.skip(begins)
        offsets.append(journal.append([many_samples(begins, 10, now_ms())]))
        carry(journal, store)
        journal.close()
    ledger = Ledger(store)
    ledger.open(offsets[1])
    low = store.rows("SELECT min(batch) AS low, max(batch) AS high FROM samples")[0]
    assert low["low"] == (1 << 40) + offsets[0] < low["high"] == ledger.mark(offsets[1])
