"""The runner goes on: past an entry that no stage can take, and past a journal that takes nothing or does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.runner_parts import alert, running
from tests.support import eventually, rows_of
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream

pytestmark = pytest.mark.django_db(transaction=True)


def in_situations() -> set[str]:
    """Names of alerts that are written as members of a situation."""
    return set(Situation.objects.values_list("memberships__alert__name", flat=True)) - {None}


def test_an_entry_that_fails_costs_none_beside_it_its_situation(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
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
    journal.close()
