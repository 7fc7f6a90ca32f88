"""Log lines a second on one core: the template miner and Drain3 with masks, on the same lines in the same run.

Lines are made from a few hundred formats with values drawn anew for each, as services write them; the miner is
fed in batches as the journal gives them, Drain3 line by line as its interface has it.
Cold lines, of which no two have a word in common, are measured by themselves.

    python benchmarks/templates.py [--json] [--lines N]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time

from drain3 import TemplateMiner as Drain
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from watchkeeper.analysis.templates import TemplateMiner

_SYLLABLES = (
    "con",
    "nect",
    "ion",
    "block",
    "ser",
    "ver",
    "time",
    "out",
    "re",
    "quest",
    "job",
    "file",
    "pack",
    "et",
)
_ENDS = (
    "in {n} ms", "for user {u}", "from {ip}:{n}", "at {hex}", "on {path}", "id={n} status={n}", "after {n} tries",
)  # fmt: skip
MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
)


def make_lines(count: int, seed: int = 1) -> list[str]:
    """Lines of 500 formats of three to nine words and some values, a few of them frequent, as logs are."""
    r = random.Random(seed)
    words = ["".join(r.choices(_SYLLABLES, k=r.randint(1, 3))) for _ in range(600)]
    formats = []
    for _ in range(500):
        text = r.choices(words, k=r.randint(3, 9))
        text.insert(r.randrange(1, len(text)), r.choice(_ENDS))
        formats.append(" ".join([*text, r.choice(_ENDS)]))
    weights = [1 / (k + 1) for k in range(len(formats))]
    users = [f"user{chr(97 + k)}" for k in range(20)]
    return [
        f.format(
            n=r.randrange(10**6), u=r.choice(users), hex=hex(r.getrandbits(48)),
            ip=f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}",
            path=f"/var/lib/app/{r.randrange(10**4)}/data",
        )
        for f in r.choices(formats, weights, k=count)
    ]  # fmt: skip


def make_cold_lines(count: int, seed: int = 2) -> list[str]:
    """Lines of which no two have a word in common: nothing that was learned helps with the next."""
    r = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [" ".join("".join(r.choices(letters, k=8)) for _ in range(7)) for _ in range(count)]


def ours(lines: list[str]) -> tuple[float, int]:
    """CPU seconds, and templates found."""
    miner = TemplateMiner()
    began = time.process_time()
    for i in range(0, len(lines), 4096):
        miner.learn(lines[i : i + 4096])
    return time.process_time() - began, len(miner)


def drain(lines: list[str]) -> tuple[float, int]:
    """CPU seconds, and clusters found."""
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in MASKS]
    miner = Drain(config=config)
    began = time.process_time()
    for line in lines:
        miner.add_log_message(line)
    return time.process_time() - began, len(miner.drain.clusters)


def main() -> None:
    """Median of three runs of each, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lines", type=int, default=200_000)
    args = parser.parse_args()
    lines = make_lines(args.lines)
    ours(lines[:100])  # compile, or load
    runs = [(ours(lines), drain(lines)) for _ in range(3)]
    rates = [len(lines) / statistics.median(run[k][0] for run in runs) for k in (0, 1)]
    cold = make_cold_lines(min(args.lines, 3000))
    cold_rates = [
        len(cold) / statistics.median(measure(cold)[0] for _ in range(3)) for measure in (ours, drain)
    ]
    result = {
        "lines_per_cpu_second": round(rates[0]), "drain3_lines_per_cpu_second": round(rates[1]),
        "ratio": round(rates[0] / rates[1], 1), "templates": runs[0][0][1], "drain3_clusters": runs[0][1][1],
        "cold_lines_per_cpu_second": round(cold_rates[0]), "drain3_cold_lines_per_cpu_second": round(cold_rates[1]),
    }  # fmt: skip
    if args.json:
        json.dump(result, sys.stdout)
        sys.stdout.write("\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:32s} {value:>14,}\n")


if __name__ == "__main__":
    main()
