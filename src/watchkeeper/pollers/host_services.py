"""From processes and sockets to services, and who talks to whom. Pure.

A service is a program that listens: all processes that hold one socket, and all sockets one process holds,
are one service, its workers included. The platform's own processes are one service, `watchkeeper`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from watchkeeper.model.hostnames import is_here
from watchkeeper.pollers.host_names import program
from watchkeeper.pollers.host_reading import Connection, Listener, Machine, Process

OWN = "watchkeeper"
SETTLED_MS = 60_000  # a client that lives shorter is no item
MOST_ENDPOINTS = 32  # far ends of one program that become items; a crawler has no dependencies, it has prey
EPHEMERAL = 32_768
_DEEP = 64  # ancestors looked at


class Service(msgspec.Struct, frozen=True):
    """A listening program as it is now. `ports` are sorted, the one it is known by first."""

    program: str
    ports: tuple[tuple[str, int], ...]  # protocol, port
    addresses: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()  # () when we may not know
    user: str = ""
    unit: str = ""
    started_ms: int = 0  # 0: not known

    @property
    def key(self) -> str:
        """What tells it apart from the other services of this machine at this moment."""
        protocol, port = self.ports[0]
        return f"{self.program}:{port}" if protocol == "tcp" else f"{self.program}:{port}/{protocol}"


class End(NamedTuple):
    """One end of a talk: a service by its key, a process by its program, an endpoint by address:port."""

    kind: str  # service, process, endpoint
    key: str


class Talk(NamedTuple):
    """`source` has a connection open to `target`, so it needs it."""

    source: End
    target: End


def find_services(machine: Machine, own_root: int, ephemeral: int = EPHEMERAL) -> list[Service]:
    """The services of a machine, by key. `own_root` is the process whose descendants are the platform."""
    family = _Family(machine.processes, own_root)
    groups: dict[tuple[str, object], list[Listener]] = {}
    for listener, holders in _held_together(machine.sockets.listeners, machine.processes):
        name = family.program(holders[0]) if holders else _by_port(listener)
        whose: object = holders or listener.port
        groups.setdefault((name, OWN if name == OWN else whose), []).append(listener)
    found: dict[str, Service] = {}
    for (name, _), listeners in groups.items():
        new = _service(name, listeners, machine.processes, ephemeral)
        old = found.get(new.key)
        found[new.key] = _joined(old, new) if old else new
    return [found[key] for key in sorted(found)]


def find_talks(machine: Machine, services: Collection[Service], own_root: int) -> list[Talk]:
    """Who talks to whom now, without repeats; talks within one service are none."""
    family = _Family(machine.processes, own_root)
    of_pid = {pid: s.key for s in services for pid in s.pids}
    of_port: dict[int, list[Service]] = {}
    for s in services:
        for protocol, port in s.ports:
            if protocol == "tcp":
                of_port.setdefault(port, []).append(s)
    own = {*machine.host.addresses, *(a for i in machine.interfaces for a in i.addresses)}

    def source(pid: int) -> End | None:
        key = family.service(pid, of_pid, services)
        if key:
            return End("service", key)
        process = machine.processes.get(pid)
        if process is None or machine.time_ms - process.started_ms < SETTLED_MS:
            return None
        return End("process", family.program(pid))

    talks: set[Talk] = set()
    for c in machine.sockets.connections:
        # what comes in is the other end's to tell: on a port of ours and not to one of ours
        if c.port in of_port and not (_local(c.remote, own) and c.remote_port in of_port):
            continue
        target = _target(c, of_port, own)
        speaker = source(c.pid) if c.pid and target else None
        if speaker and target and speaker != target:
            talks.add(Talk(speaker, target))
    for client, server in machine.sockets.unix:
        key, speaker = of_pid.get(server), source(client)
        if key and speaker and speaker.key != key:
            talks.add(Talk(speaker, End("service", key)))
    return _bounded(talks)


def workers(service: Service, processes: Mapping[int, Process], own_root: int) -> list[int]:
    """The pids of a service with those of its workers: descendants that run the same program."""
    family = _Family(processes, own_root)
    children: dict[int, list[int]] = {}
    for p in processes.values():
        children.setdefault(p.parent, []).append(p.pid)
    found = dict.fromkeys(service.pids)
    waiting = list(service.pids)
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in found and family.program(pid) == service.program:
                found[pid] = None
                waiting.append(pid)
    return list(found)


def _target(c: Connection, of_port: Mapping[int, list[Service]], own: Collection[str]) -> End | None:
    if not _local(c.remote, own):
        return End(
            "endpoint", f"[{c.remote}]:{c.remote_port}" if ":" in c.remote else f"{c.remote}:{c.remote_port}"
        )
    there = of_port.get(c.remote_port)
    if not there:
        return None
    exact = next((s for s in there if c.remote in s.addresses), there[0])
    return End("service", exact.key)


def _local(address: str, own: Collection[str]) -> bool:
    return address in own or is_here(address)


def _bounded(talks: Iterable[Talk]) -> list[Talk]:
    far: dict[End, int] = {}
    kept = []
    for talk in sorted(talks):
        if talk.target.kind == "endpoint":
            far[talk.source] = far.get(talk.source, 0) + 1
            if far[talk.source] > MOST_ENDPOINTS:
                continue
        kept.append(talk)
    return kept


def _held_together(
    listeners: Iterable[Listener], processes: Mapping[int, Process]
) -> list[tuple[Listener, tuple[int, ...]]]:
    """Each listener with the pids of its whole service, the oldest first: listeners that share a holder share
    them all. An init process holds sockets for others (systemd's socket units), so it is no holder."""
    root: dict[int, int] = {}

    def find(pid: int) -> int:
        while root.setdefault(pid, pid) != pid:
            root[pid] = pid = root[root[pid]]
        return pid

    held = [(x, tuple(p for p in x.pids if p in processes and not _is_init(processes[p]))) for x in listeners]
    for _, pids in held:
        for pid in pids:
            a, b = sorted((find(pids[0]), find(pid)))
            root[b] = a
    together: dict[int, list[int]] = {}
    for pid in sorted(root, key=lambda p: (processes[p].started_ms, p)):
        together.setdefault(find(pid), []).append(pid)
    return [(x, tuple(together[find(pids[0])]) if pids else ()) for x, pids in held]


def _is_init(process: Process) -> bool:
    return process.pid == 1 and process.name in ("systemd", "init")


def _service(
    name: str, listeners: list[Listener], processes: Mapping[int, Process], ephemeral: int
) -> Service:
    pids = tuple(
        sorted({p for x in listeners for p in x.pids if p in processes and not _is_init(processes[p])})
    )
    first = processes[pids[0]] if pids else None
    ports = sorted({(x.protocol, x.port) for x in listeners}, key=lambda p: (p[1] >= ephemeral, p))
    return Service(
        program=name,
        ports=tuple(ports),
        addresses=tuple(sorted({x.address for x in listeners})),
        pids=pids,
        user=first.user if first else "",
        unit=first.unit if first else "",
        started_ms=min((processes[p].started_ms for p in pids), default=0),
    )


def _joined(a: Service, b: Service) -> Service:
    return msgspec.structs.replace(
        a,
        ports=(*a.ports, *(p for p in b.ports if p not in a.ports)),
        addresses=tuple(sorted({*a.addresses, *b.addresses})),
        pids=tuple(sorted({*a.pids, *b.pids})),
        started_ms=min(a.started_ms or b.started_ms, b.started_ms or a.started_ms),
    )


def _by_port(listener: Listener) -> str:
    """A name for what we may not look into, by what usually listens there."""
    return _USUAL.get((listener.protocol, listener.port), f"port-{listener.port}")


_USUAL = {
    ("tcp", 22): "sshd", ("tcp", 25): "smtp", ("tcp", 53): "dns", ("udp", 53): "dns", ("tcp", 80): "http",
    ("tcp", 111): "rpcbind", ("udp", 123): "ntp", ("tcp", 443): "https", ("tcp", 631): "cups",
    ("tcp", 1883): "mqtt", ("tcp", 3306): "mysql", ("tcp", 4222): "nats-server", ("tcp", 4369): "epmd",
    ("tcp", 5432): "postgres", ("tcp", 5672): "rabbitmq", ("tcp", 6379): "redis", ("tcp", 9092): "kafka",
    ("tcp", 9200): "elasticsearch", ("tcp", 11211): "memcached", ("tcp", 27017): "mongodb",
}  # fmt: skip


class _Family:
    """Which program a process belongs to, by itself and by its ancestors."""

    def __init__(self, processes: Mapping[int, Process], own_root: int) -> None:
        self._processes = processes
        self._own_root = own_root
        self._programs: dict[int, str] = {}

    def program(self, pid: int) -> str:
        known = self._programs.get(pid)
        if known is None:
            known = OWN if self._is_own(pid) else program(self._processes[pid])
            self._programs[pid] = known
        return known

    def service(self, pid: int, of_pid: Mapping[int, str], services: Collection[Service]) -> str:
        """The key of the service that a process serves in: it holds a socket of it, descends from one that
        does and runs the same program, or is in the same unit; "" when it serves in none."""
        process = self._processes.get(pid)
        if process is None:
            return ""
        if self._is_own(pid):
            return next((s.key for s in services if s.program == OWN), "")
        name, at = self.program(pid), pid
        for _ in range(_DEEP):
            if at in of_pid:
                return of_pid[at]
            at = self._processes[at].parent
            if at not in self._processes or self.program(at) != name:
                break
        same = [s.key for s in services if process.unit and s.unit == process.unit]
        return same[0] if len(same) == 1 else ""

    def _is_own(self, pid: int) -> bool:
        for _ in range(_DEEP):
            if pid == self._own_root:
                return True
            process = self._processes.get(pid)
            if process is None or not self._own_root:
                return False
            pid = process.parent
        return False
