"""Correlation and what lies around it, on one core: alerts a second over a 10,000-node graph, the three alert
stages under 20,000 alerts, bytes an active alert, and, where recorded storms are given, how good the groups are.

    python -m benchmarks.correlate [--storms DIR ...] [--json]

Beside the correlator, in the same run, fixed ten-minute windows as the floor. Rates are per CPU second. DIR holds
alerts.jsonl, topology.json and truth.json of one system; what is printed for it beside our own figures are the
simple methods: fixed windows, connected parts of the graph with a gap, and as cause the item with most alerts and
the one with the earliest.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks.correlate_storms import storms
from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.analysis.correlators.graph_time import GraphTime
from watchkeeper.analysis.pipeline import Event, Work
from watchkeeper.analysis.stages.determine_cause import alert_stages
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology

NODES, ALERTS, START = 10_000, 20_000, 1_700_000_000_000
STORM, STORED = 100_000, 1_000_000


def estate(nodes: int = NODES) -> Topology:
    """Apps of some services with their instances, on hosts of their own, behind ten switches."""
    chance, items, relations = random.Random(1), [], []
    items = [Item(f"switch-{i}", "switch", f"switch-{i}") for i in range(10)]
    app = 0
    while len(items) < nodes:
        app += 1
        hosts = [f"host-{app}-{i}" for i in range(3)]
        items += [Item(h, "host", h) for h in hosts]
        relations += [Relation(h, f"switch-{app % 10}", RelationKind.DEPENDS_ON) for h in hosts]
        for s in range(10):
            service = f"service-{app}-{s}"
            items.append(Item(service, "service", service))
            needs = {f"service-{app}-{chance.randrange(s)}" for _ in range(2) if s}
            relations += [Relation(service, n, RelationKind.DEPENDS_ON) for n in needs]
            for p in range(3):
                pod = f"pod-{app}-{s}-{p}"
                items.append(Item(pod, "instance", pod))
                relations.append(Relation(pod, service, RelationKind.MEMBER_OF))
                relations.append(Relation(pod, chance.choice(hosts), RelationKind.RUNS_ON))
    return Topology(items[:nodes], [r for r in relations if r.source and r.target])


def arrivals(graph: Topology, count: int) -> list[Arrival]:
    """Distinct alerts at 1,000 a second: trouble comes to some apps at a time and moves on."""
    chance, out = random.Random(2), []
    items = sorted(graph.items)
    by_app: dict[str, list[str]] = {}
    for item in items:
        by_app.setdefault(item.split("-")[1], []).append(item)
    apps = sorted(by_app)
    struck = chance.sample(apps, 20)
    for n in range(count):
        if n % 500 == 0:
            struck = struck[5:] + chance.sample(apps, 5)
        item = chance.choice(by_app[chance.choice(struck)])
        out.append(Arrival(f"{n:016x}", START + n, item, f"alert{n % 40}", n, (f"item={item}",)))
    return out


def correlator_rate(graph: Topology, told: list[Arrival]) -> float:
    """Alerts a CPU second, in batches of 500, the graph known."""
    correlator = GraphTime()
    correlator.near.follow(graph)
    began = time.process_time()
    for i in range(0, len(told), 500):
        correlator.place(told[i : i + 500], graph)
    return len(told) / (time.process_time() - began)


def storm(graph: Topology) -> dict[str, float]:
    """CPU seconds of STORM alerts within 100 seconds, and the groups that they make."""
    told = arrivals(graph, STORM)
    correlator = GraphTime()
    correlator.near.follow(graph)
    began = time.process_time()
    for i in range(0, STORM, 500):
        correlator.place(told[i : i + 500], graph)
    took = time.process_time() - began
    groups = sum(1 for g in correlator.groups.all.values() if g.members)
    return {"cpu_seconds": round(took, 1), "groups": groups}


def when_full(graph: Topology) -> dict[str, float]:
    """Microseconds an alert, by itself, with nothing stored and with STORED alerts in groups that are over."""
    correlator = GraphTime()
    correlator.near.follow(graph)
    fresh = arrivals(graph, 3000)
    _one_by_one(correlator, graph, fresh[:1000])
    first = _one_by_one(correlator, graph, fresh[1000:2000])
    items, day = sorted(graph.items), 86_400_000
    for i in range(0, STORED, 1000):
        at = START + day + i * 100
        correlator.place(
            [
                Arrival(f"s{n}", at + n % 1000, items[n * 7 % len(items)], "stored", n)
                for n in range(i, i + 1000)
            ],
            graph,
        )
    later = START + day + STORED * 100 + day
    moved = [a._replace(id=f"later{a.id}", time_ms=a.time_ms - START + later) for a in fresh]
    _one_by_one(correlator, graph, moved[:1000])
    return {"empty_us": round(first), "full_us": round(_one_by_one(correlator, graph, moved[1000:2000]))}


def _one_by_one(correlator: GraphTime, graph: Topology, told: list[Arrival]) -> float:
    began = time.process_time()
    for a in told:
        correlator.place([a], graph)
    return (time.process_time() - began) / len(told) * 1e6


def windows_rate(told: list[Arrival]) -> float:
    """The floor: fixed windows, no graph."""
    began = time.process_time()
    groups: dict[int, list[str]] = {}
    for a in told:
        groups.setdefault(a.time_ms // 600_000, []).append(a.id)
    return len(told) / (time.process_time() - began)


def events(graph: Topology, groups: int) -> list[Event]:
    """Alerts as normalise leaves them; `groups` of them on items unrelated to one another."""
    del graph
    out = []
    for n in range(ALERTS):
        name, item = f"Rule{n % groups}", f"unrelated-{n % groups}"
        labels = {"alertname": name, "instance": f"host-{n}:9100", "service": item, "region": "eu-1"}
        told = f"{name} fires on host-{n}"
        notes = {"description": f"{name} has fired for five minutes"}
        at = START + n
        out.append(
            Event(
                f"e{n}", "alert", "firing", name, "critical", told, at, 0, at, labels, notes, "", "test", item
            )
        )
    return out


def stages_seconds(graph: Topology, groups: int) -> tuple[float, int]:
    """CPU seconds of deduplication, correlation and cause for ALERTS in batches of 100, and the situations."""
    stages, told = alert_stages(), events(graph, groups)
    situations: set[str] = set()
    began = time.process_time()
    for i in range(0, ALERTS + 300, 100):
        work = Work(i, i, START + i + 100, graph, events=told[i : i + 100])
        for stage in stages:
            stage.process(work)
        situations.update(work.situations)
    return time.process_time() - began, len(situations)


def bytes_per_alert(graph: Topology, groups: int) -> float:
    """What all three stages hold for an active alert."""
    tracemalloc.start()
    stages = alert_stages()
    told = events(graph, groups)[:5000]
    work = Work(1, 1, START + 5000, graph, events=told)
    for stage in stages:
        stage.process(work)
    del told, work
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used / 5000


def main() -> None:
    """Median of three runs for rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--storms", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--million", action="store_true", help="also beside a million stored alerts: minutes, 3 GB"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    graph = estate()
    told = arrivals(graph, ALERTS)
    few, many = stages_seconds(Topology(), 200), stages_seconds(Topology(), ALERTS)
    result: dict[str, Any] = {
        "correlator_alerts_per_cpu_second": round(
            statistics.median(correlator_rate(graph, told) for _ in range(3))
        ),
        "fixed_windows_alerts_per_cpu_second": round(statistics.median(windows_rate(told) for _ in range(3))),
        "target": 20_000,
        "stages_200_groups_cpu_seconds": round(few[0], 2),
        "stages_200_groups_situations": few[1],
        "stages_20000_groups_cpu_seconds": round(many[0], 2),
        "stages_20000_groups_situations": many[1],
        "bytes_per_active_alert_200_groups": round(bytes_per_alert(Topology(), 200)),
        "bytes_per_active_alert_20000_groups": round(bytes_per_alert(Topology(), ALERTS)),
    }
    result |= {f"storm_of_100000_{k}": v for k, v in storm(graph).items()}
    result |= (
        {f"an_alert_beside_a_million_{k}": v for k, v in when_full(graph).items()} if args.million else {}
    )
    tables = {folder.name: storms(folder) for folder in args.storms}
    if args.json:
        json.dump({**result, "storms": tables}, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:40s} {value:>14,}\n")
    for name, table in tables.items():
        sys.stdout.write(f"\n{name}\n")
        for method, row in table.items():
            sys.stdout.write(f"  {method:28s} " + "  ".join(f"{k} {v:.3f}" for k, v in row.items()) + "\n")


if __name__ == "__main__":
    main()
