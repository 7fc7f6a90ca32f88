"""The log between receivers and consumers: everything is synced here before a sender is answered.

`open_journal` opens the one that the settings name; GroupCommit sits before it where signals are received.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import Journal

FILE = "journal.db"
CONSUMERS = ("telemetry", "analysis")
MAX_BYTES = 2 * 1024**3


def open_journal(
    url: str, data: Path, *, consumers: tuple[str, ...] = CONSUMERS, max_bytes: int = MAX_BYTES
) -> Journal:
    """The journal that a setting names. "": the SQLite file journal.db under `data`. nats://host:port/name,
    or tls://: the JetStream stream of that name, by default "watchkeeper"; more servers go before the slash
    with commas between, and ?replicas=3 after the name keeps it on so many of them. Raises ValueError for any
    other URL, and what the journal raises when it cannot be opened."""
    if not url:
        return SqliteJournal(data / FILE, consumers, max_bytes)
    *others, last = url.split(",")
    parts = urlsplit(last if "://" in last else f"nats://{last}")
    replicas = parse_qs(parts.query).get("replicas", ["1"])[0]
    schemed = url.startswith(("nats://", "tls://")) and parts.scheme in ("nats", "tls")
    if not schemed or not parts.hostname or not replicas.isdigit():
        raise ValueError(f"{url!r} names no journal: leave it empty, or write nats://host:port/name")
    from watchkeeper.journal.jetstream import (
        JetStreamJournal,
    )  # costs time that only a cluster needs to spend

    servers = ",".join([*others, f"{parts.scheme}://{parts.netloc}"])
    name = parts.path.strip("/") or "watchkeeper"
    return JetStreamJournal(servers, name, consumers, max_bytes, int(replicas))
