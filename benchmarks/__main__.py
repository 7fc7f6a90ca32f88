"""Runs every benchmark one after the other and prints what each prints: `make bench`, or
`make bench ARGS="alerts journal"` for some of them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
LAST = "public"  # the table of all public sets


def main() -> int:
    """Exit status 1 when one of them failed."""
    names = sorted(
        (p.stem for p in HERE.glob("*.py") if not p.stem.startswith("__")), key=lambda n: (n == LAST, n)
    )
    chosen = [n for n in names if n in sys.argv[1:]] if sys.argv[1:] else names
    if unknown := set(sys.argv[1:]) - set(names):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    failed = []
    for number, name in enumerate(chosen, 1):
        print(f"\n[{number}/{len(chosen)}] {name}", flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent).returncode:
            failed.append(name)
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
