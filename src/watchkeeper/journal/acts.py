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

    def submit(self, act: Act) -> None:
        """Return once the act is on disk. Raises JournalFull or DiskFull."""
        row = {"time_ms": act.time_ms, "document": msgspec.json.encode(act)}
        self._journal.append([(Stream.ACTS, batch(Stream.ACTS, [row]))])
