"""The series that are known: what each is called, measures and belongs to. Samples only carry its id.

Bounded: when it is nearly full, series that no sample was seen of for `SILENT_MS` are forgotten. Receivers declare a
series again when it comes back after that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from watchkeeper.analysis.identify_resolver import Denoted, Resolver
from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.model.series import NAME

SILENT_MS = 13 * 3_600_000  # receivers forget a series after 6 to 12 hours
ROLL_EVERY_MS = 3_600_000
ROLL_FOR_MS = 300_000
EVICT_EVERY_MS = 60_000
_COLUMNS = ("id", "name", "labels", "kind", "unit", "door")


class KnownSeries:
    """All series, by id. `infos` is the live registry that other stages read."""

    def __init__(self, resolver: Resolver, most: int = 1_000_000) -> None:
        self.infos: dict[int, SeriesInfo] = {}
        self.refused = 0  # declared when there was no room
        self.unreadable = 0  # declared with labels that are no JSON object of strings
        self._resolver, self._most = resolver, most
        self._decode = msgspec.json.Decoder(dict[str, str]).decode
        self._of_item: dict[str, dict[int, None]] = {}
        self._seen: dict[int, int] = {}
        self._rolled_ms = 0
        self._evicted_ms = 0
        self._snapshot: dict[str, Any] | None = None

    def of_item(self, item: str) -> Collection[int]:
        """The ids of an item's series."""
        return self._of_item.get(item, {}).keys()

    def declare(self, batch: pa.RecordBatch, now_ms: int) -> list[int]:
        """Take in SERIES rows; the ids of those that are new or say something new. Idempotent."""
        changed = []
        for row in zip(*(batch.column(c).to_pylist() for c in _COLUMNS), strict=True):
            number, name, labels, kind, unit, door = row
            self._seen[number] = now_ms
            info = self.infos.get(number)
            if info is not None:
                if (info.kind, info.unit) != (kind, unit) and kind != "unknown":
                    info.kind, info.unit = kind, unit
                    changed.append(number)
            elif self._has_room(now_ms):
                info = SeriesInfo(number, name, self._labels(labels), kind, unit, door)
                self.infos[number] = info
                self._settle(info)
                changed.append(number)
            else:
                self.refused += 1
                del self._seen[number]
        if changed:
            self._snapshot = None
        return changed

    def _labels(self, text: str) -> dict[str, str]:
        try:
            found = self._decode(text)
        except msgspec.DecodeError:
            self.unreadable += 1
            return {}
        found.pop(NAME, None)
        return found

    def _denoted(self, info: SeriesInfo) -> Denoted:
        return self._resolver.of(info.labels, info.door, info.name)

    def _settle(self, info: SeriesInfo) -> bool:
        """Give a series the item that its labels denote now; whether that is another than before."""
        item = self._denoted(info).item
        if item == info.item and item in self._of_item:
            return False
        self._of_item.get(info.item, {}).pop(info.id, None)
        self._of_item.setdefault(item, {})[info.id] = None
        moved, info.item = info.item != item, item
        return moved

    def settle_again(self, items: Iterable[str]) -> list[int]:
        """Resolve the series of these items again ("" for those of none), as the graph knows more now; the ids of
        those that moved."""
        waiting = [number for item in items for number in self._of_item.get(item, ())]
        moved = [number for number in waiting if self._settle(self.infos[number])]
        if moved:
            self._snapshot = None
        return moved

    def settle_missing(self, known: Mapping[str, object]) -> list[int]:
        """Resolve the series again whose item is not among these any more."""
        return self.settle_again([item for item in self._of_item if item and item not in known] + [""])

    def call_roll(self, ids: np.ndarray[Any, np.dtype[np.uint64]], now_ms: int) -> None:
        """For some minutes in every hour, note which series samples are seen of, and with them their items."""
        if not 0 <= now_ms - self._rolled_ms < ROLL_EVERY_MS:
            self._rolled_ms = now_ms
            self._snapshot = None
        if now_ms - self._rolled_ms > ROLL_FOR_MS:
            return
        for number in np.unique(ids).tolist():
            if self._seen.get(number, 0) < self._rolled_ms and (info := self.infos.get(number)) is not None:
                self._seen[number] = now_ms
                self._denoted(info)

    def _has_room(self, now_ms: int) -> bool:
        if len(self.infos) < self._most or 0 <= now_ms - self._evicted_ms < EVICT_EVERY_MS:
            return len(self.infos) < self._most
        self._evicted_ms = now_ms
        before = now_ms - SILENT_MS
        for number in [n for n in self.infos if self._seen.get(n, 0) < before]:
            self._of_item.get(self.infos.pop(number).item, {}).pop(number, None)
            self._seen.pop(number, None)
        return len(self.infos) < self._most

    def snapshot(self) -> dict[str, Any]:
        """Plain data for `restore`; the same object while nothing has changed."""
        if self._snapshot is None:
            rows = list(self.infos.values())
            self._snapshot = {
                "id": np.array([i.id for i in rows], np.uint64),
                "seen": np.array([self._seen.get(i.id, 0) for i in rows], np.int64),
                "text": [[i.name, i.labels, i.kind, i.unit, i.door, i.item] for i in rows],
            }
        return self._snapshot

    def restore(self, state: dict[str, Any]) -> None:
        """Take a snapshot back. What it says about items is checked when the graph is known."""
        for number, seen, row in zip(
            state["id"].tolist(), state["seen"].tolist(), state["text"], strict=True
        ):
            name, labels, kind, unit, door, item = row
            self.infos[number] = SeriesInfo(number, name, labels, kind, unit, door, item)
            self._seen[number] = seen
            self._of_item.setdefault(item, {})[number] = None
