"""`watchkeeper lab correlate`: alerts from a file through the live correlator and cause finder. A stream: a
situation is written once nothing can join it any more, and memory holds only what is still going on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from watchkeeper.analysis.causes.clue import Clue
from watchkeeper.analysis.correlators.arrival import Arrival, Member
from watchkeeper.model.reason import Reason
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology
from watchkeeper.model.verdicts import Severity

DONE_MS = 1_800_000  # a group without a new alert for so long is written
SWEEP_MS = 300_000


class Line(msgspec.Struct, frozen=True):
    """One alert of the input."""

    id: str
    time: int
    entity: str
    kind: str = ""
    name: str = ""
    severity: str = "warning"
    summary: str = ""
    labels: dict[str, str] = {}


class Node(msgspec.Struct, frozen=True):
    """One item of the topology file."""

    id: str
    kind: str = "item"


class Edge(msgspec.Struct, frozen=True):
    """One relation of the topology file."""

    source: str
    target: str
    relation: RelationKind


class Graph(msgspec.Struct, frozen=True):
    """The topology file."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    def topology(self) -> Topology:
        """As analysis sees it; the ids of the file are ids and names."""
        return Topology(
            (Item(n.id, n.kind, n.id) for n in self.nodes),
            (Relation(e.source, e.target, e.relation) for e in self.edges),
        )


def correlate(
    alerts: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Alerts, one JSON object a line.")
    ],
    topology: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Items and relations, JSON.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the situations go, JSON.")],
) -> None:
    """Group recorded alerts into situations with their probable causes, as the platform would have. What is delivered
    late by at most settling_ms is placed as if it had come in time."""
    from watchkeeper.analysis.correlators.settle import SETTLE_MS

    try:
        graph = msgspec.json.decode(topology.read_bytes(), type=Graph).topology()
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{topology}: {error}") from error
    stream = Stream(graph)
    with out.open("w") as f:
        f.write(f'{{"settling_ms": {SETTLE_MS}, "situations": [')
        comma = ""
        for situation in stream.run(_lines(alerts)):
            f.write(f"{comma}\n{json.dumps(situation)}")
            comma = ","
        f.write("\n]}\n")


def _lines(path: Path) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as f:
        for number, line in enumerate(f, 1):
            if line.strip():
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise typer.BadParameter(f"{path}, line {number}: {error}") from error


class Stream:
    """Feeds alerts to the correlator and gives out the groups that are over."""

    def __init__(self, topology: Topology) -> None:
        from watchkeeper.analysis.causes.ranking import Ranking
        from watchkeeper.analysis.correlators.graph_time import GraphTime

        self.topology = topology
        self.correlator = GraphTime()
        self.finder = Ranking()
        self._clues: dict[str, Clue] = {}

    def run(self, lines: Iterator[Line]) -> Iterator[dict[str, Any]]:
        """Situations in the order in which they ended."""
        next_sweep, instant = 0, 0
        held: list[Arrival] = []
        for line in lines:
            if held and line.time != instant:
                self.correlator.place(held, self.topology)
                held = []
                if line.time >= next_sweep:
                    next_sweep = line.time + SWEEP_MS
                    yield from self._ended(line.time - DONE_MS)
            instant = line.time
            held.append(self._arrival(line))
        self.correlator.place(held, self.topology)
        yield from self._ended(2**62)

    def _arrival(self, line: Line) -> Arrival:
        labels = tuple(f"{k}={v}" for k, v in sorted(line.labels.items()) if v)
        self._clues[line.id] = Clue(line.entity, line.name, line.time, Severity.parse(line.severity).rank)
        what = hash((line.entity, line.name, line.summary, labels))
        return Arrival(line.id, line.time, line.entity, line.name, what, labels)

    def _ended(self, before_ms: int) -> Iterator[dict[str, Any]]:
        groups = (self.correlator.group(n) for n in self.correlator.idle(before_ms))
        for group in sorted((g for g in groups if g and g.members), key=lambda g: g.last_ms):
            members = sorted(group.members.values(), key=lambda m: (m.arrival.time_ms, m.arrival.id))
            clues = [self._clues.pop(m.arrival.id) for m in members]
            causes = self.finder.rank(clues, self.topology)
            self.finder.learn(clues, self.topology)
            said = _shares(members)
            yield {
                "id": f"s{group.id}",
                "alerts": [m.arrival.id for m in members],
                "start": members[0].arrival.time_ms,
                "end": members[-1].arrival.time_ms,
                "because": said,
                "causes": [
                    {"entity": c.item, "score": c.score, "because": [_weighed(r) for r in c.because]}
                    for c in causes
                ],
            }
            self.correlator.forget(group.id)


def _shares(members: Sequence[Member]) -> list[str]:
    """What keeps a situation together: each kind of evidence with its share over all members, and an example."""
    weights: dict[str, float] = defaultdict(float)
    best: dict[str, Reason] = {}
    for r in (r for m in members[1:] for r in m.because):
        weights[r.kind] += r.weight
        if r.kind not in best or r.weight > best[r.kind].weight:
            best[r.kind] = r
    whole = sum(weights.values()) or 1.0
    heaviest = sorted(weights, key=lambda k: (-weights[k], k))
    return [f"{weights[k] / whole:.0%} {k}: {best[k].text}" for k in heaviest] or [members[0].because[0].text]


def _weighed(r: Reason) -> str:
    share = f"{r.weight:.0%} " if r.weight else ""
    return f"{share}{r.kind.value}: {r.text}"
