"""What every journal promises when several processes use it at once, and when one is killed at any moment."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.journal_appender import APART, ENTRIES
from tests.contract.journal_places import KINDS, place
from tests.contract.journal_rows import Place, everything, numbers
from watchkeeper.model.doors import Entry, Journal

ROUNDS = 15


@pytest.fixture(params=KINDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as where:
        yield where


def start(home: Place, *arguments: object) -> subprocess.Popen[bytes]:
    ledger = home.data / "ledger"
    ledger.touch()
    program = [
        sys.executable,
        "-m",
        "tests.contract.journal_appender",
        home.url,
        home.data,
        ledger,
        *arguments,
    ]
    return subprocess.Popen([str(a) for a in program])


def whole_groups(entries: list[Entry]) -> list[int]:
    """The number of each group, after checking that none is torn."""
    found = numbers(entries)
    groups = [found[i : i + ENTRIES] for i in range(0, len(found), ENTRIES)]
    assert all(len(g) == ENTRIES and len(set(g)) == 1 for g in groups)
    assert all(e.batch.num_rows for e in entries)
    return [g[0] for g in groups]


def consume(journal: Journal, entries: list[Entry]) -> None:
    """Read on from the last entry, and let both consumers pass what was read."""
    after = entries[-1].offset if entries else 0
    journal.wait(after, 0.05)
    entries += journal.read(after, max_rows=10_000)
    if entries:
        journal.commit("telemetry", entries[-1].offset)
        journal.commit("analysis", entries[-1].offset)


def test_several_processes_append_at_once_and_wake_up_a_reader_in_another(home: Place) -> None:
    journal = home.open()
    with start(home, "family", 3, 25) as program:
        assert journal.wait(0, 60)
        assert program.wait(60) == 0
    entries = everything(journal)
    journal.close()
    offsets = [e.offset for e in entries]
    assert offsets == sorted(set(offsets))
    groups = whole_groups(entries)
    for child in range(3):
        assert [g for g in groups if g // APART == child] == [child * APART + i for i in range(25)]


def test_killed_at_any_moment_it_keeps_what_it_acknowledged_once_and_whole(home: Place) -> None:
    journal = home.open()
    entries: list[Entry] = []
    with start(home, "killed", ROUNDS, 1) as program:
        while program.poll() is None:
            consume(journal, entries)
        assert program.returncode == 0
    entries += everything(journal, entries[-1].offset)
    journal.close()

    times = Counter(whole_groups(entries))
    acknowledged = [int(n) for n in (home.data / "ledger").read_text().split()]
    assert len({n // APART for n in acknowledged}) > ROUNDS // 2, "most processes lived to append something"
    assert [n for n in acknowledged if times[n] != 1] == [], "each acknowledged group is there once"
    assert [n for n, seen in times.items() if seen > 1] == [], "and none of the others twice"
