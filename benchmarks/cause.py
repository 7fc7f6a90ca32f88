"""Cause from metrics on one core: 500 nodes, 5,000 series, an hour of seconds. Target: under two seconds.

    python -m benchmarks.cause [--json]

Beside it, as a floor, the largest change of mean in standard deviations, without a graph.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time

import numpy as np

from watchkeeper.analysis.causes.metrics import Key, causes_of_metrics
from watchkeeper.analysis.causes.onset import Array

NODES, EACH, ROWS, ONSET, STRUCK = 500, 10, 3600, 2700, "n123"


def world() -> tuple[list[Key], Array, list[tuple[str, str]]]:
    """A call tree; the struck node and all that need it become slow."""
    chance, noise = random.Random(1), np.random.default_rng(1)
    edges = [(f"n{chance.randrange(n)}", f"n{n}") for n in range(1, NODES)]
    metrics = [("latency", s) for s in ("avg", "p50", "p90", "p95", "p99")] + [
        (m, "avg") for m in ("cpu", "memory", "errors", "requests", "threads")
    ]
    keys: list[Key] = [(f"n{n}", m, s) for n in range(NODES) for m, s in metrics]
    values = np.abs(noise.normal(10, 1, (len(keys), ROWS)))
    caller = {b: a for a, b in edges}
    node: str | None = STRUCK
    while node is not None:
        for i, (m, _) in enumerate(metrics):
            if m == "latency":
                values[int(node[1:]) * EACH + i, ONSET:] += 8
        node = caller.get(node)
    return keys, values, edges


def floor(keys: list[Key], values: Array) -> str:
    """The entity with the largest z of means."""
    before, after = values[:, :ONSET], values[:, ONSET:]
    z = np.abs(after.mean(axis=1) - before.mean(axis=1)) / before.std(axis=1)
    return keys[int(z.argmax())][0]


def main() -> None:
    """Median of three runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    keys, values, edges = world()
    result: dict[str, object] = {}
    for name, at in (("onset_given", ONSET), ("onset_found", None)):
        seconds, first = [], ""
        for _ in range(3):
            began = time.process_time()
            found = causes_of_metrics(keys, values, at=at, edges=edges)
            seconds.append(time.process_time() - began)
            first = found.causes[0].entity if found.causes else ""
        result[f"{name}_cpu_seconds"] = round(statistics.median(seconds), 2)
        result[f"{name}_right"] = first == STRUCK
    began = time.process_time()
    result["largest_z_right"] = floor(keys, values) == STRUCK
    result["largest_z_cpu_seconds"] = round(time.process_time() - began, 2)
    result["target_seconds"] = 2.0
    if as_json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32s} {value!s:>10}\n")


if __name__ == "__main__":
    main()
