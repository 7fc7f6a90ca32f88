"""The same samples in Debian's Prometheus and in the store, and both asked the same."""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually, free_port
from tests.telemetry.signals import carry, of, samples, series
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.series import labels_json, series_id
from watchkeeper.model.signals import Stream
from watchkeeper.telemetry.store import Store

INTERVAL = 15_000
COUNT = 240  # samples of a series, an hour
STALE = float(np.uint64(0x7FF0000000000002).view(np.float64))
NAN = float(np.uint64(0x7FF8000000000001).view(np.float64))  # as Prometheus writes it
Labels = dict[str, str]
Row = tuple[int, float]


class World:
    """Counters that restart, have gaps and end; gauges with NaN and Inf; a histogram; an info metric. Half of them are
    on the grid of the steps, half beside it."""

    def __init__(self, start_ms: int) -> None:
        self.series: list[tuple[Labels, list[Row]]] = []
        self._start, self._random = start_ms, random.Random(7)
        self._counters()
        self._gauges()
        for job in ("web", "api"):
            self._histogram(job)

    def _add(self, name: str, rows: list[Row], **labels: str) -> None:
        self.series.append(({"__name__": name, **labels}, rows))

    def _at(self, i: int, jitter: int = 0) -> int:
        return self._start + i * INTERVAL + (self._random.randrange(1, jitter) if jitter else 0)

    def _counters(self) -> None:
        which = [
            (i, m, c) for i in ("web-1", "web-2", "web-3") for m in ("GET", "POST") for c in ("200", "500")
        ]
        for n, (instance, method, code) in enumerate(which):
            rows = self._counted(n)
            if instance == "web-2":  # a gap that is longer than the lookback
                rows = rows[:80] + rows[125:]
            elif instance == "web-3":  # comes later, and ends with a mark
                rows = [*rows[40:170], (self._at(170), STALE)]
            self._add("http_requests_total", rows, job="web", instance=instance, method=method, code=code)

    def _counted(self, n: int) -> list[Row]:
        value, rows = 0.0, []
        for i in range(COUNT):
            restarts = self._random.random() < 0.01
            value = 0.0 if restarts else value + self._random.choice((0, 1, 3, 10.5)) * (n + 1)
            rows.append((self._at(i, 9000 if n % 2 else 0), value))
        return rows

    def _gauges(self) -> None:
        for n, host in enumerate(("db-1", "db-2")):
            for mode in ("idle", "user", "system"):
                scale = 1e7 if mode == "system" else 1.0
                rows = [(self._at(i), round(self._random.gauss(50, 20), 3) * scale) for i in range(COUNT)]
                if (host, mode) == ("db-2", "user"):
                    rows = [
                        (t, NAN if i % 11 == 0 else math.inf if i % 37 == 0 else v)
                        for i, (t, v) in enumerate(rows)
                    ]
                self._add("cpu", rows, host=host, mode=mode, job="node")
            self._add("node_info", self._made(lambda _: 1.0), host=host, version=f"1.{n}", job="node")
            self._add("limit", [(t, 40.0 + 20 * n) for t, _ in self._made(float)][::4], host=host)
        self._add("temperature", self._made(lambda i: -5 + 10 * math.sin(i / 15), 14_000), place="roof")
        self._add("temperature", self._made(lambda i: float(i // 50)), place="cellar")
        self._add("started", self._made(lambda _: float(self._start // 1000)), host="db-1")
        for instance in ("web-1", "web-2"):
            self._add("up", self._made(lambda i: float(i % 9 != 0)), job="web", instance=instance)

    def _made(self, value: Callable[[int], float], jitter: int = 0) -> list[Row]:
        return [(self._at(i, jitter), value(i)) for i in range(COUNT)]

    def _histogram(self, job: str) -> None:
        counts = [0.0] * 5
        rows_of: list[list[Row]] = [[] for _ in counts]
        for i in range(COUNT):
            grown = self._random.randrange(5)
            for k in range(5):
                counts[k] += 0 if k < grown else self._random.randrange(1, 4) if k == grown else 3
                rows_of[k].append((self._at(i), counts[k]))
        for le, rows in zip(("0.1", "0.5", "1", "2.5", "+Inf"), rows_of, strict=True):
            ends = COUNT // 2 if (job, le) == ("api", "0.5") else COUNT
            self._add("duration_seconds_bucket", rows[:ends], job=job, le=le)


def load(store: Store, journal: SqliteJournal, made: list[tuple[Labels, list[Row]]]) -> None:
    """The samples into the store, the way they always take from the journal on."""
    ids = [series_id(labels) for labels, _ in made]
    known = [
        series(i, labels["__name__"], labels_json(labels)) for i, (labels, _) in zip(ids, made, strict=True)
    ]
    journal.append([
        of(Stream.SERIES, *known),
        samples([(i, t, v) for i, (_, rows) in zip(ids, made, strict=True) for t, v in rows]),
    ])  # fmt: skip
    carry(journal, store)


@dataclass
class Prometheus:
    """A running Prometheus that takes remote write."""

    url: str

    def load(self, made: list[tuple[Labels, list[Row]]]) -> None:
        """The same samples, in order of time, as it wants them."""
        every = sorted({t for _, rows in made for t, _ in rows})
        cuts = [every[i] for i in range(0, len(every), 400)] + [every[-1] + 1]
        for low, high in itertools.pairwise(cuts):
            part = [(labels, [(v, t) for t, v in rows if low <= t < high]) for labels, rows in made]
            body = packed(request([one for one in part if one[1]]))
            headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
            urllib.request.urlopen(urllib.request.Request(f"{self.url}/api/v1/write", body, headers)).close()

    def ask(self, path: str, **given: Any) -> Any:
        """What the API answers."""
        return ask(f"{self.url}/api/v1/{path}", given)


def ask(url: str, given: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """The JSON of a query by POST, also of one that is refused."""
    body = urllib.parse.urlencode(given, doseq=True).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {})) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Debian's, with an empty database."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address={address}", "--web.enable-remote-write-receiver", "--log.level=error"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: _ready(address), 30)
            yield Prometheus(f"http://{address}")
        finally:
            running.terminate()


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
