"""PetShop (Hardt et al. 2024): faults injected into a cloud application, five-minute metrics and a call graph. The faulty
node first, among the first three; specificity: the share of normal windows for which no cause is named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged import Figure
from benchmarks.judged.cause_baselines import earliest, n_sigma
from watchkeeper.analysis.causes.metrics import Key, causes_of_metrics

Array = NDArray[np.float64]
Table = dict[Key, Array]
PUBLISHED = {"first": "ranked correlation .654 over all scenarios", "among three": "ranked correlation .827",
             "specificity": "at most .33"}  # fmt: skip
WINDOW, EVERY, FROM, MOST = (
    5,
    20,
    300,
    12,
)  # rows of a normal window, between windows, before the first; windows


class Case(NamedTuple):
    """What is asked: the series in the trouble and before, the series in trouble, and the graph."""

    keys: list[Key]
    trouble: Array
    normal: Array
    target: Key
    edges: list[tuple[str, str]]


Ranker = Callable[[Case], list[str]]


def ours(case: Case) -> list[str]:
    """The live method."""
    found = causes_of_metrics(
        case.keys, case.trouble, at=0, normal=case.normal, edges=case.edges, target=case.target
    )
    return [c.entity for c in found.causes]


def simple(method: Callable[..., list[str]]) -> Ranker:
    """A simple method over the series of the target's metric."""

    def rank(case: Case) -> list[str]:
        rows = [i for i, k in enumerate(case.keys) if k[1] == case.target[1]]
        return method([case.keys[i][0] for i in rows], case.normal[rows], case.trouble[rows])

    return rank


def read(path: Path) -> Table:
    """The three header rows are node, metric and statistic."""
    with path.open(newline="") as f:
        rows = list(csv.reader(f))
    body = [r for r in rows[3:] if r and r[0] not in ("", "unix_timestamp")]
    heads = list(zip(*rows[:3], strict=True))
    return {
        (node, metric, statistic): np.array([float(r[i]) if r[i] else np.nan for r in body])
        for i, (node, metric, statistic) in enumerate(heads)
        if i
    }


def case_of(trouble: Table, normal: Table, target: Key, edges: list[tuple[str, str]]) -> Case:
    """Both with the same series; what normal times don't know is a gap there."""
    keys = sorted(trouble)
    gap = np.full(len(next(iter(normal.values()))), np.nan)
    return Case(
        keys,
        np.array([trouble[k] for k in keys]),
        np.array([normal.get(k, gap) for k in keys]),
        target,
        edges,
    )


def issues(folder: Path, usual: Table, edges: list[tuple[str, str]]) -> Iterator[tuple[Case, str]]:
    """Each injected fault with the node that is right."""
    for path in sorted(folder.glob("t*/issue_*/target.json")):
        told: dict[str, Any] = json.loads(path.read_text())
        t = told["target"]
        case = case_of(read(path.with_name("metrics.csv")), usual, (t["node"], t["metric"], t["agg"]), edges)
        yield case, told["root_cause"]["node"]


def quiet(usual: Table, target: Key, edges: list[tuple[str, str]]) -> Iterator[Case]:
    """Windows of normal times, with what was before them as normal."""
    rows = len(next(iter(usual.values())))
    for begin in list(range(FROM, rows - WINDOW, EVERY))[:MOST]:
        window = {k: v[begin : begin + WINDOW] for k, v in usual.items()}
        yield case_of(window, {k: v[:begin] for k, v in usual.items()}, target, edges)


def judge(folder: Path, rank: Ranker) -> dict[str, float]:
    """The three figures of one scenario."""
    with (folder / "graph.csv").open(newline="") as f:
        head, *rows = csv.reader(f)
    edges = [(row[0], to) for row in rows for to, v in zip(head[1:], row[1:], strict=True) if float(v or 0)]
    usual = read(folder / "noissue" / "metrics.csv")
    answers = [(rank(case), right) for case, right in issues(folder, usual, edges)]
    calm = [not rank(case) for case in quiet(usual, ("PetSite", "latency", "Average"), edges)]
    return {
        "first": float(np.mean([found[:1] == [right] for found, right in answers])),
        "among three": float(np.mean([right in found[:3] for found, right in answers])),
        "specificity": float(np.mean(calm)),
    }


def figures(data: Path) -> Iterator[Figure]:
    """Every scenario that is there."""
    for folder in sorted(p for p in (data / "petshop").iterdir() if (p / "graph.csv").exists()):
        mine = judge(folder, ours)
        others = {"n-sigma": judge(folder, simple(n_sigma)), "earliest": judge(folder, simple(earliest))}
        for measure, value in mine.items():
            beside = {name: row[measure] for name, row in others.items()}
            yield Figure(f"petshop/{folder.name}", measure, value, beside, PUBLISHED[measure])
