"""When maintenance of an item was or is planned, for those who leave that time out."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Q

from watchkeeper.domains.inventory.carrying import reaching
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.kernel.fields import moment

Span = tuple[int, int]


class Planned:
    """The windows that there are from a time (Unix milliseconds) on, read once. Windows that are about labels and no items
    reach no item."""

    def __init__(self, from_ms: int) -> None:
        from_at = moment(max(from_ms, 1))
        lasting = (
            ~Q(repeats=MaintenanceWindow.Repeats.ONCE)
            | Q(ends_at__gt=from_at)
            | Q(changed_end_at__gt=from_at)
        )
        found = MaintenanceWindow.objects.filter(lasting, of_items=True).prefetch_related("items")
        windows = [w for w in found if not w.labels]
        self._schedules = {w.pk: w.schedule for w in windows}
        #: by reach and item
        self._about: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for window in windows:
            for item in window.items.all():
                self._about[window.reach][str(item.pk)].append(window.pk)

    def of(self, item: str, from_ms: int, until_ms: int) -> list[Span]:
        """From and until (Unix milliseconds) of each that reaches this item, within this time, by their begin."""
        found: list[Span] = []
        for key in self._reaching(item):
            for begins, ends in self._schedules[key].occurrences(from_ms):
                if begins >= until_ms:
                    break
                found.append((max(begins, from_ms), min(ends, until_ms)))
        return sorted(found)

    def _reaching(self, item: str) -> set[int]:
        """The windows, by what the item hangs on: those are few, however many windows there are."""
        return {
            key
            for reach, about in self._about.items()
            for other in about.keys() & reaching(item, reach)
            for key in about[other]
        }
