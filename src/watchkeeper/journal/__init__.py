"""The log between receivers and consumers: everything is synced here before a sender is answered.

`open_journal` opens the one that the settings name; GroupCommit sits before it where signals are received.
"""

from __future__ import annotations

from pathlib import Path

from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import Journal

FILE = "journal.db"


def open_journal(url: str, data: Path) -> Journal:
    """The SQLite file journal.db under `data`."""
    if not url:
        return SqliteJournal(data / FILE)
    raise ValueError(url)
