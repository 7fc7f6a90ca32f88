"""Telemetry as the rest of the platform sees it: SQL in, Arrow out, over HTTP to a ClickHouse endpoint,
ours or a cluster's. It knows connections, errors and limits; what the tables mean is in schema/,
consumer.py and queries/."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3.exceptions import HTTPError

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.telemetry import migrations

INSERT_LIMIT = 120.0  # seconds
# One session runs one statement at a time, also when its client was killed: so what is said in it after an
# insert of which nothing was heard is answered only when that insert is over.
_SESSION = "watchkeeper-writer"
_SESSION_LOCKED = 373
_TIMED_OUT = frozenset((159, 160, 209))
# No room, no turn, no memory, no disk, no connection: another time it may do.
_PASSING = frozenset(
    (0, 74, 75, 76, 202, 210, 236, 241, 242, 243, 252, 319, 373, 394, 425, 999, 1000, 1001, 1002)
)
# Errors that lie in the rows, and that no repetition mends.
_DATA = frozenset(
    (6, 16, 26, 27, 32, 33, 38, 41, 43, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 407, 427, 469, 634)
)
_INSERT = {
    "insert_deduplicate": "0",  # what is inserted again has been deleted before: it is no duplicate
    "max_partitions_per_insert_block": "0",
    "async_insert": "0",
}
# It logs each failed request beside raising it.
logging.getLogger("clickhouse_connect.driver._backend.http_sync").setLevel(logging.ERROR)


class TelemetryError(WatchkeeperError):
    """The store did not do what it was asked, and will not. `code` is ClickHouse's error code, 0 without
    answer."""

    status = 503
    reason = "telemetry"
    code = 0


class TelemetryUnavailable(TelemetryError):
    """It cannot be reached, or has no room or turn now. Whether an insert happened is not known."""

    reason = "telemetry_unavailable"


class TelemetryTimeout(TelemetryError):
    """It took longer than the limit of the query."""

    status = 504
    reason = "telemetry_timeout"


class TelemetryRefused(TelemetryError):
    """These rows cannot be taken: something in them does not fit. Nothing of them was inserted."""

    status = 400
    reason = "telemetry_refused"


class Store:
    """The store at `dsn`: http[s]://user:secret@host:port/database. Inert until used; for many threads."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("telemetry needs http[s]://user:secret@host:port/database")
        self._parts = parts
        self.database = unquote(parts.path.strip("/")) or "default"
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._clients: dict[str, Client] = {}

    def ping(self) -> bool:
        """Whether it answers."""
        try:
            return self._client("").ping()
        except TelemetryError:
            return False

    def migrate(self) -> list[str]:
        """Make the database and bring its tables up to date; the names of the migrations that ran. May be
        killed at any point and run again."""
        return migrations.run(self)

    def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, limit_seconds: float = 10.0
    ) -> pa.Table:
        """The rows of a SELECT with parameters bound by the server, `{name:Type}`. Raises TelemetryTimeout
        after `limit_seconds`, TelemetryUnavailable, or TelemetryError for a statement that is wrong."""
        with _meaning():
            return self._client("").query_arrow(
                sql, dict(parameters or {}), settings=_limit(limit_seconds), use_strings=True
            )

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, limit_seconds: float = 10.0
    ) -> list[dict[str, Any]]:
        """The rows of a SELECT as dictionaries: times as Unix milliseconds, maps as dictionaries. Raises as
        `query`."""
        table = self.query(sql, parameters, limit_seconds=limit_seconds)
        for i, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type):  # of which pyarrow would make pandas objects
                ms = table.column(i).cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
                table = table.set_column(i, field.name, ms)
        return table.to_pylist(maps_as_pydicts="lossy")

    def query_as_writer(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, limit_seconds: float = 60.0
    ) -> pa.Table:
        """As `query`, but answered only when every insert that was sent before is over."""
        with self._write_turn() as client, _meaning():
            return client.query_arrow(
                sql, dict(parameters or {}), settings=_limit(limit_seconds), use_strings=True
            )

    def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, limit_seconds: float = 300.0,
        in_database: bool = True,
    ) -> None:  # fmt: skip
        """Run a statement that has no rows to give. Raises as `query`."""
        with self._write_turn() as client, _meaning():
            client.command(
                sql, dict(parameters or {}), settings=_limit(limit_seconds), use_database=in_database
            )

    def begin(self, sql: str) -> None:
        """Start what the server goes on with by itself, such as BACKUP … ASYNC, beside the writer. Raises as `query`."""
        with _meaning():
            self._client("").command(sql, use_database=False)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert rows, columns by name; synced when this returns. Raises TelemetryRefused when it cannot be
        done; after any other TelemetryError it may have been done, or in part (see ledger.py)."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        # As a generator: clickhouse-connect would send plain bytes a second time when a connection breaks.
        body = (part for part in (sink.getvalue().to_pybytes(),))
        with self._write_turn() as client, _meaning():
            client.raw_insert(
                table,
                rows.column_names,
                body,
                fmt="ArrowStream",
                settings={**_INSERT, **_limit(INSERT_LIMIT)},
            )

    def close(self) -> None:
        """Let go of connections; a later use opens new ones."""
        with self._write_lock, self._lock:
            for client in self._clients.values():
                client.close()
                pool = getattr(client, "http", None)
                if pool is not None:
                    pool.clear()
            self._clients.clear()

    @contextmanager
    def _write_turn(self) -> Iterator[Client]:
        with self._write_lock:
            yield self._client(_SESSION)

    def _client(self, session: str) -> Client:
        """The client for reading, or the one for writing, in a session of its own."""
        with self._lock:
            if session not in self._clients:
                with _meaning():
                    self._clients[session] = self._connect(session)
            return self._clients[session]

    def _connect(self, session: str) -> Client:
        p = self._parts
        inner = p.hostname in ("127.0.0.1", "::1", "localhost")
        client = clickhouse_connect.get_client(
            interface=p.scheme, host=p.hostname, port=p.port or (8443 if p.scheme == "https" else 8123),
            username=unquote(p.username or "default"), password=unquote(p.password or ""),
            # A proxy for the internet, as the environment may name one, is none for an inner endpoint.
            pool_mgr=get_pool_manager(maxsize=8) if inner else None, dedicated_pool=not inner,
            compress=not inner, connect_timeout=5, send_receive_timeout=int(INSERT_LIMIT) + 30,
            autogenerate_session_id=False, autogenerate_query_id=False, query_retries=1,
            session_id=session or None,
        )  # fmt: skip
        client.database = self.database
        return client


@contextmanager
def _meaning() -> Iterator[None]:
    """Errors of the client as ours."""
    try:
        yield
    except ClickHouseError as error:
        code = (error.code if isinstance(error, Error) else None) or 0
        kinds = ((_TIMED_OUT, TelemetryTimeout), (_DATA, TelemetryRefused), (_PASSING, TelemetryUnavailable))
        found = next((kind for codes, kind in kinds if code in codes), TelemetryError)(str(error))
        found.code = code
        raise found from error
    except (HTTPError, OSError, pa.ArrowException) as error:
        raise TelemetryUnavailable(str(error)) from error


def _limit(seconds: float) -> dict[str, str]:
    return {"max_execution_time": str(max(1, round(seconds)))}
