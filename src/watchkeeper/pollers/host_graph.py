"""From one look at a machine to its part of the graph: the host, what it contains, what runs on it, and who
needs whom. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from watchkeeper.model.hostnames import address, host_identifiers, is_generic
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, item_id, part
from watchkeeper.pollers.host_reading import FileSystem, Host, Interface, Machine
from watchkeeper.pollers.host_services import End, Talk
from watchkeeper.pollers.host_watch import Known

ORIGIN = "host"


def host_id(host: Host) -> str:
    """The id of the host's item: from its name, or from its machine id when the name says nothing."""
    name = host.machine_id if is_generic(host.hostname) and host.machine_id else host.hostname
    return item_id("host", name)


def service_id(host: str, key: str) -> str:
    """The id of the item of a service of the host with this id."""
    return item_id("service", host, key)


def discover(machine: Machine, services: Iterable[Known], talks: Iterable[Talk]) -> Discovery:
    """The graph around this machine. Nothing in it changes while the machine stays what it is: no pids, no
    numbers that move."""
    graph = _Graph(machine)
    graph.hardware()
    graph.services(list(services))
    graph.talks(talks)
    return Discovery(
        machine.time_ms, ORIGIN, tuple(graph.items.values()), tuple(dict.fromkeys(graph.relations))
    )


class _Graph:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.host = host_id(machine.host)
        self.items: dict[str, Item] = {}
        self.relations: list[Relation] = []
        self._known: set[str] = set()  # keys of services

    def hardware(self) -> None:
        m, host = self._machine, self.host
        self._add(Item(host, "host", m.host.hostname, tuple(_host_identifiers(m.host)), source=ORIGIN,
                       attributes=_host_attributes(m.host)))  # fmt: skip
        for d in m.disks:
            self._contain(host, "disk", d.name, [d.name], {"size_bytes": d.size_bytes, "model": d.model})
        for i in m.interfaces:
            self._contain(host, "interface", i.name, [i.name], _interface_attributes(i))
        for f in m.file_systems:
            whole = item_id("disk", host, f.disk) if f.disk else host
            self._contain(whole, "filesystem", f.mountpoint, list(_file_system_names(f)),
                          {"device": f.device, "type": f.kind})  # fmt: skip

    def services(self, services: list[Known]) -> None:
        programs = Counter(k.program for k in services)
        for k in services:
            names = [part(self.host, "service", k.name)]
            names += [part(self.host, "listen", f"{protocol}/{port}") for protocol, port in k.ports]
            if programs[k.program] == 1:
                names.append(part(self.host, "program", k.program))
            if k.unit:
                names.append(part(self.host, "unit", k.unit))
            told = {"program": k.program, "ports": [f"{port}/{protocol}" for protocol, port in k.ports],
                    "user": k.user, "unit": k.unit, "host": self._machine.host.hostname}  # fmt: skip
            self._run(Item(service_id(self.host, k.key), "service", k.name, tuple(names), source=ORIGIN,
                           attributes={a: v for a, v in told.items() if v}))  # fmt: skip
            self._known.add(k.key)

    def talks(self, talks: Iterable[Talk]) -> None:
        for talk in talks:
            source, target = self._end(talk.source), self._end(talk.target)
            if source and target:
                self.relations.append(Relation(source, target, RelationKind.DEPENDS_ON, ORIGIN))

    def _end(self, end: End) -> str:
        """The id of the item at this end, made if it is not there yet; "" when it is none."""
        if end.kind == "service":
            return service_id(self.host, end.key) if end.key in self._known else ""
        if end.kind == "process":
            names = (part(self.host, "program", end.key),)
            found = item_id("process", self.host, end.key)
            self._run(Item(found, "process", end.key, names, source=ORIGIN,
                           attributes={"host": self._machine.host.hostname}))  # fmt: skip
            return found
        if address(end.key.rpartition(":")[0]) is None:
            return ""
        found = item_id("endpoint", end.key)
        self._add(Item(found, "endpoint", end.key, (Identifier("endpoint", end.key),), source=ORIGIN))
        return found

    def _contain(self, whole: str, kind: str, name: str, local: list[str], told: dict[str, object]) -> None:
        item = Item(
            id=item_id(kind, self.host, name),
            kind=kind,
            name=f"{name} on {self._machine.host.hostname}",
            identifiers=tuple(part(self.host, kind, x) for x in local),
            source=ORIGIN,
            attributes={a: v for a, v in told.items() if v},
        )
        self._add(item)
        self.relations.append(Relation(whole, item.id, RelationKind.CONTAINS, ORIGIN))

    def _run(self, item: Item) -> None:
        self._add(item)
        self.relations.append(Relation(item.id, self.host, RelationKind.RUNS_ON, ORIGIN))

    def _add(self, item: Item) -> None:
        self.items.setdefault(item.id, item)


def _host_identifiers(host: Host) -> Iterator[Identifier]:
    if host.machine_id:
        yield Identifier("host.id", host.machine_id)
    if not is_generic(host.hostname):
        yield from host_identifiers(host.fqdn)
        yield from host_identifiers(host.hostname.partition(".")[0])
    yield from (Identifier("address", a) for a in host.addresses)


def _host_attributes(host: Host) -> dict[str, object]:
    told = {
        "os": host.os, "kernel": host.kernel, "architecture": host.architecture, "cpu": host.cpu_model,
        "cpus": host.cpus, "memory_bytes": host.memory_bytes, "addresses": list(host.addresses),
        "fqdn": host.fqdn, "machine_id": host.machine_id,
    }  # fmt: skip
    return {a: v for a, v in told.items() if v}


def _interface_attributes(i: Interface) -> dict[str, object]:
    return {
        "mac": i.mac,
        "addresses": list(i.addresses),
        "speed_mbit": i.speed_mbit,
        "state": "up" if i.up else "down",
    }


def _file_system_names(f: FileSystem) -> Iterator[str]:
    yield f.mountpoint
    if f.device.startswith("/dev/"):
        yield f.device
        yield f.device.removeprefix("/dev/")
