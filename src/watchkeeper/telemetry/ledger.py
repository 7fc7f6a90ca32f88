"""Which journal entries are in the store already: what makes inserts happen once, whatever is killed.

Groups of entries are stored one after another, and every row carries the mark of its group: the number of the
journal and the offset of the group's last entry. The journal's note of what was passed is written after the
rows, so after a kill at most the last group marked beyond that note can be incomplete; its rows are
counted, and where the count differs they are deleted and inserted again. No log of deduplication is asked:
ClickHouse writes its own before the rows, so that a kill in between would lose them.
"""

from __future__ import annotations

from watchkeeper.telemetry.store import Store, TelemetryError

TABLES = ("samples", "logs", "spans", "events", "dead_letters")
_MARK_BITS, _ROW_BITS = 48, 16  # of a position
# From one journal's marks to the next one's. An offset that needs more is added all the same: the marks go on rising
# through what further journals would have had, and the next journal begins beyond (`Ledger.open`).
_OFFSET_BITS = 40


def beyond(number: int, after: int) -> tuple[int, int]:
    """Marks of the newest journal's groups beyond an offset lie between these two. Raises TelemetryError."""
    return _mark(number, after), 1 << _MARK_BITS


def _mark(number: int, offset: int) -> int:
    mark = (number << _OFFSET_BITS) + offset
    if mark >> _MARK_BITS:
        raise TelemetryError(
            f"there are no marks left for offset {offset} of journal {number}: it has to begin anew"
        )
    return mark


class Ledger:
    """The marks of one journal in one store. `open` before anything else."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.number = 0

    def open(self, end: int) -> None:
        """Find the number of the journal that ends at offset `end`. If rows from beyond its end are stored,
        this is not the journal they came from: it gets the next number that no mark has reached. Raises
        TelemetryError."""
        found = self._store.query_as_writer("SELECT max(number) AS number, count() AS known FROM journals")
        row = found.to_pylist()[0]
        self.number = row["number"]
        highest = self._highest_beyond(end)
        if not row["known"] or highest:
            self.number = max(self.number, highest >> _OFFSET_BITS) + 1
            self._store.command(
                "INSERT INTO journals (number) SELECT {number:UInt8}", {"number": self.number}
            )

    def mark(self, offset: int) -> int:
        """The mark of a group that ends at this offset. Raises TelemetryError."""
        return _mark(self.number, offset)

    def position(self, offset: int) -> int:
        """The position of the first row of the entry at this offset; its other rows follow."""
        return self.mark(offset) << _ROW_BITS

    def marked(self, after: int) -> list[int]:
        """The last offsets of all groups beyond `after` of which a row is stored, in order; once every insert
        that was sent before is over. Raises TelemetryError."""
        each = " UNION DISTINCT ".join(
            f"SELECT DISTINCT batch FROM {table} WHERE batch > {{low:UInt64}} AND batch < {{high:UInt64}}"
            for table in TABLES
        )
        bounds = self._beyond(after)
        found = self._store.query_as_writer(each, bounds)
        first = self.mark(0)
        return sorted(mark - first for mark in found.column("batch").to_pylist() if mark is not None)

    def count(self, table: str, last: int) -> int:
        """How many rows of the group that ends at `last` are in a table. Raises TelemetryError."""
        found = self._store.query_as_writer(
            f"SELECT count() AS rows FROM {table} WHERE batch = {{mark:UInt64}}", {"mark": self.mark(last)}
        )
        return found.column("rows").to_pylist()[0] or 0

    def forget(self, table: str, last: int) -> None:
        """Delete the rows of the group that ends at `last`. Raises TelemetryError."""
        self._store.command(f"DELETE FROM {table} WHERE batch = {{mark:UInt64}}", {"mark": self.mark(last)})

    def _beyond(self, after: int) -> dict[str, int]:
        return dict(zip(("low", "high"), beyond(self.number, after), strict=True))

    def _highest_beyond(self, end: int) -> int:
        """The highest mark beyond an offset; 0: there is none."""
        bounds = self._beyond(end)
        question = (
            "SELECT max(batch) AS mark FROM {} WHERE batch > {{low:UInt64}} AND batch < {{high:UInt64}}"
        )
        found = (self._store.query_as_writer(question.format(t), bounds) for t in TABLES)
        return max(table.column("mark").to_pylist()[0] or 0 for table in found)
