"""The audit trail: entries sealed and verified a second, and what an act costs while its trail is being sealed.

    python -m benchmarks.audit [--entries 100000] [--postgres]

The peer of sealing is the same UPDATE of the same columns with a constant in place of the seal, and that of
verifying is reading the same entries: what is left is what the chain itself costs.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.whole.records import arguments, database


def main() -> None:
    """Build, measure, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    given = parser.parse_args()
    with database(given.postgres) as folder:
        _run(given.entries, folder)


def _run(entries: int, folder: Path) -> None:
    from django.db import connection

    from watchkeeper.domains import audit
    from watchkeeper.kernel.models import AuditEntry

    file = audit.Checkpoints(folder / "checkpoints.jsonl")
    _fill(entries)
    print(f"{connection.vendor}: {entries:,} entries, load {os.getloadavg()[0]:.1f}")
    _line("update in batches of 500 (peer)", entries, _timed(_update_only))
    AuditEntry.objects.update(sealed_no=None, seal="")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FULL ANALYZE kernel_auditentry")
    _line("seal", entries, _timed(lambda: audit.seal_all(3600)))
    audit.checkpoint(file)
    _line("read (peer)", entries, _timed(_read_only))
    _line("verify", entries, _timed(lambda: _whole(audit.verify(file))))
    _line("verify the last 10,000, as each hour", 10_000, _timed(lambda: _whole(audit.verify(file, 10_000))))
    alone = _acts()
    stop = threading.Event()
    sealer = threading.Thread(target=audit.Sealer(file, poll=0.01).run, args=(stop,))
    sealer.start()
    beside = _acts()
    stop.set()
    sealer.join()
    print(f"an act alone p50 {alone[0]:.2f} p99 {alone[1]:.2f} ms; while its trail is sealed p50 {beside[0]:.2f} "
          f"p99 {beside[1]:.2f} ms")  # fmt: skip


def _fill(entries: int) -> None:
    from watchkeeper.kernel.models import AuditEntry

    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for start in range(0, entries, 10_000):
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=begin + dt.timedelta(seconds=n), actor_kind="person", actor="ann", actor_id="17", address="192.0.2.7",
                request_id=f"{n:032x}", act="item.change", kind="item", record=f"{n:032x}", name=f"db-{n}",
                before={"name": f"db-{n}", "owner": "infrastructure", "criticality": 3},
                after={"name": f"db-{n + 1}", "owner": "databases", "criticality": 2},
            )
            for n in range(start, min(entries, start + 10_000))
        )  # fmt: skip


def _update_only() -> None:
    from django.db import connection, transaction

    from watchkeeper.kernel.models import AuditEntry

    number = 0
    while ids := list(
        AuditEntry.objects.filter(sealed_no=None).order_by("id").values_list("id", flat=True)[:500]
    ):
        rows = [(number + n, "0" * 64, pk) for n, pk in enumerate(ids, 1)]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany("UPDATE kernel_auditentry SET sealed_no = %s, seal = %s WHERE id = %s", rows)
        number += len(ids)


def _read_only() -> None:
    from watchkeeper.kernel.models import AuditEntry

    at = 0
    found = AuditEntry.objects.order_by("sealed_no").values_list()
    while page := list(found.filter(sealed_no__gt=at)[:2000]):
        at = page[-1][-2]


def _whole(verdict: Any) -> None:
    assert verdict.whole, verdict.findings


def _acts(times: int = 500) -> tuple[float, float]:
    """Milliseconds of an act, median and 99th percentile."""
    from watchkeeper.kernel import audit
    from watchkeeper.kernel.acting import SYSTEM

    taken = sorted(_timed(lambda: audit.record(SYSTEM, "bench.act"))[0] * 1000 for _ in range(times))
    return taken[times // 2], taken[times * 99 // 100]


def _timed(function: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def _line(what: str, entries: int, taken: tuple[float, float]) -> None:
    wall, cpu = taken
    print(
        f"{what:<40} {wall:6.2f} s {cpu:6.2f} CPU-s {entries / wall:9,.0f} entries/s {entries / cpu:9,.0f} a CPU-s"
    )


if __name__ == "__main__":
    main()
