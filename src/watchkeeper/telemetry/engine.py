"""chDB, the ClickHouse engine inside this process, as one writer and a pool of readers over one folder.
It knows statements, settings and formats; it knows nothing of HTTP or of our tables."""

from __future__ import annotations

import atexit
import os
import queue
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from watchkeeper.telemetry import resident

CONFIG = Path(__file__).with_name("engine.xml")
READERS = 4
READ: Final[Mapping[str, str]] = {"max_execution_time": "60", "max_memory_usage": "1500000000"}
WRITE: Final[Mapping[str, str]] = {"max_execution_time": "300", "max_memory_usage": "3000000000"}
DATABASE = "default"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
QUOTED = re.compile(rb"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"", re.S)
_COMMENTS = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*", re.S)
_READS = frozenset(("select", "with", "from", "show", "describe", "desc", "exists", "explain", "values"))


class EngineError(Exception):
    """What ClickHouse says went wrong: its error code, and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @classmethod
    def of(cls, error: Exception) -> EngineError:
        """From chDB's exception, whose text holds `Code: 60. DB::Exception: …`."""
        text = str(error)
        found = re.search(r"Code: (\d+)\.", text)
        # 1002: ClickHouse's UNKNOWN_EXCEPTION
        return cls(int(found[1]), text[found.start() :]) if found else cls(1002, text)


@dataclass(frozen=True)
class Answer:
    """What a statement gave: bytes in the format asked for, and its counts."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed: float = 0.0


@dataclass
class _Connection:
    """A chDB connection, and what was SET and USEd on it, so that only differences are said again."""

    connect: Callable[[], Any]
    base: Mapping[str, str]
    raw: Any = None
    settings: dict[str, str] = field(default_factory=dict)
    database: str = DATABASE

    def prepare(self, settings: Mapping[str, str], database: str) -> None:
        """Open it if it is not, and have exactly these settings and this database."""
        if self.raw is None:
            self.raw = self.connect()
        wanted = {**self.base, **settings}
        for name in [n for n in self.settings if n not in wanted]:
            self.raw.query(f"SET {name} = DEFAULT")
            del self.settings[name]
        for name, value in wanted.items():
            if self.settings.get(name) != value:
                self.raw.query(f"SET {setting_name(name)} = {literal(value)}")
                self.settings[name] = value
        if database != self.database:
            self.raw.query(f"USE {identifier(database)}")
            self.database = database

    def close(self) -> None:
        """Close it; `prepare` opens a new one."""
        if self.raw is not None:
            self.raw.close()
        self.raw, self.settings, self.database = None, {}, DATABASE


class Engine:
    """The engine over `folder`, which one process at a time may open. Inert until `open`."""

    def __init__(self, folder: Path, readers: int = READERS) -> None:
        self.folder = folder
        self._readers: queue.LifoQueue[_Connection] = queue.LifoQueue()
        self._count = readers
        self._writing = threading.Lock()
        self._writer = _Connection(self._connect, WRITE)
        self._anchor: Any = None  # the engine ends with its last connection
        self._errors: tuple[type[Exception], ...] = (RuntimeError,)

    def open(self) -> None:
        """Load chDB (two to four seconds) and open the folder. Raises EngineError when it cannot be
        opened."""
        import chdb  # costs seconds and 200 MB, so only where the engine is wanted

        self._errors = (RuntimeError, chdb.ChdbError)
        if "?" in str(self.folder):
            raise EngineError(36, f"the folder {self.folder} cannot be opened: chDB takes no ? in a path")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._anchor = self._connect()
        except self._errors as error:
            raise EngineError.of(error) from error
        for _ in range(self._count):
            self._readers.put(_Connection(self._connect, READ))
        self.slim()
        atexit.register(self.close)  # an interpreter that ends over an open engine crashes

    def slim(self) -> None:
        """Give back what was used once. It costs a millisecond, and whoever asks next another."""
        resident.drop_program_text("_chdb.abi3.so")

    def close(self, timeout: float = 30.0) -> None:
        """Wait for what runs, at most `timeout` seconds each, and close the folder."""
        atexit.unregister(self.close)
        with self._writing:
            if self._anchor is None:
                return
            self._writer.close()
            try:
                for _ in range(self._count):
                    self._readers.get(timeout=timeout).close()
            except queue.Empty:
                return  # a question that never ends keeps it open; the process ends anyhow
            self._anchor.close()
            self._anchor = None

    def read(
        self, sql: bytes, *, form: str, params: Mapping[str, str], settings: Mapping[str, str],
        database: str, wait: float = 30.0,
    ) -> Answer:  # fmt: skip
        """Run a statement that changes nothing on a reader. Raises EngineError; 202 after `wait` seconds
        in which all readers were busy."""
        try:
            connection = self._readers.get(timeout=wait)
        except queue.Empty:
            raise EngineError(202, "Code: 202. DB::Exception: Too many simultaneous queries. "
                                   "(TOO_MANY_SIMULTANEOUS_QUERIES)") from None  # fmt: skip
        try:
            return self._query(connection, sql, form, params, settings, database)
        finally:
            self._readers.put(connection)

    def write(
        self, sql: bytes, *, form: str, params: Mapping[str, str], settings: Mapping[str, str], database: str
    ) -> Answer:
        """Run any statement on the writer, one after another. Raises EngineError."""
        with self._write_turn() as connection:
            answer = self._query(connection, sql, form, params, settings, database)
            if keyword(sql) in ("set", "use"):  # as over HTTP, it lasts no longer than its request
                connection.close()
            return answer

    def insert(
        self, statement: bytes, form: str, data: memoryview, *, settings: Mapping[str, str], database: str
    ) -> Answer:
        """Run `INSERT INTO table (columns)` on `data` in the input format `form`. It is on disk when this
        returns; with up to a million rows of one partition it is there whole or not at all. Raises EngineError."""
        with self._write_turn() as connection, _as_file(data) as path:
            # Not by chDB's send_insert: that reports success when the disk is full and nothing was inserted.
            target, given = _before_settings(statement)
            sql = b"%s FROM INFILE %s %s FORMAT %s" % (target, literal(path).encode(), given, form.encode())
            return self._query(connection, sql, form, {}, settings, database)

    @contextmanager
    def _write_turn(self) -> Iterator[_Connection]:
        with self._writing:
            if self._anchor is None:
                raise EngineError(210, "Code: 210. DB::Exception: The engine is closed. (NETWORK_ERROR)")
            yield self._writer

    def _query(
        self, connection: _Connection, sql: bytes, form: str, params: Mapping[str, str],
        settings: Mapping[str, str], database: str,
    ) -> Answer:  # fmt: skip
        try:
            connection.prepare(settings, database)
            result = connection.raw.query(sql.decode("utf-8", "surrogateescape"), form, params=dict(params))
        except self._errors as error:
            # What a failed query had to say already would come before the answer to the next one.
            connection.close()
            raise EngineError.of(error) from error
        return Answer(
            result.bytes(), result.rows_read(), result.bytes_read(), result.rows_written(),
            result.bytes_written(), result.elapsed(),
        )  # fmt: skip

    def _connect(self) -> Any:
        import chdb

        # Two packages bring this module, and whichever was installed last decides whether it has types.
        return chdb.connect(  # type: ignore[no-untyped-call, unused-ignore]
            f"{self.folder}?config-file={quote(str(CONFIG))}"
        )


@contextmanager
def _as_file(data: memoryview) -> Iterator[str]:
    """Data under a path that the engine can read: in memory where the system can, else in a temporary file."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("insert"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.name


def _before_settings(statement: bytes) -> tuple[bytes, bytes]:
    """An INSERT in two: up to its SETTINGS clause, and that clause."""
    blanked = QUOTED.sub(lambda m: b"_" * len(m[0]), statement)
    found = re.search(rb"\bSETTINGS\b", blanked, re.I)
    at = found.start() if found else len(statement)
    return statement[:at], statement[at:]


def keyword(sql: bytes) -> str:
    """The first word of a statement in lower case, comments and opening brackets skipped.

    >>> keyword(b"  -- how many\\n (SELECT 1)")
    'select'
    """
    begin = _COMMENTS.match(sql)
    word = re.compile(rb"\w+").match(sql, begin.end() if begin else 0)
    return word[0].decode("ascii", "replace").lower() if word else ""


def reads_only(sql: bytes) -> bool:
    """Whether a statement begins like one that changes nothing."""
    return keyword(sql) in _READS


def setting_name(name: str) -> str:
    """The name of a setting. Raises EngineError when it cannot be one."""
    if not _NAME.match(name):
        raise EngineError(115, f"Code: 115. DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)")
    return name


def literal(value: str) -> str:
    """A string as SQL writes it.

    >>> literal('say "so"')
    '\\'say "so"\\''
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
