"""The journal's tables in SQLite: the statements, each run within a transaction or snapshot of SqliteJournal,
and what SQLite's errors mean here. No connection, lock or file is opened in this module."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from watchkeeper.journal.entries import READ_BYTES, JournalDamaged, Packed, dead_letter, unpack
from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import DiskFull, JournalFull

VERSION = 1
TRIM_BYTES = 16 * 1024**2  # of one step, which holds the lock for some milliseconds
TRIM_ENTRIES = 512

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE entries (
    offset INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    rows INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes INTEGER NOT NULL,     -- all payload ever appended up to and with this entry
    payload BLOB NOT NULL
);
CREATE TABLE consumers (name TEXT PRIMARY KEY, offset INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
-- one row; keeps offsets rising when everything has been trimmed
CREATE TABLE tail (offset INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO tail VALUES (0, 0);
PRAGMA user_version = {VERSION};
COMMIT;
"""

_ENTRY = "SELECT offset, stream, rows, checksum, payload FROM entries"
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk would not take what was written: it is full, failing or read-only."""
    return _code(error) in _FULL


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is not as SQLite left it."""
    return _code(error) in _DAMAGE


@contextmanager
def meaning() -> Iterator[None]:
    """Raise SQLite's errors as ours: DiskFull, JournalFull (locked by another process), JournalDamaged."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in _FULL:
            reason = "disk_full" if code == sqlite3.SQLITE_FULL else "disk_error"
            raise DiskFull(f"the disk under the journal does not take it: {error}", reason=reason) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise JournalFull(f"the journal is locked: {error}", reason="journal_locked") from error
        if code in _DAMAGE:
            raise JournalDamaged(f"the journal's file is damaged: {error}") from error
        raise


def insert(db: sqlite3.Connection, entries: Sequence[Packed], max_bytes: int) -> int:
    """Add entries at the end and return the last offset. Raises JournalFull past `max_bytes` unpassed."""
    end, total, passed = db.execute(
        "SELECT offset, bytes, (SELECT min(bytes) FROM consumers) FROM tail"
    ).fetchone()
    waiting = total - passed
    if waiting + sum(e.payload.size for e in entries) > max_bytes:
        raise JournalFull(f"{waiting} bytes wait for consumers, and the bound is {max_bytes}")
    for entry in entries:
        end += 1
        total += entry.payload.size
        db.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)",
            (end, entry.stream, entry.rows, entry.checksum, total, entry.payload),
        )
    db.execute("UPDATE tail SET offset = ?, bytes = ?", (end, total))
    return int(end)


def end(db: sqlite3.Connection) -> int:
    """The last offset there is."""
    return int(db.execute("SELECT offset FROM tail").fetchone()[0])


def skip(db: sqlite3.Connection, offset: int) -> None:
    """Go on after this offset, if the end lies before it."""
    db.execute("UPDATE tail SET offset = max(offset, ?)", (offset,))


def waiting(db: sqlite3.Connection) -> int:
    """Bytes of payload that not every consumer has passed."""
    return int(db.execute("SELECT bytes - (SELECT min(bytes) FROM consumers) FROM tail").fetchone()[0])


def has_after(db: sqlite3.Connection, after: int) -> bool:
    """Whether there is an entry to read past this offset."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM entries WHERE offset > ?)", (after,)).fetchone()[0])


def select(db: sqlite3.Connection, after: int, max_rows: int, now_ms: int) -> list[Entry]:
    """Entries past an offset, within the limits but at least one if there is any; a damaged one as a dead
    letter."""
    entries: list[Entry] = []
    size = 0
    within = f"{_ENTRY} WHERE offset > ? AND offset <= ? ORDER BY offset"
    try:
        with closing(db.execute(within, (after, _span(db, after, max_rows)))) as found:
            while size < READ_BYTES and (row := found.fetchone()):
                entries.append(unpack(now_ms, *row))
                size += entries[-1].batch.nbytes
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return entries or _first_readable(db, after, now_ms)
    return entries


def _span(db: sqlite3.Connection, after: int, max_rows: int) -> int:
    """The last offset of so many rows. Looks at their numbers only, so that no payload is loaded in vain."""
    last, left = after, max_rows
    query = "SELECT offset, rows FROM entries WHERE offset > ? ORDER BY offset"
    for offset, rows in db.execute(query, (after,)):
        left -= rows
        if last > after and left < 0:
            break
        last = offset
    return last


def _first_readable(db: sqlite3.Connection, after: int, now_ms: int) -> list[Entry]:
    """In a damaged part of the file: one offset at a time, each lost one as a dead letter, up to and with the
    first that can be read."""
    entries: list[Entry] = []
    for offset in range(after + 1, end(db) + 1):
        try:
            row = db.execute(f"{_ENTRY} WHERE offset = ?", (offset,)).fetchone()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            entries.append(dead_letter(offset, "", 0, str(error), b"", now_ms))
            continue
        if row is not None:
            return [*entries, unpack(now_ms, *row)]
    return entries


def register(db: sqlite3.Connection, consumers: Sequence[str]) -> None:
    """Make consumers known. A new one begins where the slowest known one is: what lies before may be gone."""
    start = db.execute("SELECT offset, bytes FROM consumers ORDER BY offset LIMIT 1").fetchone() or (0, 0)
    for name in consumers:
        db.execute("INSERT INTO consumers VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (name, *start))


def committed(db: sqlite3.Connection, consumer: str) -> int:
    """The offset a consumer has passed. Raises ValueError when there is no such consumer."""
    row = db.execute("SELECT offset FROM consumers WHERE name = ?", (consumer,)).fetchone()
    if row is None:
        raise ValueError(f"the journal has no consumer {consumer!r}")
    return int(row[0])


def move(db: sqlite3.Connection, consumer: str, offset: int) -> bool:
    """Let a consumer pass an offset, never back; True when that is news. Raises ValueError: no such
    consumer, or nothing was ever appended there."""
    if offset > end(db):
        raise ValueError(f"{consumer} cannot have passed {offset}: the journal ends at {end(db)}")
    if offset <= committed(db, consumer):
        return False
    passed = (
        "SELECT max(bytes) FROM (SELECT bytes FROM entries WHERE offset <= ? ORDER BY offset DESC LIMIT 1)"
    )
    try:
        (total,) = db.execute(passed, (offset,)).fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        total = None  # it counts as waiting until the next commit in a sound part of the file
    db.execute(
        "UPDATE consumers SET offset = ?, bytes = max(bytes, ?) WHERE name = ?",
        (offset, total or 0, consumer),
    )
    return True


def trim(db: sqlite3.Connection) -> bool:
    """Delete some of what every consumer has passed; True when there is more of it. What is damaged stays
    where it is, and what is sound around it goes."""
    query = (
        "SELECT offset, bytes FROM entries WHERE offset <= (SELECT min(offset) FROM consumers)"
        " ORDER BY offset LIMIT ?"
    )
    try:
        found = db.execute(query, (TRIM_ENTRIES,)).fetchall()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return False
    step = [offset for offset, total in found if total <= found[0][1] + TRIM_BYTES]
    if step and not _deleted(db, step[0], step[-1]):
        for offset in step:
            _deleted(db, offset, offset)
        return False
    return len(found) == TRIM_ENTRIES or len(step) < len(found)


def _deleted(db: sqlite3.Connection, first: int, last: int) -> bool:
    """Delete these offsets, both included; False, and none deleted, when the file is damaged there."""
    db.execute("SAVEPOINT trim")
    try:
        db.execute("DELETE FROM entries WHERE offset BETWEEN ? AND ?", (first, last))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        db.execute("ROLLBACK TO trim")
        return False
    db.execute("RELEASE trim")
    return True
