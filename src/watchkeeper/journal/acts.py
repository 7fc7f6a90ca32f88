"""Where people's acts enter the journal."""

from __future__ import annotations

import msgspec

from watchkeeper.model.act import Act
from watchkeeper.model.doors import Journal
from watchkeeper.model.signals import Stream, batch


class JournalActs:
    """See kernel.ports.ActSink."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def submit(self, *acts: Act) -> None:
        """Return once the acts are on disk, all or none. Raises JournalFull or DiskFull."""
        rows = [{"time_ms": act.time_ms, "document": msgspec.json.encode(act)} for act in acts]
        self._journal.append([(Stream.ACTS, batch(Stream.ACTS, rows))])
