"""When maintenance of an item was or is planned, for those who leave that time out."""

from __future__ import annotations

from watchkeeper.domains.inventory import reached_from
from watchkeeper.domains.maintenance.models import MaintenanceWindow

Span = tuple[int, int]


class Planned:
    """The windows that there are, read once. Windows that are about labels and no items reach no item."""

    def __init__(self) -> None:
        found = MaintenanceWindow.objects.filter(of_items=True).prefetch_related("items")
        self._windows = [
            (w.schedule, reached_from([str(i.pk) for i in w.items.all()], w.reach))
            for w in found
            if not w.labels
        ]

    def of(self, item: str, from_ms: int, until_ms: int) -> list[Span]:
        """From and until (Unix milliseconds) of each that reaches this item, within this time, by their begin."""
        found: list[Span] = []
        for schedule, reached in self._windows:
            if item not in reached:
                continue
            for begins, ends in schedule.occurrences(from_ms):
                if begins >= until_ms:
                    break
                found.append((max(begins, from_ms), min(ends, until_ms)))
        return sorted(found)
