"""A damaged entry becomes a dead letter at its place; consumers go on, and what is sound is trimmed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import nats
import pytest

from tests.contract.journal_places import NATS, place
from tests.contract.journal_rows import everything, letters, numbers, samples
from watchkeeper.journal.entries import JournalDamaged
from watchkeeper.journal.mend import mend
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.signals import Stream


def lost(entries: Sequence[Entry]) -> list[int]:
    """Offsets of the entries that came as dead letters of the journal's own."""
    return [
        e.offset
        for e in entries
        if e.stream == Stream.DEAD_LETTERS and e.batch.column("reason")[0].as_py() == "damaged_entry"
    ]


def pass_all(journal: SqliteJournal) -> None:
    for consumer in ("telemetry", "analysis"):
        journal.commit(consumer, journal.end())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET payload = zeroblob(length(payload)) WHERE offset = 2",
        "UPDATE entries SET payload = substr(payload, 1, 100) WHERE offset = 2",
        "UPDATE entries SET payload = x'', checksum = 0 WHERE offset = 2",
        "UPDATE entries SET stream = 'from the future' WHERE offset = 2",
    ],
)
def test_an_entry_that_says_nothing_sensible(tmp_path: Path, damage: str) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    for n in range(1, 4):
        journal.append([samples(n)])
    db = sqlite3.connect(tmp_path / "journal.db")
    with db:
        db.execute(damage)
    db.close()
    entries = everything(journal)
    assert [e.offset for e in entries] == [1, 2, 3]
    assert lost(entries) == [2]
    assert "entry 2" in entries[1].batch.column("detail")[0].as_py()
    assert numbers([entries[0], entries[2]]) == [1, 3]
    pass_all(journal)
    assert journal.read(0) == [] and journal.size() == 0
    journal.close()


def overwritten(file: Path, share: float) -> None:
    """A journal of 400 entries, sixteen pages of it overwritten somewhere, as a failing disk may do."""
    journal = SqliteJournal(file)
    every = range(1, 201)
    journal.append([e for n in every for e in (samples(n, 20_000 if n % 4 == 0 else 200), letters(n))])
    journal.close()
    with file.open("r+b") as f:
        f.seek(int(file.stat().st_size * share) // 16384 * 16384)
        f.write(b"\xa5" * 16 * 16384)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_part_of_the_file_that_is_overwritten(tmp_path: Path, share: float) -> None:
    """Whatever it held is told as lost, everything else is read, and new entries come and go."""
    file = tmp_path / "journal.db"
    overwritten(file, share)
    journal = SqliteJournal(file)
    entries = everything(journal)
    assert [e.offset for e in entries] == list(range(1, 401)), "each offset is there, sound or lost"
    sound = [e for e in entries if e.offset not in lost(entries)]
    assert 200 < len(sound) < 400
    assert numbers(sound) == [(e.offset + 1) // 2 for e in sound]

    pass_all(journal)
    last = journal.append([samples(7)])
    assert numbers(journal.read(400)) == [7]
    pass_all(journal)
    assert journal.committed("analysis") == last
    assert journal.read(last) == []
    journal.close()


def test_mending_keeps_offsets_consumers_and_what_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    overwritten(file, 0.5)
    journal = SqliteJournal(file)
    journal.commit("telemetry", 20)
    journal.commit("analysis", 10)
    before = everything(journal, 10)
    with pytest.raises(JournalFull) as refusal:
        mend(file)
    assert refusal.value.reason == "journal_locked"
    journal.close()

    assert mend(file) == (390 - len(lost(before)), len(lost(before)))
    journal = SqliteJournal(file)
    after = everything(journal, 10)
    assert [e.offset for e in after] == [e.offset for e in before]
    assert lost(after) == lost(before)
    sound = [e for e in after if e.offset not in lost(after)]
    assert numbers(sound) == [(e.offset + 1) // 2 for e in sound]
    assert (journal.committed("telemetry"), journal.committed("analysis")) == (20, 10)
    assert journal.append([samples(7)]) == 401
    pass_all(journal)
    assert journal.size() == 0 and journal.read(0) == []
    journal.close()
    assert (tmp_path / "journal.db.damaged").exists()
    assert not (tmp_path / "journal.db.mended").exists()


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"something else altogether " * 1000)
    with pytest.raises(JournalDamaged) as damaged:
        SqliteJournal(tmp_path / "journal.db")
    assert damaged.value.status == 503


def test_a_journal_of_another_version(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "journal.db").close()
    db = sqlite3.connect(tmp_path / "journal.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalDamaged, match="version 99"):
        SqliteJournal(tmp_path / "journal.db")


def test_messages_that_are_no_groups(tmp_path: Path) -> None:
    """In JetStream: what somebody else published on the stream's subjects, and a group that lost a part."""
    with place("jetstream", tmp_path) as where:
        journal = where.open()
        name = where.url.rpartition("/")[2].partition("?")[0]
        first = journal.append([samples(1)])
        journal.append([samples(2, rows=65_536), samples(2, rows=65_536)])  # in parts
        asyncio.run(_meddle(name))
        last = journal.append([samples(3)])
        entries = everything(journal)
        assert numbers([entries[0], entries[-1]]) == [1, 3]
        assert (entries[0].offset, entries[-1].offset) == (first, last)
        assert len(lost(entries)) == len(entries) - 2 == 2
        for consumer in ("telemetry", "analysis"):
            journal.commit(consumer, last)
        assert journal.read(0) == [] and journal.size() == 0
        journal.close()


async def _meddle(name: str) -> None:
    client = await nats.connect(NATS)
    stream = client.jetstream()
    await stream.publish(f"{name}.group", b"\x00 not a group", headers={"Watchkeeper-Parts": "1"})
    await stream.publish(f"{name}.part", b"the begin of a group whose writer died")
    await stream.publish(f"{name}.group", b"with no headers")
    await stream.delete_msg(name, 2)
    await client.close()
