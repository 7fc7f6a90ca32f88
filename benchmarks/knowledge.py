"""How long it takes to find what may help, with 200,000 tickets and WATCHKEEPER_BENCH_ARTICLES articles (200,000 unless
said otherwise) in the records and in the index: the platform's search, articles for what somebody types, and articles and
solved tickets for a ticket.

Rows are written directly, the index by the indexer; the words are drawn so that few are in many texts, as in speech
(Zipf). Prints how long the index took, and milliseconds of each question: median, 95th percentile, worst.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.whole.records import database

TICKETS = int(os.environ.get("WATCHKEEPER_BENCH_TICKETS", "200000"))
ARTICLES = int(os.environ.get("WATCHKEEPER_BENCH_ARTICLES", "200000"))
ASKED = 60
_WORDS, _OF_TEXT, _CHUNK = 30_000, 18, 20_000
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _texts(count: int, rng: np.random.Generator) -> Iterator[list[tuple[str, str]]]:
    """Titles and texts, in chunks."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "ol")]
    drawn = rng.choice(syllables, (_WORDS, 3))
    words = ["".join(row) + str(n % 7) for n, row in enumerate(drawn)]
    weights = 1.0 / np.arange(3, _WORDS + 3)
    weights /= weights.sum()
    for start in range(0, count, _CHUNK):
        rows = rng.choice(_WORDS, (min(_CHUNK, count - start), _OF_TEXT), p=weights)
        yield [(" ".join(words[w] for w in row[:6]), " ".join(words[w] for w in row[6:])) for row in rows]


def _fill(
    model: Any, kind: str, count: int, prefix: str, told: dict[str, Any], rng: np.random.Generator
) -> list[str]:
    """Records of a kind with what is `told` of each; returns some titles. They wait for the indexer."""
    from django.db import transaction

    from watchkeeper.domains.search.models import Due
    from watchkeeper.kernel.upserts import columns_of, row_of, upsert

    columns, titles, n = columns_of(model), [], 0
    empty = dict(zip(columns, row_of(model, model(**told)), strict=True))
    body = "description" if kind == "tickets" else "body"
    for chunk in _texts(count, rng):
        rows = []
        for title, text in chunk:
            n += 1
            of_this = {"number": f"{prefix}-{n}", "title": title, body: text}
            rows.append(tuple(of_this.get(c, empty[c]) for c in columns))
        with transaction.atomic():
            upsert(model, rows)
        titles += [title for title, _ in chunk[:100]]
    Due.objects.all().delete()
    Due.objects.create(source=model._meta.db_table)  # all of it, as when the index is made anew
    return titles


def _index(number: int) -> None:
    from watchkeeper.domains.search.indexing import SLICE, catch_up

    wall, cpu = time.perf_counter(), time.process_time()
    while catch_up(SLICE):
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{number:,} of them indexed in {wall:.0f} s ({number / wall:,.0f}/s), {cpu:.0f} s CPU", flush=True)


def _measure(name: str, ask: Callable[[int], object]) -> None:
    took = []
    for n in range(ASKED):
        began = time.perf_counter()
        ask(n)
        took.append((time.perf_counter() - began) * 1000)
    middle, high = np.percentile(took, [50, 95])
    print(f"{name:<44}{middle:>9.1f} ms{high:>9.1f} ms{max(took):>9.1f} ms", flush=True)


def main() -> None:
    """Fill, then ask."""
    with database(postgres=False):
        _run()


def _run() -> None:
    from watchkeeper.domains.desk.models import Ticket
    from watchkeeper.domains.knowledge import suggesting
    from watchkeeper.domains.knowledge.models import Article
    from watchkeeper.domains.search import find
    from watchkeeper.kernel.acting import SYSTEM

    rng, began = np.random.default_rng(7), time.perf_counter()
    solved = {
        "status": "closed",
        "type": "incident",
        "priority": 3,
        "resolution": "Restarted it.",
        "opened_at": _NOW,
    }
    tickets = _fill(Ticket, "tickets", TICKETS, "INC", solved, rng)
    print(f"{TICKETS:,} tickets were written in {time.perf_counter() - began:.0f} s", flush=True)
    _index(TICKETS)
    began = time.perf_counter()
    published = {"status": "published", "audience": "desk", "made_at": _NOW, "changed_at": _NOW}
    articles = _fill(Article, "articles", ARTICLES, "KB", published, rng)
    print(f"{ARTICLES:,} articles were written in {time.perf_counter() - began:.0f} s", flush=True)
    _index(ARTICLES)
    print(f"{'':<44}{'median':>12}{'95 %':>12}{'worst':>12}")
    some = list(Ticket.objects.order_by("-pk")[:ASKED])
    _measure("search, two words of a title", lambda n: find(SYSTEM, " ".join(articles[n].split()[:2])))
    _measure("search, one word", lambda n: find(SYSTEM, tickets[n].split()[n % 6]))
    _measure("search, the beginning of a number", lambda n: find(SYSTEM, f"KB-{n + 1}7"))
    _measure("articles for what somebody types", lambda n: suggesting.articles_for(SYSTEM, tickets[n]))
    _measure("articles for a ticket", lambda n: suggesting.articles_for(SYSTEM, suggesting.said(some[n])))
    _measure("solved tickets like a ticket", lambda n: suggesting.solved_like(SYSTEM, some[n]))


if __name__ == "__main__":
    main()
