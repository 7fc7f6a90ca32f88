"""The journal as one SQLite file that several processes open at once: WAL, synced before append returns.

Not a queue: entries stay until every consumer has passed them. Writes and checkpoints happen under one lock
between processes (see `_write`); readers never wait for it. The statements are in tables.py.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from watchkeeper.journal import tables
from watchkeeper.journal.bell import Bell
from watchkeeper.journal.entries import JournalDamaged, Packed, pack
from watchkeeper.journal.filelock import FileLock
from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import DiskFull, JournalFull, TooLarge
from watchkeeper.model.signals import Stream

T = TypeVar("T")

PAGE = 16 * 1024  # a large payload is written twice as fast as with 4 KiB, a single row as fast
WAL_PAGES = 1024  # 16 MiB between checkpoints
LOCKED_FOR = 10.0  # seconds a writer waits for another process
TRIM_STEPS = 16  # of one commit
FREE_PAGES = 4096  # 64 MiB that the file keeps for the next burst; what is free beyond goes back to the disk
MISSED_RING = 0.5  # seconds after which a waiter looks by itself: who appended may have died before it rang

log = logging.getLogger(__name__)


class SqliteJournal:
    """model.doors.Journal on one file. May be used by many threads; open it anew in a forked process."""

    def __init__(
        self,
        path: Path,
        consumers: tuple[str, ...] = ("telemetry", "analysis"),
        max_bytes: int = 2 * 1024**3,
        spare: int = 64 * 1024**2,
    ) -> None:
        """Open or create the file. `max_bytes` bounds the stored bytes that not every consumer has passed;
        appends leave `spare` bytes of the disk free, which consumers need in order to pass, and so to trim.
        Raises JournalDamaged when the file is something else, DiskFull when it cannot be made."""
        if not consumers:
            raise ValueError("a journal needs at least one consumer, else nothing is ever trimmed")
        self._path = path
        self._max_bytes, self._spare = max_bytes, spare
        self._closed = self._damaged = False
        self._writing = threading.Lock()
        self._pool = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        beside = path.with_name(path.name + ".lock")
        self._between = FileLock(beside, LOCKED_FOR)
        self._bell = Bell(beside)
        self._db = self._connect()
        try:
            with self._between.hold(), tables.meaning():
                self._prepare()
            self._write(lambda db: tables.register(db, consumers))
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=LOCKED_FOR, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        for pragma in (
            f"page_size = {PAGE}",
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            # Debian builds SQLite to overwrite what is deleted; a trim would write all of it again
            "secure_delete = OFF",
            f"wal_autocheckpoint = {WAL_PAGES}",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(tables.SCHEMA)
        elif version != tables.VERSION:
            raise JournalDamaged(f"{self._path} is a journal of version {version}, this is {tables.VERSION}")

    def append(self, batches: Sequence[tuple[Stream, pa.RecordBatch]]) -> int:
        """Append together, all or none; return the last offset once all is synced to disk; with nothing to
        append, the present end. Raises JournalFull, DiskFull, TooLarge (more at once than the journal may
        hold), ValueError (rows of another schema)."""
        entries = pack(batches)
        if not entries:
            return self.end()
        size = sum(e.payload.size for e in entries)
        if size > self._max_bytes:
            raise TooLarge(f"{size} bytes at once, and the journal may hold {self._max_bytes}")
        last = self._write(lambda db: self._insert(db, entries, size))
        self._bell.ring()
        return last

    def _insert(self, db: sqlite3.Connection, entries: Sequence[Packed], size: int) -> int:
        disk = os.statvfs(self._path)
        (pages,) = db.execute("PRAGMA freelist_count").fetchone()
        left = disk.f_bavail * disk.f_frsize + pages * PAGE
        if left < self._spare + size:
            raise DiskFull(f"{left} bytes are left on the disk, and {self._spare} have to stay")
        return tables.insert(db, entries, self._max_bytes)

    def read(self, after: int, *, max_rows: int = 65_536) -> list[Entry]:
        """Entries with an offset over `after`, in order, of at most `max_rows` rows together, but at least
        one if there is any. An entry that is damaged comes as a dead letter at its offset."""
        now_ms = time.time_ns() // 1_000_000
        with self._reading() as db:
            return tables.select(db, after, max_rows, now_ms)

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is an entry after this offset; False when `timeout` seconds have passed or the
        journal is closed. Sleeps without looking, and an append in any process wakes it."""
        deadline = time.monotonic() + timeout
        with self._reading() as db, self._bell.ear() as ear:
            while not self._closed:
                if tables.has_after(db, after):
                    return True
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                ear.listen(min(remaining, MISSED_RING))
        return False

    def committed(self, consumer: str) -> int:
        """The last offset this consumer has said to have passed; 0 at first. Raises ValueError when there is
        no such consumer."""
        with self._reading() as db:
            return tables.committed(db, consumer)

    def commit(self, consumer: str, offset: int) -> None:
        """Say that a consumer has passed an offset; what all consumers passed is trimmed. An offset that it
        had passed before changes nothing. Raises ValueError when there is no such consumer or offset."""
        # Without a sync of its own: a commit that a power cut takes back only makes its consumer read again.
        try:
            more = self._write(lambda db: tables.move(db, consumer, offset) and tables.trim(db), synced=False)
            for _ in range(TRIM_STEPS):
                if not more:
                    return self._give_back()
                more = self._write(tables.trim, synced=False)
        except JournalDamaged as damage:
            if not self._damaged:
                log.error("%s can no longer be trimmed: %s", self._path, damage)
            self._damaged = True
            self._write(lambda db: tables.move(db, consumer, offset), synced=False)

    def end(self) -> int:
        """The last offset there is; 0 when nothing was ever appended."""
        with self._reading() as db:
            return tables.end(db)

    def size(self) -> int:
        """Stored bytes not yet passed by every consumer."""
        with self._reading() as db:
            return tables.waiting(db)

    def copy(self, path: Path) -> int:
        """Write the journal as it is at one moment to a new file, while others append; the offset that "telemetry" had
        passed then. Raises DiskFull."""
        with self._reading() as db, tables.meaning():
            copied = sqlite3.connect(path, isolation_level=None)
            try:
                db.backup(copied)
                return tables.committed(copied, "telemetry")
            finally:
                copied.close()

    def skip(self, offset: int) -> None:
        """Let what is appended next come after this offset: for a journal that is older than what was made of it."""
        self._write(lambda db: tables.skip(db, offset))

    def close(self) -> None:
        """Finish writes and let go of files; who waits returns. Closing twice does no harm."""
        with self._writing, self._pool:
            if self._closed:
                return
            self._closed = True
            for db in (*self._idle, self._db):
                db.close()
            self._between.close()
        self._bell.ring()
        self._bell.close()

    def _write(self, act: Callable[[sqlite3.Connection], T], *, synced: bool = True) -> T:
        """Run `act` in a transaction of its own, with no other writer or checkpoint in any process.

        SQLite before 3.51.3 can lose commits when one connection checkpoints while another starts the WAL
        over (sqlite.org/wal.html, "The WAL-reset bug"). Here both happen under one lock, so they cannot meet.
        """
        with self._exclusive() as db:
            try:
                return self._transact(act, synced)
            except sqlite3.OperationalError as error:
                if not tables.is_full(error):
                    raise
            # No room to grow. If the file has free pages for what the WAL holds, the WAL can start over.
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            return self._transact(act, synced)

    def _transact(self, act: Callable[[sqlite3.Connection], T], synced: bool) -> T:
        self._db.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = act(self._db)
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        return result

    @contextmanager
    def _exclusive(self) -> Iterator[sqlite3.Connection]:
        """The one connection that writes, while nobody else does."""
        with self._writing:
            if self._closed:
                raise JournalFull("the journal is closed", reason="journal_closed")
            with self._between.hold(), tables.meaning():
                yield self._db

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread to read with, kept for the next."""
        with self._pool:
            if self._closed:
                raise JournalFull("the journal is closed", reason="journal_closed")
            db = self._idle.pop() if self._idle else self._connect()
        try:
            with tables.meaning():
                yield db
        finally:
            with self._pool:
                if self._closed:
                    db.close()
                else:
                    self._idle.append(db)

    def _give_back(self) -> None:
        """Once a burst has passed, return a part of the file's free pages to the disk."""
        with self._reading() as db:
            (free,) = db.execute("PRAGMA freelist_count").fetchone()
        if free > FREE_PAGES:
            with self._exclusive() as db:
                # as a script: execute() takes one step, and that frees one page
                db.executescript(f"PRAGMA incremental_vacuum({min(free - FREE_PAGES, WAL_PAGES)})")
