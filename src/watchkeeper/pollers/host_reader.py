"""Reads this machine again and again, and keeps what is dear to read and seldom changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from watchkeeper.pollers.host_metrics import Use
from watchkeeper.pollers.host_processes import processes
from watchkeeper.pollers.host_reading import Gauges, Machine, Process
from watchkeeper.pollers.host_services import Service, workers
from watchkeeper.pollers.host_sockets import sockets
from watchkeeper.pollers.host_system import (
    read_disks,
    read_file_systems,
    read_gauges,
    read_host,
    read_interfaces,
)
from watchkeeper.pollers.host_watch import Known

MOST_COUNTED = 32  # processes of one service whose open files are counted


class HostReader:
    """This machine. `facts_every` seconds may pass until a new disk or address is seen."""

    def __init__(self, facts_every: float = 60.0, walk_every: float = 30.0) -> None:
        self._every_ms = int(facts_every * 1000)
        self._read_facts(0)
        self._processes = processes(booted_ms=self._host.booted_ms)
        self._sockets = sockets(walk_every=walk_every)

    def _read_facts(self, now_ms: int) -> None:
        self._facts_ms = now_ms
        self._host = read_host()
        self._disks = read_disks()
        self._file_systems = read_file_systems(self._disks)
        self._interfaces = read_interfaces()

    def look(self, now_ms: int) -> Machine:
        """The machine as it is. Raises OSError and psutil.Error when the system cannot be read at all."""
        if not 0 <= now_ms - self._facts_ms < self._every_ms:
            self._read_facts(now_ms)
        found = self._processes.read()
        users = [p.pid for p in found.values() if p.command]  # kernel threads have no sockets
        held = self._sockets.read(users, now_ms / 1000)
        return Machine(now_ms, self._host, self._disks, self._file_systems, self._interfaces, found, held)

    def same_listeners(self) -> bool:
        """Whether the listening sockets are those of the last look; False where that is not cheap to tell."""
        return self._sockets.same_listeners()

    def gauges(self, machine: Machine) -> Gauges:
        """The numbers of the machine, now."""
        counted = Counter(p.status for p in machine.processes.values())
        return read_gauges(self._file_systems, self._disks, self._interfaces, dict(counted), machine.time_ms)

    def use(self, known: Known, service: Service | None, table: dict[int, Process], own_root: int) -> Use:
        """What a known service uses; `service` is what it is now, None while it is away."""
        port = known.ports[0][1]
        if service is None:
            return Use(known.name, port, up=False)
        mine = [table[pid] for pid in workers(service, table, own_root) if pid in table]
        return Use(
            known.name,
            port,
            up=True,
            cpu_seconds={(p.pid, p.started_ms): p.cpu_seconds for p in mine},
            memory_bytes=sum(p.memory_bytes for p in mine),
            threads=sum(p.threads for p in mine),
            files=self._open_files(mine),
        )

    def _open_files(self, mine: Iterable[Process]) -> int | None:
        counts = [self._processes.open_files(p.pid) for p in list(mine)[:MOST_COUNTED]]
        known = [c for c in counts if c is not None]
        return sum(known) if known else None
