"""The runner goes on: past an entry that no stage can take, and past a journal that takes nothing or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.analysis.runner_parts import alert, running
from tests.contract.journal_places import NATS, place
from tests.contract.journal_rows import letters
from tests.support import eventually, rows_of
from tests.telemetry.cut_line import CutLine
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.journal import open_journal, sqlite
from watchkeeper.journal.filelock import FileLock
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import Journal
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.signals import Stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """A small one, which does not wait long for other processes."""
    monkeypatch.setattr(sqlite, "LOCKED_FOR", 0.1)
    with closing(SqliteJournal(tmp_path / "journal.db", max_bytes=50_000)) as made:
        yield made


def in_situations() -> set[str]:
    """Names of alerts that are written as members of a situation."""
    return set(Situation.objects.values_list("memberships__alert__name", flat=True)) - {None}


def put_aside(journal: Journal) -> list[str]:
    """Which entries the dead letters of analysis in the journal are about."""
    letters = rows_of(journal, Stream.DEAD_LETTERS)
    return [x["sender"] for x in letters if x["reason"] == "analysis_failed"]


def test_an_entry_that_fails_costs_none_beside_it_its_situation(journal: Journal, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        journal.append([alert(name)])
    last = journal.end()
    with running(journal, tmp_path, ["b"]) as (runner, run):
        eventually(lambda: journal.committed("analysis") >= last or run.done())
        assert not run.done()
        assert set(Alert.objects.values_list("name", flat=True)) == {"a", "c"}
        assert in_situations() == {"a", "c"}
        assert runner.statistics["put_aside"] == 1
        # What is told again of the one that failed is not a repeat of something that nobody has written.
        journal.append([alert("d")])
        eventually(lambda: in_situations() == {"a", "c", "d"})
    letters = rows_of(journal, Stream.DEAD_LETTERS)
    assert [(x["reason"], x["sender"]) for x in letters] == [
        ("analysis_failed", f"journal offset {last - 1}")
    ]


def test_an_entry_that_fails_while_the_journal_is_full_is_passed_and_told_of_later(
    journal: Journal, tmp_path: Path
) -> None:
    failing = [journal.append([alert("b")]) for _ in range(2)]
    journal.append([alert("c")])
    with pytest.raises(JournalFull):
        while True:
            journal.append([letters(1)])
    with running(journal, tmp_path, ["b"]) as (runner, run):
        eventually(lambda: journal.committed("analysis") == journal.end() or run.done())
        assert not run.done() and in_situations() == {"c"}
        assert runner.statistics["put_aside"] == 2 and put_aside(journal) == []
        journal.commit("telemetry", failing[1])
        eventually(lambda: journal.committed("analysis") == journal.end() > failing[1] and put_aside(journal))
        assert put_aside(journal) == [f"journal offset {offset}" for offset in failing]


def test_a_journal_that_another_process_keeps_locked_is_waited_for(journal: Journal, tmp_path: Path) -> None:
    journal.append([alert("a")])
    other = FileLock(tmp_path / "journal.db.lock", 5.0)
    with running(journal, tmp_path) as (_, run):
        with other.hold():
            eventually(lambda: in_situations() == {"a"} or run.done())
            assert not run.done() and journal.committed("analysis") == 0
        eventually(lambda: journal.committed("analysis") == journal.end())
    other.close()


def test_a_read_that_gets_no_answer_is_asked_for_again(tmp_path: Path) -> None:
    with place("jetstream", tmp_path) as home, CutLine(int(NATS.rpartition(":")[2])) as line:
        url = f"nats://127.0.0.1:{line.port}/{home.url.rpartition('/')[2]}"
        far, near = open_journal(url, tmp_path), home.open()
        with closing(far), closing(near), running(far, tmp_path) as (_, run):
            line.lose = lambda data: b"DIRECT.GET" in data
            near.append([alert("a")])
            eventually(lambda: line.lost or run.done())
            line.lose = lambda _: False
            eventually(lambda: in_situations() == {"a"} or run.done())
            assert not run.done()
