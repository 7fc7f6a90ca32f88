"""The log between receivers and consumers: everything is synced here before a sender is answered.

`open_journal` opens the one that the settings name; GroupCommit sits before it where signals are received.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import Journal

FILE = "journal.db"
CONSUMERS = ("telemetry", "analysis")
MAX_BYTES = 2 * 1024**3


def open_journal(
    url: str, data: Path, *, consumers: tuple[str, ...] = CONSUMERS, max_bytes: int = MAX_BYTES
) -> Journal:
    """The journal that a setting names. "": the SQLite file journal.db under `data`. nats://host:port/name,
    or tls://, more servers after commas: the JetStream stream of that name, by default "watchkeeper".
    Raises ValueError for any other URL, and what the journal raises when it cannot be opened."""
    if not url:
        return SqliteJournal(data / FILE, consumers, max_bytes)
    first, *others = url.split(",")
    parts = urlsplit(first)
    if parts.scheme not in ("nats", "tls") or not parts.hostname:
        raise ValueError(f"{url!r} names no journal: leave it empty, or write nats://host:port/name")
    from watchkeeper.journal.jetstream import JetStreamJournal  # costs 0.1 s, and only a cluster needs it

    server = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    name = parts.path.strip("/") or "watchkeeper"
    return JetStreamJournal(",".join([server, *others]), name, consumers, max_bytes)
