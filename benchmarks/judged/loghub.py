"""loghub's 2,000 lines a system (Zhu et al. 2019, 2023): grouping and wording of log templates. GA and PA: the share of
messages whose group is exactly right, whose wording is; FGA and FTA: the same as F1 over groups (Khan et al. 2022)."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean

from drain3 import TemplateMiner as Drain
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from benchmarks.judged import Figure
from benchmarks.templates import MASKS
from watchkeeper.analysis.templates import TemplateMiner

Miner = Callable[[list[str]], tuple[Sequence[object], list[str]]]  # id and wording of every line
PUBLISHED = {"GA": "Brain .879, Drain3 with masks .755 over 16 systems", "PA": "Drain3 with masks .443 over 16 systems",
             "FTA": "Drain3 with masks .458 over 16 systems"}  # fmt: skip


def ours(lines: list[str]) -> tuple[Sequence[object], list[str]]:
    """The live miner; wordings as they are after the last line."""
    miner = TemplateMiner()
    ids = miner.canonical(miner.learn(lines)).tolist()
    return ids, [miner.text(i) for i in ids]


def drain3(lines: list[str]) -> tuple[Sequence[object], list[str]]:
    """Drain3 with masks for addresses, numbers and hexadecimal words, one configuration."""
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    config.profiling_enabled = False
    miner = Drain(config=config)
    ids = [miner.add_log_message(line)["cluster_id"] for line in lines]
    words = {c.cluster_id: re.sub(r"<[A-Z]+>", "<*>", c.get_template()) for c in miner.drain.clusters}
    return ids, [words[i] for i in ids]


def judge(path: Path, miner: Miner) -> dict[str, float]:
    """The four figures of one system."""
    with path.open(newline="") as f:
        rows = list(csv.DictReader(f))
    truth = [r["template"] for r in rows]
    ids, words = miner([re.sub(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", r["message"]) for r in rows])
    real, found = _groups(truth), _groups(ids)
    right = {g: lines for g, lines in found.items() if lines in real.values()}
    worded = [g for g, lines in right.items() if _plain(words[lines[0]]) == _plain(truth[lines[0]])]
    both, count = len(real) + len(found), len(rows)
    return {
        "GA": sum(map(len, right.values())) / count, "FGA": 2 * len(right) / both,
        "PA": sum(_plain(a) == _plain(b) for a, b in zip(truth, words, strict=True)) / count,
        "FTA": 2 * len(worded) / both,
    }  # fmt: skip


def _groups(names: Sequence[object]) -> dict[object, tuple[int, ...]]:
    lines: dict[object, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        lines[name].append(i)
    return {name: tuple(own) for name, own in lines.items()}


def _plain(template: str) -> str:
    """Variables that follow each other count as one, blanks too."""
    return re.sub(r"<\*>( ?<\*>)+", "<*>", re.sub(r"\s+", " ", template).strip())


def figures(data: Path) -> Iterator[Figure]:
    """Means over the systems, and the worst system's GA."""
    paths = sorted((data / "loghub").glob("*.csv"))
    mine, simple = ([judge(p, miner) for p in paths] for miner in (ours, drain3))
    for measure in ("GA", "FGA", "PA", "FTA"):
        beside = {"Drain3 with masks": fmean(r[measure] for r in simple)}
        yield Figure("loghub", measure, fmean(r[measure] for r in mine), beside, PUBLISHED.get(measure, ""))
    worst = {"Drain3 with masks": min(r["GA"] for r in simple)}
    yield Figure("loghub", "GA of the worst system", min(r["GA"] for r in mine), worst)
