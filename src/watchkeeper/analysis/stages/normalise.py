"""The first stage: rows become events, acts and known series, everything is resolved to items of the graph, and what
nobody has described yet is discovered.

Samples are passed by: their series was resolved when it was declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from watchkeeper.analysis.identify_flows import talked
from watchkeeper.analysis.identify_graph import HOLD_MS, Growing
from watchkeeper.analysis.identify_reconcile import reconcile
from watchkeeper.analysis.identify_resolver import Resolver
from watchkeeper.analysis.identify_rows import origins
from watchkeeper.analysis.identify_series import KnownSeries
from watchkeeper.analysis.identify_spans import SpanGraph
from watchkeeper.analysis.pipeline import Event, Work
from watchkeeper.model.act import Act
from watchkeeper.model.doors import CHANGES, ITEM
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import PERSON, Discovery, RelationKind
from watchkeeper.model.verdicts import Alert, Situation

VERSION = 1
MOST_TOLD = 10_000  # items of one discovery
_EVENT = ("id", "kind", "status", "name", "severity", "summary", "starts_ms", "ends_ms", "received_ms", "labels",
          "url", "door", "annotations")  # fmt: skip
_BELOW = (RelationKind.CONTAINS, RelationKind.RUNS_ON)


class Normalise:
    """Fills `events`, `acts`, `discoveries`, `series`, `changed_series` and `log_items` of a Work, and moves its
    topology on.

    `per_minute` bounds the items that one door may discover by naming them, `most_items` those of the graph,
    `most_series` the series that are known, `hold_ms` how long a relation is kept that its observer is silent about.
    """

    name = "normalise"

    def __init__(
        self,
        *,
        per_minute: int = 1000,
        most_items: int = 200_000,
        most_series: int = 1_000_000,
        hold_ms: int = HOLD_MS,
    ) -> None:
        self._graph = Growing(per_minute, most_items, hold_ms)
        self._resolver = Resolver(self._graph)
        self.series = KnownSeries(self._resolver, most_series)
        self._spans = SpanGraph(self._resolver)
        self._unreadable: Counter[str] = Counter()
        self._labels = msgspec.json.Decoder(dict[str, str]).decode
        self._discovery = msgspec.json.Decoder(Discovery).decode
        self._act = msgspec.json.Decoder(Act).decode
        self._changed: dict[int, None] = {}
        self._declared: list[pa.RecordBatch] = []
        self._readers: dict[Stream, Callable[[Work, int, pa.RecordBatch], None]] = {
            Stream.DISCOVERIES: self._discoveries,
            Stream.SERIES: self._series,
            Stream.SAMPLES: self._samples,
            Stream.LOGS: self._logs,
            Stream.SPANS: self._read_spans,
            Stream.EVENTS: self._events,
            Stream.ACTS: self._acts,
        }

    @property
    def statistics(self) -> dict[str, int]:
        """What was refused or could not be read, by reason, and how much is known."""
        refused = {f"items_refused_{door}": n for door, n in self._graph.refused.items()}
        unreadable = {f"unreadable_{what}": n for what, n in self._unreadable.items()}
        known = {"series": len(self.series.infos), "series_refused": self.series.refused}
        return {**refused, **unreadable, **known, "unreadable_series": self.series.unreadable}

    def declare(self, batch: pa.RecordBatch) -> None:
        """Take in SERIES rows from elsewhere than the journal, with the next Work: what was declared after the last
        snapshot and before a kill is known to telemetry alone."""
        self._declared.append(batch)

    def process(self, work: Work) -> None:
        """See Stage. Batches are read in the order they have, but discoveries and series before what needs them."""
        self._changed = {}
        work.series, work.series_of = self.series.infos, self.series.of_item
        if self._graph.begin(work.topology, work.now_ms):
            self._resolver.forget()
            self._spans.forget()
            self._note(self.series.settle_missing(self._graph.topology.items))
        self._resolver.refresh()
        while self._declared:
            self._note(self.series.declare(self._declared.pop(), work.now_ms))
        order = list(Stream)
        for offset, stream, batch in sorted(work.batches, key=lambda b: order.index(b[1])):
            reader = self._readers.get(stream)
            if reader is not None and batch.num_rows:
                reader(work, offset, batch)
        self._spans.settle(work.now_ms)
        self._graph.expire()
        work.changed_series = list(self._changed)
        work.discoveries += self._graph.take()
        work.topology = self._graph.topology

    def _note(self, series: Sequence[int]) -> None:
        self._changed.update(dict.fromkeys(series))

    def _discoveries(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        for document in _documents(batch):
            try:
                found = self._discovery(document)
            except msgspec.DecodeError:
                self._unreadable["discoveries"] += 1
                continue
            if len(found.items) > MOST_TOLD or max(len(found.relations), len(found.talks)) > 4 * MOST_TOLD:
                self._unreadable["discoveries"] += 1
                continue
            if found.takes_away:
                self._taken_away(work, found)
            self._discovered(found)

    def _taken_away(self, work: Work, found: Discovery) -> None:
        """People have merged, told apart or removed items, or ended relations: whoever was resolved to one of these is
        resolved again."""
        gone = {*found.merged, *found.removed}
        again = {i.id for i in found.items}
        self._graph.drop(gone, found.ended)
        self._resolver.forget()
        self._spans.forget()
        work.became |= {i: found.merged.get(i, "") for i in gone if i not in again}
        work.belongs |= found.alerts
        if not again:
            self._settle(gone)

    def _settle(self, items: Iterable[str]) -> None:
        self._note(self.series.settle_again([*items, ""]))

    def _discovered(self, found: Discovery) -> None:
        if found.origin == PERSON:  # what people have said is so, and known to the inventory by these ids
            items, relations = list(found.items), list(found.relations)
        else:
            items, relations = reconcile(self._graph.topology, found)
            far, said = talked(self._graph.topology, found, self._graph.admits)
            items, relations = items + far, relations + said
        before, owner = self._graph.version, self._graph.topology.by_identifier
        losers = {o for i in items for x in i.identifiers if (o := owner.get(x, i.id)) != i.id}
        self._graph.add(found.origin, items, relations)
        self._graph.seen((i.id for i in items), relations)
        if found.takes_away and items:
            self._settle({*found.merged, *found.removed, *(i.id for i in items)})
        if self._graph.version != before:
            if losers:  # what was resolved by a name that has gone over to another item is so no more
                self._resolver.forget()
            self._resolver.loosen()
            self._spans.loosen()
            wholes = {
                r.target if r.kind is RelationKind.RUNS_ON else r.source
                for r in relations
                if r.kind in _BELOW
            }
            self._note(self.series.settle_again([*wholes, *losers, ""]))

    def _series(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        self._note(self.series.declare(batch, work.now_ms))

    def _samples(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        self.series.call_roll(batch.column("series").to_numpy(), work.now_ms)

    def _logs(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:
        found = origins(batch, ("host", "service", "source"))
        door = batch.column("door")[0].as_py()
        items = [self._resolver.of(labels, door).item for labels in found.labels]
        distinct = list(dict.fromkeys(items))
        place = np.array([distinct.index(i) for i in items], np.int32)
        work.log_items[offset] = pa.DictionaryArray.from_arrays(
            pa.array(place[found.of_row], pa.int32()), pa.array(distinct, pa.string())
        )

    def _read_spans(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        self._spans.read(batch, work.now_ms)

    def _events(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        columns: list[list[Any]] = [batch.column(c).to_pylist() for c in _EVENT]
        labels = [self._labels_of(text) for text in columns.pop(_EVENT.index("labels"))]
        annotations = [self._labels_of(text) for text in columns.pop()]
        items = [self._item_of(told, door) for told, door in zip(labels, columns[-1], strict=True)]
        # in the order of Event's fields
        columns = [*columns[:9], labels, annotations, *columns[9:], items]
        work.events += map(Event, *columns)

    def _item_of(self, labels: dict[str, str], door: str) -> str:
        """What we tell ourselves about a change names the item itself."""
        own = labels.get(ITEM, "") if door == CHANGES else ""
        return own if own in self._graph.topology.items else self._resolver.of(labels, door).item

    def _labels_of(self, text: str) -> dict[str, str]:
        try:
            return self._labels(text) if text != "{}" else {}
        except msgspec.DecodeError:
            self._unreadable["labels"] += 1
            return {}

    def _acts(self, work: Work, offset: int, batch: pa.RecordBatch) -> None:  # noqa: ARG002
        for document in _documents(batch):
            try:
                work.acts.append(self._act(document))
            except msgspec.DecodeError:
                self._unreadable["acts"] += 1

    def snapshot(self) -> dict[str, Any]:
        """See Stage: the known series."""
        return {"version": VERSION, "series": self.series.snapshot()}

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:  # noqa: ARG002
        """See Stage."""
        if state and state.get("version") == VERSION:
            self.series.restore(state["series"])


def _documents(batch: pa.RecordBatch) -> list[bytes]:
    found: list[Any] = batch.column("document").to_pylist()
    return found
