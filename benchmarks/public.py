"""One table of how good the methods are: every public set, ours, the simple methods that are run beside it, and what has
been published. `make bench ARGS="public"`; with everything else, `make bench` prints it last.

    python -m benchmarks.public [--json] [--only SET ...]
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time

from rich.console import Console
from rich.table import Table

from benchmarks.judged import DATA, Figure

#: module in `benchmarks.judged` → folder of the data that it needs
SETS = {
    "nab": "nab", "kpi": "kpi", "loghub": "loghub", "storms": "storms", "petshop": "petshop", "sockshop": "sockshop",
    "forecast": "kpi",
}  # fmt: skip


def measured(only: list[str]) -> tuple[list[Figure], list[str]]:
    """All figures, and what is missing."""
    figures: list[Figure] = []
    missing = []
    for name, folder in SETS.items():
        if only and name not in only:
            continue
        if not (DATA / folder).is_dir():
            missing.append(f"{name}: no data in {DATA / folder} (WATCHKEEPER_DATASETS says where they are)")
            continue
        began = time.monotonic()
        found = list(importlib.import_module(f"benchmarks.judged.{name}").figures(DATA))
        if not found:
            missing.append(f"{name}: the method is not there")
        figures += found
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures, missing


def table(figures: list[Figure]) -> Table:
    """A row for each figure."""
    out = Table("set", "measure", "ours", "beside it, same run", "published")
    before = ""
    for f in figures:
        beside = ", ".join(f"{name} {value:.3g}" for name, value in f.beside.items())
        out.add_row(f.set if f.set != before else "", f.measure, f"{f.ours:.4g}", beside, f.published)
        before = f.set
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=[])
    args = parser.parse_args()
    figures, missing = measured(args.only)
    if args.json:
        json.dump({"figures": [f._asdict() for f in figures], "missing": missing}, sys.stdout)
        sys.stdout.write("\n")
        return
    wide = 150 if not sys.stdout.isatty() else None
    Console(width=wide).print(table(figures))
    for line in missing:
        print(line)


if __name__ == "__main__":
    main()
