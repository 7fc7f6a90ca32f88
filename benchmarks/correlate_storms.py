"""How good groups and causes are on recorded storms whose truth is known, ours and the simple methods' beside.

    python -m benchmarks.correlate_storms DIR ...

Pairwise F1 and V-measure (Rosenberg and Hirschberg 2007) of the groups, situations a fault, and how often the
true item is first or among the first three causes of the situation that holds most of a fault's alerts.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from watchkeeper.analysis.correlators.near import Near
from watchkeeper.cli.lab_correlate import Graph, Line, Stream

Alerts = list[dict[str, Any]]
Groups = dict[str, str]  # alert → group
Row = dict[str, float]


def storms(folder: Path) -> dict[str, Row]:
    """Figures by method for one system."""
    import msgspec

    truth = json.loads((folder / "truth.json").read_text())
    alerts = [json.loads(line) for line in (folder / "alerts.jsonl").open()]
    graph = msgspec.json.decode((folder / "topology.json").read_bytes(), type=Graph).topology()
    ours: Groups = {}
    causes: dict[str, list[str]] = {}
    for s in Stream(graph).run(iter(msgspec.convert(alerts, list[Line]))):
        ours.update(dict.fromkeys(s["alerts"], s["id"]))
        causes[s["id"]] = [c["entity"] for c in s["causes"]]
    near = Near()
    near.follow(graph)
    windows = {a["id"]: str(a["time"] // 600_000) for a in alerts}
    table = {"ours": _row(truth, alerts, ours, causes)}
    table["fixed ten-minute windows"] = _row(truth, alerts, windows, _most(alerts, windows))
    for gap in (40, 60):
        parts = _components(alerts, near, gap * 1000)
        table[f"graph parts, {gap} s gap, most"] = _row(truth, alerts, parts, _most(alerts, parts))
        table[f"graph parts, {gap} s gap, first"] = _row(truth, alerts, parts, _earliest(alerts, parts))
    return table


def _components(alerts: Alerts, near: Near, gap_ms: int) -> Groups:
    """One group for each connected part (hubs taken away) until it has been quiet for the gap."""
    last: dict[str, tuple[int, str]] = {}
    groups: Groups = {}
    for a in alerts:
        part = str(near.part(a["entity"]) or a["entity"])
        at, group = last.get(part, (-(2**60), ""))
        if a["time"] - at > gap_ms:
            group = f"{part}@{a['time']}"
        last[part] = (a["time"], group)
        groups[a["id"]] = group
    return groups


def _most(alerts: Alerts, groups: Groups) -> dict[str, list[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for a in alerts:
        counts[groups[a["id"]]][a["entity"]] += a.get("kind") != "trace"
    return {g: [e for e, n in c.most_common() if n] for g, c in counts.items()}


def _earliest(alerts: Alerts, groups: Groups) -> dict[str, list[str]]:
    order: dict[str, dict[str, None]] = defaultdict(dict)
    for a in alerts:
        order[groups[a["id"]]][a["entity"]] = None
    return {g: list(e) for g, e in order.items()}


def _row(truth: dict[str, Any], alerts: Alerts, groups: Groups, causes: dict[str, list[str]]) -> Row:
    pairs = Counter((truth["alerts"][a["id"]], groups.get(a["id"], f"alone {a['id']}")) for a in alerts)
    by_fault, by_group = Counter[str](), Counter[str]()
    for (fault, group), n in pairs.items():
        by_fault[fault] += n
        by_group[group] += n
    both, ours, theirs = (_pairs(c.values()) for c in (pairs, by_group, by_fault))
    homogeneous = _information(pairs, by_fault, by_group)
    complete = _information(pairs, by_group, by_fault)
    top1 = top3 = pieces = 0
    for fault in truth["faults"]:
        mine = {g: n for (f, g), n in pairs.items() if f == fault["fault"]}
        ranked = causes.get(max(mine, key=lambda g: mine[g]), []) if mine else []
        pieces += len(mine)
        top1 += ranked[:1] == [fault["entity"]]
        top3 += fault["entity"] in ranked[:3]
    faults = len(truth["faults"])
    return {
        "pair_f1": 2 * both / max(ours + theirs, 1),
        "v_measure": 2 * homogeneous * complete / max(homogeneous + complete, 1e-9),
        "situations_per_fault": pieces / faults, "cause_top1": top1 / faults, "cause_top3": top3 / faults,
    }  # fmt: skip


def _pairs(counts: Iterable[int]) -> int:
    return sum(n * (n - 1) // 2 for n in counts)


def _entropy(counts: Iterable[int]) -> float:
    found = list(counts)
    whole = sum(found)
    return -sum(n / whole * math.log(n / whole) for n in found if n)


def _information(pairs: Counter[tuple[str, str]], of: Counter[str], given: Counter[str]) -> float:
    """1 - H(of | given) / H(of)."""
    whole = _entropy(of.values())
    return 1.0 - (_entropy(pairs.values()) - _entropy(given.values())) / whole if whole else 1.0


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for method, figures in storms(Path(name)).items():
            sys.stdout.write(f"{method:28s} " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items()) + "\n")
