"""Rows for the first stage, with what matters in the foreground, and a stage that is fed with them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.model.series import NAME, labels_json, series_id
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import (
    Discovery,
    Identifier,
    Item,
    Relation,
    RelationKind,
    Topology,
    item_id,
    part,
)  # fmt: skip

NOW = 1_800_000_000_000
Row = tuple[Stream, dict[str, object]]


def event(named: dict[str, str], door: str = "alertmanager", **more: object) -> Row:
    row = {"id": "e", "kind": "alert", "status": "firing", "name": "n", "severity": "critical", "summary": "",
           "starts_ms": NOW, "ends_ms": 0, "received_ms": NOW, "labels": json.dumps(named), "annotations": "{}",
           "url": "", "door": door}  # fmt: skip
    return Stream.EVENTS, {**row, **more}


def series(name: str, labels: dict[str, str], door: str = "remote_write", kind: str = "gauge") -> Row:
    number = series_id({**labels, NAME: name})
    row = {"id": number, "name": name, "labels": labels_json(labels), "kind": kind, "unit": "", "door": door}
    return Stream.SERIES, row


def sample(name: str, labels: dict[str, str], time_ms: int = NOW) -> Row:
    return Stream.SAMPLES, {"series": series_id({**labels, NAME: name}), "time_ms": time_ms, "value": 1.0}


def log(host: str = "", service: str = "", source: str = "", door: str = "syslog", **labels: str) -> Row:
    told = json.dumps({k.replace("__", "."): v for k, v in labels.items()}, separators=(",", ":"))
    row = {"time_ns": NOW * 10**6, "received_ms": NOW, "severity": 9, "host": host, "service": service,
           "source": source, "body": "", "labels": told, "trace_id": "", "span_id": "", "door": door}  # fmt: skip
    return Stream.LOGS, row


def span(
    service: str,
    kind: str = "internal",
    span_id: str = "a",
    parent: str = "",
    host: str = "",
    peer: str = "",
    **labels: str,
) -> Row:
    told = json.dumps({k.replace("__", "."): v for k, v in labels.items()}, separators=(",", ":"))
    row = {"trace_id": "t", "span_id": span_id, "parent_id": parent, "service": service, "name": "s", "kind": kind,
           "start_ns": NOW * 10**6, "duration_ns": 1, "status": "ok", "host": host, "peer": peer, "labels": told,
           "door": "otlp"}  # fmt: skip
    return Stream.SPANS, row


def discovery(*items: Item, relations: tuple[Any, ...] = (), origin: str = "host") -> Row:
    found = Discovery(NOW, origin, items, relations)
    return Stream.DISCOVERIES, {"time_ms": NOW, "origin": origin, "document": msgspec.json.encode(found)}


class Fed:
    """A stage with its clock and the graph that it has come to."""

    def __init__(self, stage: Normalise | None = None, topology: Topology | None = None) -> None:
        self.stage = stage or Normalise()
        self.topology = topology or Topology()
        self.now = NOW
        self.offset = 0

    def read(self, *rows: Row, after: int = 1000) -> Work:
        """One Work with these rows, those of one stream together."""
        self.now += after
        work = Work(self.offset, self.offset, self.now, self.topology)
        for stream in dict.fromkeys(s for s, _ in rows):
            self.offset += 1
            work.batches.append((self.offset, stream, batch(stream, [r for s, r in rows if s is stream])))
        self.stage.process(work)
        self.topology = work.topology
        return work

    def item(self, labels: dict[str, str], door: str = "alertmanager") -> str:
        """The name of the item that an event with these labels is about."""
        (read,) = self.read(event(labels, door)).events
        return self.topology.name(read.item)

    def edges(self) -> set[tuple[str, str, str]]:
        t = self.topology
        return {(t.name(r.source), r.kind.value, t.name(r.target)) for r in t.relations}

    def items(self, kind: str = "") -> list[str]:
        return sorted(i.name for i in self.topology.items.values() if kind in ("", i.kind))


VM = item_id("host", "vm")
DISK, POSTGRES = item_id("disk", VM, "sda"), item_id("service", VM, "postgres:5432")
HOST = Item(
    VM, "host", "vm", source="host",
    identifiers=(Identifier("host.id", "0" * 32), Identifier("hostname", "vm"), Identifier("address", "10.0.0.5")),
)  # fmt: skip
MACHINE = discovery(
    HOST,
    Item(DISK, "disk", "sda on vm", (part(VM, "disk", "sda"),), source="host"),
    Item(POSTGRES, "service", "postgres", (part(VM, "service", "postgres"), part(VM, "listen", "tcp/5432"),
                                           part(VM, "program", "postgres")), source="host"),
    relations=(Relation(VM, DISK, RelationKind.CONTAINS, "host"), Relation(POSTGRES, VM, RelationKind.RUNS_ON, "host")),
)  # fmt: skip
