"""Recorded alert storms with known faults: grouping and causes; the rule and the simple methods are those of
`benchmarks.correlate_storms`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.correlate_storms import storms
from benchmarks.judged import Figure

MEASURES = {
    "pair_f1": "pair F1", "v_measure": "V-measure", "situations_per_fault": "situations a fault",
    "cause_top1": "cause first", "cause_top3": "cause among three",
}  # fmt: skip
PUBLISHED = {
    "cause_top1": "best language model .21, .03, .28 by system (rca-llm-reasoning)",
    "cause_top3": "best language model .36, .22, .47 by system",
}


def figures(data: Path) -> Iterator[Figure]:
    """Every folder of storms; one system alone, and estates where faults overlap."""
    for folder in sorted(p for p in (data / "storms").iterdir() if p.is_dir()):
        table = storms(folder)
        for measure, words in MEASURES.items():
            beside = {method: row[measure] for method, row in table.items() if method != "ours"}
            published = PUBLISHED.get(measure, "") if "estate" not in folder.name else ""
            yield Figure(f"storms/{folder.name}", words, table["ours"][measure], beside, published)
