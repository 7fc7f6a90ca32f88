"""Rebuilds a journal's file whose pages are damaged: `python -m watchkeeper.journal.mend var/journal.db`.

Only while nothing has it open. Offsets and consumers stay as they were; the old file is kept beside it.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from watchkeeper.journal import tables
from watchkeeper.journal.sqlite import SqliteJournal

_UNREADABLE = ("", 0, -1)  # stream, rows and a checksum that nothing has: read as a dead letter


def mend(path: Path) -> tuple[int, int]:
    """Copy what can be read to a new file in the same place; return how many entries were kept, how many lost.
    A lost one is still told to consumers, as a dead letter at its offset. Raises JournalFull (journal_locked)
    when the journal is in use, JournalDamaged when not even its consumers can be read."""
    fresh = path.with_name(path.name + ".mended")
    fresh.unlink(missing_ok=True)
    with tables.meaning():
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as old:
            old.execute("PRAGMA locking_mode = EXCLUSIVE")
            tail = old.execute("SELECT offset, bytes FROM tail").fetchone()
            consumers = old.execute("SELECT name, offset, bytes FROM consumers").fetchall()
            SqliteJournal(fresh, tuple(name for name, _, _ in consumers)).close()
            with closing(sqlite3.connect(fresh)) as new, new:
                first = min(offset for _, offset, _ in consumers) + 1
                lost = sum(_copy(old, new, offset) for offset in range(first, tail[0] + 1))
                new.execute("UPDATE tail SET offset = ?, bytes = ?", tail)
                new.executemany("REPLACE INTO consumers VALUES (?, ?, ?)", consumers)
        for suffix in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                beside.rename(path.with_name(path.name + ".damaged" + suffix))
        fresh.rename(path)
        path.with_name(fresh.name + ".lock").unlink()
    return tail[0] + 1 - first - lost, lost


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, offset: int) -> bool:
    """Copy one entry; True when it is lost."""
    lost = False
    try:
        query = "SELECT offset, stream, rows, checksum, bytes, payload FROM entries WHERE offset = ?"
        row = old.execute(query, (offset,)).fetchone()
    except sqlite3.DatabaseError as error:
        if not tables.is_damage(error):
            raise
        row = None
    if row is None:
        lost = True
        row = (offset, *_UNREADABLE, 0, b"")
    new.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
    return lost


if __name__ == "__main__":
    kept, gone = mend(Path(sys.argv[1]))
    sys.stdout.write(f"{kept} entries kept, {gone} lost\n")
