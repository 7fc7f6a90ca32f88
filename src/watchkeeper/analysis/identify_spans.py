"""From spans to the graph: which service calls which, and which runs where.

A client's span and the server's span that it is the parent of name both ends of a call. They come in any order and
in different batches, so both wait for each other a short while; a client whose server sends no spans is taken at its
word about whom it called. Bounded: what waits longest goes first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeeper.analysis.identify import identifiers, peer
from watchkeeper.analysis.identify_graph import Growing
from watchkeeper.analysis.identify_hosts import resolve_host
from watchkeeper.analysis.identify_resolver import Denoted, Resolver
from watchkeeper.analysis.identify_rows import origins
from watchkeeper.model.hostnames import is_here
from watchkeeper.model.topology import Identifier, Item, Relation, RelationKind, item_id, part

ORIGIN = "spans"
WAIT_MS = 15_000
MOST_WAITING = 50_000
MOST_PEERS = 20_000
_PORTS = ("server.port", "net.peer.port")
_ADDRESSES = ("server.address", "network.peer.address", "net.peer.name", "net.peer.ip")
_SYSTEMS = ("db.system.name", "db.system", "messaging.system", "rpc.system")

_UNTRACED = ("db.system.name", "db.system", "messaging.system")

Key = tuple[str, str]  # trace id, span id
Rows = npt.NDArray[np.int64]


class _Client(NamedTuple):
    service: str  # item id
    peer: str
    labels: str  # kept only while it is not known who this peer is
    time_ms: int


class SpanGraph:
    """Calls between services, from the spans of all doors."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._graph: Growing = resolver.graph
        self._clients: dict[Key, _Client] = {}
        self._servers: dict[Key, tuple[str, int]] = {}  # by parent: the service that was called, and when
        self._peers: dict[tuple[str, str], str] = {}  # whom a service means by a name: item id, "" for nobody
        self._decode = msgspec.json.Decoder(dict[str, str]).decode

    def forget(self) -> None:
        """Forget who is meant by which name: the graph was changed by others."""
        self.loosen()
        self._clients.clear()
        self._servers.clear()

    def loosen(self) -> None:
        """Ask again who is meant by which name: the graph has grown."""
        self._peers.clear()

    def read(self, batch: pa.RecordBatch, now_ms: int) -> None:
        """Take in SPANS rows."""
        found = origins(batch, ("service", "host"))
        services = [self._denoted(labels).service for labels in found.labels]
        kinds = batch.column("kind")
        self._read_clients(batch, kinds, services, found.of_row, now_ms)
        self._read_servers(batch, kinds, services, found.of_row, now_ms)

    def _denoted(self, labels: dict[str, str]) -> Denoted:
        return self._resolver.of(labels, ORIGIN)

    def _read_clients(
        self, batch: pa.RecordBatch, kinds: pa.Array[Any], services: list[str], of_row: Rows, now_ms: int
    ) -> None:  # fmt: skip
        rows = _where(kinds, ("client", "producer"))
        all_labels = batch.column("labels")
        columns = (_texts(batch, c, rows) for c in ("trace_id", "span_id", "kind", "peer"))
        for row, trace, span, kind, name in zip(rows.tolist(), *columns, strict=True):
            service = services[of_row[row]]
            if not service:
                continue
            server = self._servers.pop((trace, span), None) if kind == "client" else None
            known = self._peers.get((service, name))
            if server is not None:
                self._calls(service, server[0])
                if known is None and name:
                    self._answers(_Client(service, name, all_labels[row].as_py(), now_ms), server[0])
                self._remember_peer(service, name, server[0])
            elif known:
                self._calls(service, known)
            if server is None:
                told = all_labels[row].as_py() if name and known is None else ""
                client = _Client(service, name if known is None else "", told, now_ms)
                if any(f'"{system}"' in told for system in _UNTRACED) and not self._machine_unknown(client):
                    self._take_word(client)  # a database or broker has no span of its own to wait for
                else:
                    self._clients[trace, span] = client
        _bound(self._clients)

    def _read_servers(
        self, batch: pa.RecordBatch, kinds: pa.Array[Any], services: list[str], of_row: Rows, now_ms: int
    ) -> None:  # fmt: skip
        rows = _where(kinds, ("server",))
        columns = (_texts(batch, c, rows) for c in ("trace_id", "parent_id"))
        for row, trace, parent in zip(rows.tolist(), *columns, strict=True):
            service = services[of_row[row]]
            if not service or not parent:
                continue
            client = self._clients.pop((trace, parent), None)
            if client is None:
                self._servers[trace, parent] = (service, now_ms)
            else:
                self._calls(client.service, service)
                if client.peer and (client.service, client.peer) not in self._peers:
                    self._answers(client, service)
                self._remember_peer(client.service, client.peer, service)
        _bound(self._servers)

    def settle(self, now_ms: int) -> None:
        """Take those clients at their word that have waited long enough; give up servers that have."""
        before = now_ms - WAIT_MS
        for key, client in _older(self._clients, before):
            del self._clients[key]
            if client.peer:
                self._take_word(client)
        for key in [k for k, (_, since) in self._servers.items() if since <= before]:
            del self._servers[key]

    def _take_word(self, client: _Client) -> None:
        named = (client.service, client.peer)
        if named not in self._peers:
            item = self._called(client)
            self._remember_peer(*named, item.id if item else "")
        if self._peers.get(named):
            self._calls(client.service, self._peers[named])

    def _remember_peer(self, service: str, name: str, item: str) -> None:
        if name:
            if len(self._peers) >= MOST_PEERS:
                self._peers.clear()
            self._peers[service, name] = item

    def _calls(self, client: str, server: str) -> None:
        if client != server:
            relation = Relation(client, server, RelationKind.DEPENDS_ON, ORIGIN)
            self._graph.add(ORIGIN, (), (relation,))
            self._graph.seen((client, server), (relation,))

    def _told(self, client: _Client) -> tuple[dict[str, str], int]:
        """What a client's span says about whom it called, and the port among it (0 for none)."""
        try:
            labels = self._decode(client.labels)
        except msgspec.DecodeError:
            labels = {}
        told = next((labels[p] for p in _PORTS if p in labels), "")
        return labels, int(told) if told.isascii() and told.isdigit() and int(told[:6]) < 65536 else 0

    def _answers(self, client: _Client, service: str) -> None:
        """What listens where the client called is an instance of the service whose span answered."""
        labels, port = self._told(client)
        found = self._beside(client.service, labels, port)
        if found is None and port:
            far, topology = peer(client.peer, port), self._graph.topology
            machine = resolve_host(topology, far.host)
            names = (part(machine.id, *name) for name in far.local) if machine else ()
            found = topology.resolve(names) or topology.resolve(far.far)
        if found is not None and found.id != service and found.kind in ("service", "process", "endpoint"):
            relation = Relation(found.id, service, RelationKind.MEMBER_OF, ORIGIN)
            self._graph.add(ORIGIN, (), (relation,))

    def _machine_unknown(self, client: _Client) -> bool:
        """Whether it called a loopback address where nobody has been seen to listen yet."""
        labels, port = self._told(client)
        here = port and any(is_here(labels.get(name, "")) for name in _ADDRESSES)
        return bool(here) and self._beside(client.service, labels, port) is None

    def _called(self, client: _Client) -> Item | None:
        """The item that a client means by its peer, made if nobody has described it; None when it says nothing."""
        labels, port = self._told(client)
        if (beside := self._beside(client.service, labels, port)) is not None:
            return beside
        if any(labels.get(name) == client.peer for name in _SYSTEMS):
            return self._database(client)
        far = peer(client.peer, port)
        topology = self._graph.topology
        machine = resolve_host(topology, far.host)
        known = topology.resolve(identifiers(far, machine.id if machine else ""))
        if known is not None:
            return known
        if far.service:
            return self._new("service", far.service, (*far.service_identifiers, *far.far))
        names = far.far or tuple(Identifier("endpoint", x.value) for x in far.host)
        return self._new("endpoint", names[0].value, names) if names else None

    def _beside(self, service: str, labels: dict[str, str], port: int) -> Item | None:
        """Who listens on this port of the client's own machine, when it calls a loopback address."""
        if not port or not any(is_here(labels.get(name, "")) for name in _ADDRESSES):
            return None
        topology = self._graph.topology
        runs_on = (r.target for r in topology.outgoing.get(service, ()) if r.kind is RelationKind.RUNS_ON)
        hosts = {
            h for h in runs_on if topology.items[h].kind == "host"
        }  # each origin has a relation of its own
        return topology.resolve((part(hosts.pop(), "listen", f"tcp/{port}"),)) if len(hosts) == 1 else None

    def _database(self, client: _Client) -> Item | None:
        """A client that says only which kind of database or queue it calls has one of its own, for all we know."""
        name = Identifier("peer", f"{client.service}/{client.peer}".lower())
        return self._graph.topology.resolve((name,)) or self._new("database", client.peer, (name,))

    def _new(self, kind: str, name: str, names: tuple[Identifier, ...]) -> Item | None:
        if not self._graph.admits(ORIGIN):
            return None
        item = Item(item_id(kind, names[0].value), kind, name, names, discovered=True, source=ORIGIN)
        self._graph.add(ORIGIN, (item,), ())
        return item


def _where(kinds: pa.Array[Any], wanted: tuple[str, ...]) -> Rows:
    coded = kinds.dictionary_encode()
    numbers = [n for n, kind in enumerate(coded.dictionary.to_pylist()) if kind in wanted]
    return np.flatnonzero(np.isin(coded.indices.to_numpy(zero_copy_only=False), numbers))


def _texts(batch: pa.RecordBatch, column: str, rows: Rows) -> list[str]:
    some: Any = batch.column(column).take(pa.array(rows, pa.int64()))
    found: list[str] = some.to_pylist()
    return found


def _older(clients: dict[Key, _Client], before: int) -> list[tuple[Key, _Client]]:
    """Those that came before this time; a dict keeps the order in which they came."""
    found = []
    for key, client in clients.items():
        if client.time_ms > before:
            break
        found.append((key, client))
    return found


def _bound(waiting: dict[Key, Any]) -> None:
    for key in list(waiting)[: max(0, len(waiting) - MOST_WAITING)]:
        del waiting[key]
