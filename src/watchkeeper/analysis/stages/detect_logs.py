"""Logs: an error message of a shape never seen from a source we know, and messages that come unusually often
or rarely. Says what should be told; the words are made in detect_findings.py."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages.detect_levels import Change, Levels
from watchkeeper.analysis.templates.templater import Templater

KNOWN_MS, KNOWN_LINES = 3_600_000, 500  # before that everything a source says is new
QUIET_MS = 1_800_000  # without the message, after which it is over
PER_SOURCE, PER_SOURCE_MS = 5, 3_600_000  # new messages told
MINUTE_MS = 60_000
ERROR, FATAL = 17, 21  # OpenTelemetry severity numbers
COUNTED_LINES = 100  # lines of a template before its rate is watched
MAX_RATES, MAX_SEEN, MAX_SOURCES = 2_000, 50_000, 5_000
_TROUBLE = re.compile(
    r"\b(error|fail(ed|ure|s)?|fatal|panic|exception|traceback|denied|refused|timed? ?out|corrupt\w*|critical"
    r"|segfault|oom|out of memory|unreachable|abort(ed)?|no space)\b",
    re.IGNORECASE,
)


class NewMessage(NamedTuple):
    """A message of a new shape, or (active False) that it has not come for half an hour."""

    template: int
    item: str
    source: str
    host: str
    body: str
    severity: int
    time_ms: int
    active: bool = True


class Logs:
    """Template ids of log rows come from the shared `Templater`."""

    def __init__(self, templater: Templater) -> None:
        self.templater = templater
        self.rates = Levels()
        self.infos: dict[int, SeriesInfo] = {}  # of the rates, by template id
        self._seen: OrderedDict[int, int] = OrderedDict()  # template id → lines, least lately new first
        self._sources: OrderedDict[str, list[int]] = OrderedDict()  # source → first ms, lines, told ms …
        self._open: dict[int, tuple[NewMessage, int]] = {}  # template id → what was told, last ms
        self._minute: dict[int, int] = {}
        self._minute_ms = 0

    def process(
        self, batch: pa.RecordBatch, items: pa.DictionaryArray[Any, Any] | None, now_ms: int
    ) -> list[NewMessage]:
        """Take in one batch of the LOGS stream; return the new messages to be told."""
        ids = self.templater.canonical(self.templater.ids(batch))
        unique, first, counts = np.unique(ids, return_index=True, return_counts=True)
        out = []
        for template, row, count in zip(unique.tolist(), first.tolist(), counts.tolist(), strict=True):
            if not template:
                continue
            self._minute[template] = self._minute.get(template, 0) + count
            if template in self._open:
                self._open[template] = (self._open[template][0], now_ms)
            if template not in self._seen:
                found = self._new(template, batch, row, items, now_ms)
                if found is not None:
                    self._open[template] = (found, now_ms)
                    out.append(found)
                if len(self._seen) >= MAX_SEEN:
                    self._seen.popitem(last=False)
                self._seen[template] = 0
            self._seen[template] += count
            if self._seen[template] >= COUNTED_LINES and len(self.infos) < MAX_RATES:
                self._count(template, batch, row, items)
        self._sources_of(batch, now_ms)
        return out

    def info(self, template: int) -> SeriesInfo:
        """What is known of the rate of a template."""
        return self.infos.get(template) or SeriesInfo(template, "log.messages", {}, "gauge", "{message}", "")

    def tick(self, now_ms: int) -> tuple[list[NewMessage], list[Change]]:
        """New messages that are over, and changes of rates; a rate has one value a minute."""
        over = [m._replace(active=False, time_ms=now_ms) for m, last in self._open.values()
                if now_ms - last > QUIET_MS]  # fmt: skip
        for message in over:
            del self._open[message.template]
        minutes = (now_ms - self._minute_ms) // MINUTE_MS
        if not self._minute_ms or minutes > 5:  # the start, or we were not running
            self._minute_ms, self._minute = now_ms, {}
            return over, []
        if minutes < 1:
            return over, []
        self._minute_ms += minutes * MINUTE_MS
        ids = np.fromiter(self.infos, np.uint64, len(self.infos))
        values = np.array([self._minute.get(i, 0) / minutes for i in self.infos], np.float64)
        self._minute = {}
        times = np.full(len(ids), self._minute_ms, np.int64)
        return over, self.rates.process(ids, times, values, self.infos) if len(ids) else []

    def _new(
        self, template: int, batch: pa.RecordBatch, row: int,
        items: pa.DictionaryArray[Any, Any] | None, now_ms: int,
    ) -> NewMessage | None:  # fmt: skip
        """The message to be told, if it is one: from a source known long enough, and about trouble."""
        one = _row(batch, row)
        source = one["service"] or one["source"] or one["host"]
        known = self._sources.get(source)
        if known is None or now_ms - known[0] < KNOWN_MS or known[1] < KNOWN_LINES:
            return None
        trouble = one["severity"] >= ERROR if one["severity"] else _TROUBLE.search(one["body"][:2048])
        told = [ms for ms in known[2:] if now_ms - ms < PER_SOURCE_MS]
        if not trouble or len(told) >= PER_SOURCE:
            return None
        known[2:] = [*told, now_ms]
        item = items[row].as_py() if items is not None else ""
        return NewMessage(
            template, item or "", source, one["host"], one["body"], one["severity"], one["received_ms"]
        )

    def _count(
        self, template: int, batch: pa.RecordBatch, row: int, items: pa.DictionaryArray[Any, Any] | None
    ) -> None:
        if template in self.infos:
            return
        one = _row(batch, row)
        item = items[row].as_py() if items is not None else ""
        labels = {"template": self.templater.text(template)[:200], "host.name": one["host"],
                  "service.name": one["service"] or one["source"]}  # fmt: skip
        self.infos[template] = SeriesInfo(
            template,
            "log.messages",
            {k: v for k, v in labels.items() if v},
            "gauge",
            "{message}",
            "",
            item or "",
        )

    def _sources_of(self, batch: pa.RecordBatch, now_ms: int) -> None:
        service: Any = batch.column("service")
        source: Any = batch.column("source")
        host: Any = batch.column("host")
        no_service: Any = pc.equal(service, pa.scalar(""))
        no_source: Any = pc.equal(source, pa.scalar(""))
        named = pc.if_else(no_service, pc.if_else(no_source, host, source), service)
        counted: Any = pc.value_counts(named)
        for entry in counted.to_pylist():
            known = self._sources.setdefault(entry["values"], [now_ms, 0])
            known[1] += entry["counts"]
        while len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "templates": self.templater.snapshot(),
            "seen": np.fromiter(self._seen, np.uint64, len(self._seen)),
            "lines": np.fromiter(self._seen.values(), np.int64, len(self._seen)),
            "sources": dict(self._sources),
            "open": [[*m[:-1], last] for m, last in self._open.values()],
            "infos": [[i.id, i.labels, i.item] for i in self.infos.values()],
            "rates": self.rates.snapshot(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back a snapshot, before the first batch."""
        if not self.templater.restore(state["templates"]) or not self.rates.restore(state["rates"]):
            return
        self._seen = OrderedDict(zip(state["seen"].tolist(), state["lines"].tolist(), strict=True))
        self._sources = OrderedDict((k, list(v)) for k, v in state["sources"].items())
        self._open = {m[0]: (NewMessage(*m[:-1]), m[-1]) for m in state["open"]}
        self.infos = {
            i: SeriesInfo(i, "log.messages", labels, "gauge", "{message}", "", item)
            for i, labels, item in state["infos"]
        }

    def remember(self, message: NewMessage, now_ms: int) -> None:
        """Take for told what a living alert says was told."""
        self._open.setdefault(message.template, (message, now_ms))


def _row(batch: pa.RecordBatch, row: int) -> dict[str, Any]:
    one: dict[str, Any] = batch.slice(row, 1).to_pylist()[0]
    return one
