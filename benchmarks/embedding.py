"""What it costs to find what was solved before in other words, and what it finds.

WATCHKEEPER_BENCH_VECTORS vectors (200,000 unless said otherwise) of WATCHKEEPER_BENCH_DIMENSIONS (384) are compared in
memory. With a model of sentences at WATCHKEEPER_EMBEDDING, a folder, also: texts embedded per CPU-second; of 60 pairs of
reports that say the same in other words, written by hand (`judged/same_in_other_words.tsv`), how many are found among 90 by
words, by meaning and by both; and how many are offered for reports that none of them is like.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from benchmarks.whole.records import database

VECTORS = int(os.environ.get("WATCHKEEPER_BENCH_VECTORS", "200000"))
DIMENSIONS = int(os.environ.get("WATCHKEEPER_BENCH_DIMENSIONS", "384"))
PAIRS = Path(__file__).parent / "judged" / "same_in_other_words.tsv"
_ASKED, _SHOWN = 60, 5


def main() -> None:
    """Fill, then ask, in a folder of its own."""
    with database(postgres=False):
        from django.conf import settings

        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        _compared()
        if settings.EMBEDDING is None:
            print("WATCHKEEPER_EMBEDDING names no model: embedding and what is found were not measured")
        else:
            _embedded(settings.EMBEDDING)
            _found()


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def _compared() -> None:
    """Vectors from the database to memory, and a question to all of them."""
    from django.db import transaction

    from watchkeeper.domains.embedding import nearest
    from watchkeeper.domains.embedding.models import Vector
    from watchkeeper.kernel.upserts import upsert

    class Random:
        """What stands for the model: the comparison does not depend on it."""

        identity, floor = "random", -1.0

        def encode(self, texts: list[str]) -> np.ndarray:
            """A random direction a text."""
            rows = rng.standard_normal((len(texts), DIMENSIONS)).astype(np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    rng, model = np.random.default_rng(7), Random()
    for start in range(0, VECTORS, 10_000):
        count = min(10_000, VECTORS - start)
        vectors = nearest.as_bytes(model.encode([""] * count))
        rows = [("tickets", start + n, "random", "", v, False) for n, v in enumerate(vectors)]
        with transaction.atomic():
            upsert(Vector, rows, key=("kind", "record"))
    nearest.use(model)  # type: ignore[arg-type]
    before, began = _megabytes(), time.perf_counter()
    nearest.refresh()
    took = time.perf_counter() - began
    print(
        f"{VECTORS:,} vectors of {DIMENSIONS}: read in {took:.1f} s, {_megabytes() - before:.0f} MB of memory"
    )
    taken, cpu = [], time.process_time()
    for _ in range(_ASKED):
        began = time.perf_counter()
        nearest.nearest("tickets", "a text", 40)
        taken.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / _ASKED
    print(
        f"one question: median {np.median(taken):.0f} ms, 95 % {np.percentile(taken, 95):.0f} ms, {cpu:.0f} ms of a CPU"
    )
    nearest.use(None)
    Vector.objects.all().delete()


def _embedded(folder: Path) -> None:
    """The model's own cost."""
    from watchkeeper.domains.embedding import nearest
    from watchkeeper.domains.embedding.encoder import load

    before, began = _megabytes(), time.perf_counter()
    model = load(folder)
    took = time.perf_counter() - began
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
    print(f"model of {size:.0f} MB: loaded in {took:.1f} s, {_megabytes() - before:.0f} MB of memory")
    report = "Cannot sign in to the intranet since this morning, many of us are affected. "
    for name, text, count in (("a title", report[:60], 320), ("a title and a description", report * 5, 160)):
        cpu = time.process_time()
        model.encode([text] * count)
        print(f"{name}: {count / (time.process_time() - cpu):.0f} texts per CPU-second")
    nearest.use(model)


def _found() -> None:
    """The pairs, as tickets of this platform."""
    from watchkeeper.domains.desk.models import Ticket
    from watchkeeper.domains.embedding import keeping, nearest
    from watchkeeper.domains.knowledge import offering, suggesting
    from watchkeeper.domains.search import catch_up

    lines = [line.split("\t") for line in PAIRS.read_text().splitlines() if not line.startswith("#")]
    for n, (_, title) in enumerate(lines):
        if title != "-":
            Ticket.objects.create(title=title, status="closed", resolution="Done.", number=f"INC-{n}")
    walk = keeping.Walk()
    while walk.step() or catch_up(250):
        pass
    model = nearest.encoder()

    def titles(report: str) -> list[str]:
        found = suggesting.suited("tickets", offering.solved(), offering.told(report, ""), (), _SHOWN)
        return [suggested.record.title for suggested in found]

    def meant(report: str) -> list[str]:
        found = nearest.nearest("tickets", offering.told(report, ""), _SHOWN)
        return [Ticket.objects.get(pk=key).title for key in found]

    print(f"{'':<12}{'first':>10}{'in five':>10}{'offered':>10}{'where none is like it':>24}")
    _judged("by words", titles, lines, None)
    _judged("by meaning", meant, lines, model)
    _judged("by both", titles, lines, model)


def _judged(name: str, ask: Callable[[str], list[str]], lines: list[list[str]], model: object) -> None:
    from watchkeeper.domains.embedding import nearest

    nearest.use(model)  # type: ignore[arg-type]
    pairs = [(report, title) for report, title in lines if "-" not in (report, title)]
    found = [(ask(report), title) for report, title in pairs]
    first = sum(titles[:1] == [title] for titles, title in found) / len(pairs)
    five = sum(title in titles for titles, title in found) / len(pairs)
    offered = sum(len(titles) for titles, _ in found) / len(pairs)
    none = [len(ask(report)) for report, title in lines if title == "-"]
    print(f"{name:<12}{first:>10.0%}{five:>10.0%}{offered:>10.1f}{sum(none) / len(none):>24.1f}")


if __name__ == "__main__":
    main()
