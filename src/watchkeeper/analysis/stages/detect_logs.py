"""Logs: an error message of a shape never seen from a source we know, messages that come unusually often or rarely or no
more, values that a message never had, sources that write without a pattern. Says what should be told; the words are made
in detect_findings.py and detect_logs_words.py."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from watchkeeper.analysis.pipeline import SeriesInfo
from watchkeeper.analysis.stages import detect_findings as findings
from watchkeeper.analysis.stages import detect_logs_words as words
from watchkeeper.analysis.stages.detect_episodes import Change
from watchkeeper.analysis.stages.detect_levels import Levels
from watchkeeper.analysis.stages.detect_log_courses import Courses, Patterns
from watchkeeper.analysis.stages.detect_log_messages import ERROR, NewMessage
from watchkeeper.analysis.stages.detect_log_values import LOOKED, Unusual, Values
from watchkeeper.analysis.stages.detect_resting import Resting
from watchkeeper.analysis.templates.templater import Templater
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.log_corrections import TemplateCorrection
from watchkeeper.model.log_values import MARK
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, Finding

KNOWN_MS, KNOWN_LINES = 3_600_000, 500  # before that everything a source says is new
QUIET_MS = 1_800_000  # without the message, after which it is over
PER_SOURCE, PER_SOURCE_MS = 5, 3_600_000  # new messages told
MINUTE_MS = 60_000
COUNTED_LINES = 100  # lines of a template before its rate is watched
MAX_RATES, MAX_RATES_OF_SOURCE, MAX_SEEN, MAX_SOURCES = 2_000, 500, 50_000, 5_000
_TROUBLE = re.compile(
    r"\b(error|fail(ed|ure|s)?|fatal|panic|exception|traceback|denied|refused|timed? ?out|corrupt\w*|critical"
    r"|segfault|oom|out of memory|unreachable|abort(ed)?|no space)\b",
    re.IGNORECASE,
)


class Logs:
    """Template ids of log rows come from the shared `Templater`."""

    def __init__(self, templater: Templater, resting: Resting | None = None) -> None:
        self.templater = templater
        self.refused = 0  # acts that say nothing of templates
        self.rates = Levels(resting)
        self.courses, self.patterns, self.values = Courses(), Patterns(), Values()
        self.infos: dict[int, SeriesInfo] = {}  # of the rates, by template id
        self._seen: OrderedDict[int, int] = OrderedDict()  # template id → lines, least lately new first
        self._once: OrderedDict[int, None] = OrderedDict()  # templates of which one line has come
        self._sources: OrderedDict[str, list[int]] = OrderedDict()  # source → first ms, lines, told ms …
        self._open: dict[int, tuple[NewMessage, int]] = {}  # template id → what was told, last ms
        self._unusual: dict[
            tuple[int, int], tuple[Unusual, dict[str, Any], int]
        ] = {}  # template, place → told, last ms
        self._rates_of: Counter[str] = Counter()
        self._minute: dict[int, int] = {}
        self._minute_ms = self._ticked_ms = 0

    def hear(self, acts: Sequence[Act]) -> None:
        """Take what people say of templates; what is none is counted as refused."""
        for act in acts:
            if act.kind is not ActKind.TEMPLATE:
                continue
            told = act.data.get("correction")
            try:
                correction = msgspec.convert(told, TemplateCorrection) if told else None
            except msgspec.ValidationError:
                self.refused += 1
                continue
            self.templater.correct(act.target, correction)

    def process(
        self,
        batch: pa.RecordBatch,
        items: pa.DictionaryArray[Any, Any] | None,
        now_ms: int,
        topology: Topology,
    ) -> list[Finding]:
        """Take in one batch of the LOGS stream; return what is to be told."""
        rows = _Rows(batch, items)
        ids = self.templater.canonical(self.templater.ids(batch))
        unique, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
        order, ends = np.argsort(inverse, kind="stable"), np.cumsum(counts)
        new: Counter[str] = Counter()
        out: list[Finding] = []
        for template, end, count in zip(unique.tolist(), ends.tolist(), counts.tolist(), strict=True):
            if not template:
                continue
            mine = order[end - count : end]
            row = int(mine[0])
            self._minute[template] = self._minute.get(template, 0) + count
            if template in self._open:
                self._open[template] = (self._open[template][0], now_ms)
            if not self._known(template, count):
                new[rows.sources[row]] += 1
                if (message := self._new(template, rows, row, now_ms)) is not None:
                    out.append(self._message(message, topology))
            elif (told := self.courses.came(template, *rows.place(row), now_ms)) is not None:
                out.append(words.missing(told, self.templater.text(template), now_ms, topology))
            if self._seen.get(template, 0) >= COUNTED_LINES:
                self._count(template, rows, row)
                looked = mine[:: max(1, len(ids) // LOOKED)]
                out += self._values(template, rows, looked.tolist(), now_ms, topology)
        self._sources_of(rows, new, now_ms)
        return out

    def _known(self, template: int, count: int) -> bool:
        """Whether lines of this template have come before; these are counted. What came once only is kept apart, so that
        random lines do not make us forget what a service says every day."""
        if template in self._seen:
            self._seen[template] += count
            return True
        before = template in self._once
        if before or count > 1:
            self._once.pop(template, None)
            if len(self._seen) >= MAX_SEEN:
                oldest = [k for k, _ in zip(self._seen, range(100), strict=False)]
                del self._seen[min(oldest, key=self._seen.__getitem__)]
            self._seen[template] = count + before
        else:
            self._once[template] = None
            if len(self._once) > MAX_SEEN:
                self._once.popitem(last=False)
        return before

    def _values(
        self, template: int, rows: _Rows, looked: list[int], now_ms: int, topology: Topology
    ) -> Iterator[Finding]:
        """Values that this template has not had before."""
        wording = self.templater.text(template)
        if MARK not in wording:
            return
        for k, unusual in self.values.look(template, wording, [rows.body(i) for i in looked], now_ms):
            row = rows.row(looked[k])
            if self._may_tell(row["source"], now_ms):
                self._unusual[template, unusual.place] = (unusual, row, now_ms)
                yield words.unusual(unusual, wording, row, True, row["time_ms"], topology)

    def _message(self, message: NewMessage, topology: Topology) -> Finding:
        return findings.message(message, self.templater.text(message.template), topology)

    def info(self, template: int) -> SeriesInfo:
        """What is known of the rate of a template."""
        return self.infos.get(template) or SeriesInfo(template, "log.messages", {}, "gauge", "{message}", "")

    def tick(self, now_ms: int, topology: Topology) -> tuple[list[Finding], list[Change]]:
        """What time has brought: what is over or missed, and changes of rates; a rate has one value a minute."""
        out: list[Finding] = []
        for message, last in list(self._open.values()):
            if now_ms - last > QUIET_MS:
                del self._open[message.template]
                out.append(self._message(message._replace(active=False, time_ms=now_ms), topology))
        for key, (unusual, row, last) in list(self._unusual.items()):
            if now_ms - last > QUIET_MS:
                del self._unusual[key]
                out.append(words.unusual(unusual, self.templater.text(key[0]), row, False, now_ms, topology))
        paused = now_ms - self._ticked_ms - 5 * MINUTE_MS if self._ticked_ms else 0
        if paused > 0:
            self.courses.rested(paused)
        if now_ms // MINUTE_MS != self._ticked_ms // MINUTE_MS:
            out += [
                words.missing(m, self.templater.text(m.template), now_ms, topology)
                for m in self.courses.look(now_ms)
            ]
            out += [words.patternless(p, now_ms) for p in self.patterns.look(now_ms)]
        self._ticked_ms = now_ms
        return out, self._rate_changes(now_ms)

    def _rate_changes(self, now_ms: int) -> list[Change]:
        minutes = (now_ms - self._minute_ms) // MINUTE_MS
        if not self._minute_ms or minutes > 5:  # the start, or we were not running
            self._minute_ms, self._minute = now_ms, {}
            return []
        if minutes < 1:
            return []
        self._minute_ms += minutes * MINUTE_MS
        ids = np.fromiter(self.infos, np.uint64, len(self.infos))
        values = np.array([self._minute.get(i, 0) / minutes for i in self.infos], np.float64)
        self._minute = {}
        times = np.full(len(ids), self._minute_ms, np.int64)
        return self.rates.process(ids, times, values, self.infos) if len(ids) else []

    def _new(self, template: int, rows: _Rows, row: int, now_ms: int) -> NewMessage | None:
        """The message to be told, if it is one: from a source known long enough, and about trouble."""
        source = rows.sources[row]
        known = self._sources.get(source)
        if known is None or now_ms - known[0] < KNOWN_MS or known[1] < KNOWN_LINES:
            return None
        one = rows.row(row)
        trouble = one["severity"] >= ERROR if one["severity"] else _TROUBLE.search(one["body"][:2048])
        if not trouble or not self._may_tell(source, now_ms):
            return None
        message = NewMessage(
            template, one["item"], source, one["host"], one["body"], one["severity"], one["received_ms"]
        )
        self._open[template] = (message, now_ms)
        return message

    def _may_tell(self, source: str, now_ms: int) -> bool:
        """Whether not too much has been told of this source lately; if so, it is taken for told."""
        known = self._sources.setdefault(source, [now_ms, 0])
        told = [ms for ms in known[2:] if now_ms - ms < PER_SOURCE_MS]
        if len(told) >= PER_SOURCE:
            return False
        known[2:] = [*told, now_ms]
        return True

    def _count(self, template: int, rows: _Rows, row: int) -> None:
        source = rows.sources[row]
        if (
            template in self.infos
            or len(self.infos) >= MAX_RATES
            or self._rates_of[source] >= MAX_RATES_OF_SOURCE
        ):
            return
        self._rates_of[source] += 1
        one = rows.row(row)
        labels = {
            "template": self.templater.text(template)[:200],
            "host.name": one["host"],
            "service.name": source,
        }
        labels = {k: v for k, v in labels.items() if v}
        self.infos[template] = SeriesInfo(
            template, "log.messages", labels, "gauge", "{message}", "", one["item"]
        )

    def _sources_of(self, rows: _Rows, new: Counter[str], now_ms: int) -> None:
        """The sources that have written; who has not for longest makes room."""
        for source, lines in Counter(rows.sources).items():
            known = self._sources.setdefault(source, [now_ms, 0])
            known[1] += lines
            self._sources.move_to_end(source)
            self.patterns.came(source, lines, new[source], now_ms)
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
            "courses": self.courses.snapshot(),
            "values": self.values.snapshot(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back a snapshot, before the first batch."""
        if not self.templater.restore(state["templates"]):
            return
        self.rates.restore(state["rates"])
        self._seen = OrderedDict(zip(state["seen"].tolist(), state["lines"].tolist(), strict=True))
        self._sources = OrderedDict((k, list(v)) for k, v in state["sources"].items())
        self._open = {m[0]: (NewMessage(*m[:-1]), m[-1]) for m in state["open"]}
        self.infos = {
            i: SeriesInfo(i, "log.messages", labels, "gauge", "{message}", "", item)
            for i, labels, item in state["infos"]
        }
        self._rates_of = Counter(i.labels.get("service.name", "") for i in self.infos.values())
        if "courses" in state:  # none in what an older release has kept
            self.courses.restore(state["courses"])
            self.values.restore(state["values"])

    def remember(self, alert: Alert, data: Mapping[str, Any]) -> None:
        """Take for told what a living alert says was told."""
        if alert.source == words.VANISHED:
            self.courses.remember(words.missing_of(data, alert.item))
        elif alert.source == words.PATTERNLESS:
            self.patterns.remember(data["source"])
        elif alert.source == words.VALUE:
            unusual = words.unusual_of(data)
            row = {"item": alert.item, "source": data["source"], "host": data["host"], "body": ""}
            self._unusual.setdefault((unusual.template, unusual.place), (unusual, row, alert.last_seen_ms))
        else:
            message = findings.message_of(data, alert.item, alert.starts_ms)
            self._open.setdefault(message.template, (message, alert.last_seen_ms))


class _Rows:
    """What is asked of the rows of a batch."""

    def __init__(self, batch: pa.RecordBatch, items: pa.DictionaryArray[Any, Any] | None) -> None:
        self._batch, self._items, self._bodies = batch, items, batch.column("body")
        columns: list[list[Any]] = [batch.column(name).to_pylist() for name in ("service", "source", "host")]
        service, source, host = columns
        self._hosts: list[Any] = host
        self.sources: list[str] = [a or b or c for a, b, c in zip(service, source, host, strict=True)]

    def body(self, row: int) -> str:
        """The message."""
        text: str = self._bodies[row].as_py()
        return text

    def place(self, row: int) -> tuple[str, str, str]:
        """Item, source and host."""
        item = self._items[row].as_py() if self._items is not None else ""
        return item or "", self.sources[row], self._hosts[row]

    def row(self, row: int) -> dict[str, Any]:
        """All of it, with the item and the name of the source."""
        one: dict[str, Any] = self._batch.slice(row, 1).to_pylist()[0]
        item, source, _ = self.place(row)
        return {**one, "item": item, "source": source, "time_ms": one["received_ms"]}
