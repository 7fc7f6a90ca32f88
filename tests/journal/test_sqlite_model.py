"""The SQLite journal beside the simplest model of one: a list of entries and an offset for each consumer."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.contract.journal_rows import everything, letters, numbers, samples
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.errors import JournalFull

CONSUMERS = ("telemetry", "analysis")
BOUND = 60_000  # bytes: a dozen appends


class JournalAndModel(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.open()
        self.entries: list[tuple[int, int]] = []  # offset, number
        self.passed = dict.fromkeys(CONSUMERS, 0)
        self.number = 0

    def open(self) -> None:
        path = Path(self.folder.name) / "journal.db"
        self.journals = [SqliteJournal(path, CONSUMERS, BOUND) for _ in range(2)]  # as two processes would

    @property
    def end(self) -> int:
        return self.entries[-1][0] if self.entries else 0

    @rule(which=st.integers(0, 1), rows=st.lists(st.sampled_from([0, 1, 5, 300]), max_size=4))
    def append(self, which: int, rows: list[int]) -> None:
        journal = self.journals[which]
        self.number += 1
        batches = [(samples if i % 2 else letters)(self.number, n) for i, n in enumerate(rows)]
        entries = sum(n > 0 for n in rows)
        try:
            last = journal.append(batches)
        except JournalFull:
            assert journal.size() + 5_000 * sum(rows) > BOUND  # an entry has less than 5 kB a row
            assert journal.end() == self.end
            return
        assert last == self.end + entries
        self.entries += [(self.end + 1 + i, self.number) for i in range(entries)]

    @rule(which=st.integers(0, 1), back=st.integers(0, 8), max_rows=st.sampled_from([1, 6, 65_536]))
    def read(self, which: int, back: int, max_rows: int) -> None:
        after = max(max(self.passed.values()), self.end - back)
        found = self.journals[which].read(after, max_rows=max_rows)
        wanted = [e for e in self.entries if e[0] > after]
        assert list(zip((e.offset for e in found), numbers(found), strict=True)) == wanted[: len(found)]
        assert bool(found) == bool(wanted)
        assert len(found) <= 1 or sum(e.batch.num_rows for e in found) <= max_rows
        assert self.journals[which].wait(after, 0) == bool(wanted)

    @rule(which=st.integers(0, 1), consumer=st.sampled_from(CONSUMERS), back=st.integers(0, 5))
    def commit(self, which: int, consumer: str, back: int) -> None:
        offset = max(0, self.end - back)
        self.journals[which].commit(consumer, offset)
        self.passed[consumer] = max(self.passed[consumer], offset)

    @rule()
    def open_again(self) -> None:
        self.close()
        self.open()

    def close(self) -> None:
        for journal in self.journals:
            journal.close()

    @invariant()
    def agrees(self) -> None:
        for journal in self.journals:
            assert journal.end() == self.end
            assert {c: journal.committed(c) for c in CONSUMERS} == self.passed
            kept = [e for e in self.entries if e[0] > min(self.passed.values())]
            found = everything(journal)
            assert [(e.offset, n) for e, n in zip(found, numbers(found), strict=True)] == kept
            assert (journal.size() > 0) == bool(kept)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.close()
            self.folder.cleanup()


JournalAndModel.TestCase.settings = settings(max_examples=8, stateful_step_count=30, deadline=None)
TestJournalAndModel = JournalAndModel.TestCase
