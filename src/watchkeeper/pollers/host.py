"""The host poller: finds this machine, what it consists of, what listens on it and who talks to whom;
it measures it, and says so when a service stops. An ordinary user's rights will do, with root's it sees more.

Every `look_every` seconds it reads processes and sockets, every `measure_every` the numbers. The graph is
told when it changes, and again every `tell_every`, so that the inventory knows it is still so. All of it is due at
once when the clock was set back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import psutil
import pyarrow as pa

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.hostnames import is_generic
from watchkeeper.model.series import NAME, labels_json, series_id
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery
from watchkeeper.pollers.host_events import event
from watchkeeper.pollers.host_graph import ORIGIN, discover
from watchkeeper.pollers.host_metrics import Point, Use, host_labels, points
from watchkeeper.pollers.host_reader import HostReader
from watchkeeper.pollers.host_reading import Gauges, Machine
from watchkeeper.pollers.host_services import Service, find_services, find_talks
from watchkeeper.pollers.host_sockets import ephemeral_ports
from watchkeeper.pollers.host_watch import Alert, State, Watch

Batches = list[tuple[Stream, pa.RecordBatch]]

DECLARE_EVERY_MS = 3_600_000  # series are declared again, for a consumer that has forgotten them
SAVE_EVERY_MS = 60_000
MOST_MEASURED = 60  # services
MOST_UNTOLD = 1_000  # events that wait for the journal
_log = logging.getLogger(__name__)


class HostPoller:
    """Inert until `run`, or `step` by `step`.

    `emit` takes batches to the journal and may raise WatchkeeperError: events are then told again with the
    next step, samples are not. `state` is a file that remembers the services over restarts. `own_root` is the
    process whose descendants are the platform itself, 0 for none.
    """

    def __init__(
        self,
        emit: Callable[[Batches], object],
        state: Path,
        *,
        own_root: int = 0,
        clock: Callable[[], float] = time.time,
        look_every: float = 5.0,
        measure_every: float = 10.0,
        tell_every: float = 60.0,
    ) -> None:
        self._emit, self._state, self._own_root, self._clock = emit, state, own_root, clock
        self._look_every = look_every
        self._measure_ms, self._tell_ms = int(measure_every * 1000), int(tell_every * 1000)
        self._reader: HostReader | None = None
        self._ephemeral = ephemeral_ports(Path("/proc"))
        self._watch = Watch()
        self._measured: tuple[Gauges, dict[str, Use]] | None = None
        self._told: Discovery | None = None
        self._declared: set[int] = set()
        self._declared_ms = 0
        self._untold: list[dict[str, object]] = []
        self._saved_ms = 0
        self.statistics = {"looks": 0, "failed_looks": 0, "refused": 0, "series": 0, "cpu_seconds": 0.0}

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set."""
        while not stop.is_set():
            began, spent = time.monotonic(), time.thread_time()
            self.step()
            self.statistics["cpu_seconds"] += time.thread_time() - spent
            stop.wait(max(0.1, self._look_every - (time.monotonic() - began)))
        self._save(int(self._clock() * 1000))

    def step(self) -> None:
        """One look, and what is due by now told. A machine that cannot be read just now is read next time."""
        now_ms = int(self._clock() * 1000)
        self.statistics["looks"] += 1
        if self._nothing_new(now_ms):
            return
        try:
            machine = self._look(now_ms)
            services = find_services(machine, self._own_root, self._ephemeral)
            alerts = self._watch.see(services, now_ms, machine.host.booted_ms)
            self._watch.hear(find_talks(machine, services, self._own_root), now_ms)
            out = (
                self._discoveries(machine) + self._samples(machine, services) + self._events(machine, alerts)
            )
        except (
            OSError,
            ValueError,
            LookupError,
            psutil.Error,
        ) as error:  # systems write their tables differently
            self.statistics["failed_looks"] += 1
            _log.warning("this machine could not be read: %r", error)
            return
        self._deliver(out)
        if alerts or not 0 <= now_ms - self._saved_ms < SAVE_EVERY_MS:
            self._save(now_ms)

    def _nothing_new(self, now_ms: int) -> bool:
        """Whether nothing is due, nobody is missed, and the same sockets listen as at the last look."""
        if self._reader is None or self._measured is None or self._untold or self._watch.uneasy():
            return False
        return 0 <= now_ms - self._measured[0].time_ms < self._measure_ms and self._reader.same_listeners()

    def _look(self, now_ms: int) -> Machine:
        if self._reader is None:
            self._watch = Watch(_load(self._state), self._ephemeral)
            self._reader = HostReader()
        return self._reader.look(now_ms)

    def _discoveries(self, machine: Machine) -> Batches:
        found = discover(machine, self._watch.shown(), self._watch.talks(machine.time_ms))
        told = self._told
        same = told is not None and (found.items, found.relations) == (told.items, told.relations)
        if same and told is not None and 0 <= machine.time_ms - told.time_ms < self._tell_ms:
            return []
        self._told = found
        row = {"time_ms": found.time_ms, "origin": ORIGIN, "document": msgspec.json.encode(found)}
        return [(Stream.DISCOVERIES, batch(Stream.DISCOVERIES, [row]))]

    def _samples(self, machine: Machine, services: Sequence[Service]) -> Batches:
        before, used_before = self._measured or (None, {})
        if self._reader is None or (before and 0 <= machine.time_ms - before.time_ms < self._measure_ms):
            return []
        now = self._reader.gauges(machine)
        present = {self._watch.of(s).key: s for s in services}
        used = {
            k.name: self._reader.use(k, present.get(k.key), machine.processes, self._own_root)
            for k in self._watch.shown()[:MOST_MEASURED]
        }
        self._measured = (now, used)
        labels = self._labels(machine)
        found = points(before, now, used_before, used.values(), labels, machine.host.cpus)
        return self._columns(list(found), machine.time_ms)

    def _columns(self, found: list[Point], now_ms: int) -> Batches:
        if not 0 <= now_ms - self._declared_ms < DECLARE_EVERY_MS:
            self._declared, self._declared_ms = set(), now_ms
        series: list[dict[str, object]] = []
        samples: list[dict[str, object]] = []
        for p in found:
            full = {**p.labels, NAME: p.name}
            number = series_id(full)
            samples.append({"series": number, "time_ms": now_ms, "value": p.value})
            if number not in self._declared:
                self._declared.add(number)
                series.append({"id": number, "name": p.name, "labels": labels_json(full), "kind": p.kind,
                               "unit": p.unit, "door": ORIGIN})  # fmt: skip
        self.statistics["series"] = len(self._declared)
        rows = ((Stream.SERIES, series), (Stream.SAMPLES, samples))
        return [(stream, batch(stream, some)) for stream, some in rows if some]

    def _events(self, machine: Machine, alerts: Sequence[Alert]) -> Batches:
        labels = self._labels(machine)
        self._untold += (event(a, labels, self._name, machine.time_ms) for a in alerts)
        del self._untold[:-MOST_UNTOLD]
        return [(Stream.EVENTS, batch(Stream.EVENTS, self._untold))] if self._untold else []

    def _labels(self, machine: Machine) -> dict[str, str]:
        return host_labels(machine.host, is_generic(machine.host.hostname))

    def _name(self, key: str) -> str:
        known = self._watch.known.get(key)
        return known.name if known else key

    def _deliver(self, out: Batches) -> None:
        if not out:
            return
        try:
            self._emit(out)
        except WatchkeeperError as error:
            # what is told once only is told again; the next samples come by themselves
            self.statistics["refused"] += 1
            self._told, self._declared = None, set()
            _log.warning("the journal took nothing of the host poller: %s", error)
        else:
            self._untold = []

    def _save(self, now_ms: int) -> None:
        """Keep the state, unless events are still to be told: after a restart they are then found again."""
        if self._reader is None or self._untold:
            return
        self._saved_ms = now_ms
        new = self._state.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(self._watch.state()))
            new.replace(self._state)
        except OSError as error:
            _log.warning("the known services could not be kept: %s", error)


def _load(path: Path) -> State | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        _log.warning("the known services cannot be read and are found anew (%s: %s)", path, error)
        return None
