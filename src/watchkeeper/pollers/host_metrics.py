"""From gauges of a machine to samples, named by OpenTelemetry's semantic conventions for system and process
metrics (https://opentelemetry.io/docs/specs/semconv/system/, version 1.44). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from watchkeeper.pollers.host_reading import Gauges, Host

UP = "watchkeeper.service.up"


class Point(NamedTuple):
    """One sample with the name, labels, kind and unit of its series."""

    name: str
    labels: dict[str, str]
    kind: str  # gauge, counter
    unit: str  # UCUM
    value: float


class Use(msgspec.Struct, frozen=True):
    """What a service uses, over all its processes. CPU seconds are by (pid, start): processes come and go."""

    name: str
    port: int
    up: bool
    cpu_seconds: dict[tuple[int, int], float] = {}
    memory_bytes: int = 0
    threads: int = 0
    files: int | None = None  # None: not ours to know


def host_labels(host: Host, generic: bool) -> dict[str, str]:
    """The labels of everything that comes from this machine; its id too when its name says nothing."""
    named = {"host.name": host.hostname}
    return {**named, "host.id": host.machine_id} if generic and host.machine_id else named


def points(
    before: Gauges | None, now: Gauges, used_before: Mapping[str, Use], used: Iterable[Use],
    labels: dict[str, str], cpus: int,
) -> Iterator[Point]:  # fmt: skip
    """Every sample of one look. `before` and `used_before` are the last look: without them, and after a
    restart of the machine, what is made from differences is left out."""
    seconds = (now.time_ms - before.time_ms) / 1000 if before else 0.0
    parts = (
        _cpu(before, now),
        _memory(now),
        _file_systems(now),
        _disks(now),
        _interfaces(now),
        _whole(now),
        *(_service(used_before.get(u.name), u, seconds, cpus) for u in used),
    )
    for part in parts:
        for p in part:
            yield p._replace(labels={**labels, **p.labels})


def _cpu(before: Gauges | None, now: Gauges) -> Iterator[Point]:
    spent: dict[str, float] = {}
    if before and now.uptime_seconds >= before.uptime_seconds:
        # idle and iowait are known to run backwards: on an idle CPU the kernel only estimates them
        spent = {m: max(0.0, s - before.cpu_seconds.get(m, 0.0)) for m, s in now.cpu_seconds.items()}
    total = sum(spent.values())
    if total > 0:
        for mode, seconds in spent.items():
            yield _gauge("system.cpu.utilization", {"cpu.mode": mode}, "1", seconds / total)
    for minutes, load in zip((1, 5, 15), now.load, strict=False):
        yield _gauge(f"system.cpu.load_average.{minutes}m", {}, "{thread}", load)


def _memory(now: Gauges) -> Iterator[Point]:
    for state, size in now.memory_bytes.items():
        yield _gauge("system.memory.usage", {"system.memory.state": state}, "By", size)
    if now.memory_limit:
        # by what programs can still get, so that caches do not count as used
        share = 1 - now.memory_available / now.memory_limit
        yield _gauge("system.memory.utilization", {"system.memory.state": "used"}, "1", share)
    for state, size in now.paging_bytes.items():
        yield _gauge("system.paging.usage", {"system.paging.state": state}, "By", size)


def _file_systems(now: Gauges) -> Iterator[Point]:
    for mount, (used, free, reserved) in now.file_systems.items():
        at = {"system.filesystem.mountpoint": mount}
        for state, size in (("used", used), ("free", free), ("reserved", reserved)):
            yield _gauge("system.filesystem.usage", {**at, "system.filesystem.state": state}, "By", size)
        if used + free:
            # as df has it: of what an ordinary user could fill
            yield _gauge("system.filesystem.utilization", at, "1", used / (used + free))


def _disks(now: Gauges) -> Iterator[Point]:
    for name, counted in now.disks.items():
        at = {"system.device": name}
        for direction in ("read", "write"):
            which = {**at, "disk.io.direction": direction}
            yield _counter("system.disk.io", which, "By", counted[f"{direction}_bytes"])
            yield _counter("system.disk.operations", which, "{operation}", counted[f"{direction}_count"])
        if "busy_seconds" in counted:
            yield _counter("system.disk.io_time", at, "s", counted["busy_seconds"])


def _interfaces(now: Gauges) -> Iterator[Point]:
    for name, counted in now.interfaces.items():
        for direction, short, way in (("receive", "recv", "in"), ("transmit", "sent", "out")):
            which = {"network.interface.name": name, "network.io.direction": direction}
            yield _counter("system.network.io", which, "By", counted[f"bytes_{short}"])
            yield _counter("system.network.errors", which, "{error}", counted[f"err{way}"])
            yield _counter("system.network.packet.dropped", which, "{packet}", counted[f"drop{way}"])


def _whole(now: Gauges) -> Iterator[Point]:
    for status, count in now.processes.items():
        yield _gauge("system.process.count", {"process.state": status}, "{process}", count)
    yield _gauge("system.uptime", {}, "s", now.uptime_seconds)


def _service(before: Use | None, now: Use, seconds: float, cpus: int) -> Iterator[Point]:
    which = {"service.name": now.name}
    yield _gauge(UP, {**which, "server.port": str(now.port)}, "1", float(now.up))
    if not now.cpu_seconds:
        return
    if before is not None and before.cpu_seconds and seconds > 0:
        spent = sum(max(0.0, s - before.cpu_seconds.get(p, 0.0)) for p, s in now.cpu_seconds.items())
        yield _gauge("process.cpu.utilization", which, "1", spent / seconds / max(1, cpus))
    yield _gauge("process.memory.usage", which, "By", now.memory_bytes)
    yield _gauge("process.thread.count", which, "{thread}", now.threads)
    if now.files is not None:
        yield _gauge("process.unix.file_descriptor.count", which, "{file_descriptor}", now.files)


def _gauge(name: str, labels: dict[str, str], unit: str, value: float) -> Point:
    return Point(name, labels, "gauge", unit, float(value))


def _counter(name: str, labels: dict[str, str], unit: str, value: float) -> Point:
    return Point(name, labels, "counter", unit, float(value))
