"""How long it takes to find what may help, with 200,000 tickets and WATCHKEEPER_BENCH_ARTICLES articles (200,000 unless
said otherwise) in the records and in the index: the platform's search, articles for what somebody types, and articles and
solved tickets for a ticket.

Rows and entries of the index are written directly, as the indexer would have written them; the words are drawn so that few
are in many texts, as in speech (Zipf). Prints milliseconds: median, 95th percentile, worst.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

TICKETS = int(os.environ.get("WATCHKEEPER_BENCH_TICKETS", "200000"))
ARTICLES = int(os.environ.get("WATCHKEEPER_BENCH_ARTICLES", "200000"))
ASKED = 60
_WORDS, _OF_TEXT, _CHUNK = 30_000, 18, 20_000
_NOW = "2026-01-01 00:00:00"


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


def _fill(count: int, kind: str, table: str, sql: str, prefix: str, rng: np.random.Generator) -> list[str]:
    """Records of a kind with their entries; returns some titles."""
    from django.db import connection, transaction

    from watchkeeper.domains.search.indexing import bounds

    entry, low, titles, n = "search_entry", bounds(kind)[0], [], 0
    insert = f"INSERT INTO {entry} (id, source, kind, key, field, place, folded) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    for chunk in _texts(count, rng):
        records, entries = [], []
        for title, text in chunk:
            n += 1
            records.append((n, f"{prefix}-{n}", title, text))
            for place, (field, folded) in enumerate(
                (("number", f"{prefix.lower()}-{n}"), ("title", title), ("body", text))
            ):
                entries.append((low + 3 * n + place, table, kind, str(n), field, place, folded))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, records)
            cursor.executemany(insert, entries)
            cursor.execute("DELETE FROM search_due")  # it is indexed already
        titles += [title for title, _ in chunk[:100]]
    return titles


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
    data = Path(tempfile.mkdtemp(prefix="watchkeeper-bench-"))
    os.environ["WATCHKEEPER_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    try:
        _run()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _run() -> None:
    from watchkeeper.domains.desk.models import Ticket
    from watchkeeper.domains.knowledge import suggesting
    from watchkeeper.domains.search import find
    from watchkeeper.kernel.acting import SYSTEM

    rng, began = np.random.default_rng(7), time.perf_counter()
    tickets = _fill(
        TICKETS, "tickets", "desk_ticket",
        "INSERT INTO desk_ticket (id, number, title, description, type, status, impact, urgency, priority, source,"
        " resolution, opened_at) VALUES (%s, %s, %s, %s, 'incident', 'closed', 2, 2, 3, 'console', 'Restarted it.',"
        f" '{_NOW}')",
        "INC", rng,
    )  # fmt: skip
    articles = _fill(
        ARTICLES, "articles", "knowledge_article",
        "INSERT INTO knowledge_article (id, number, title, body, status, audience, version, helpful, unhelpful, made_at,"
        f" changed_at) VALUES (%s, %s, %s, %s, 'published', 'desk', 1, 0, 0, '{_NOW}', '{_NOW}')",
        "KB", rng,
    )  # fmt: skip
    print(
        f"{TICKETS:,} tickets and {ARTICLES:,} articles were written in {time.perf_counter() - began:.0f} s"
    )
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
