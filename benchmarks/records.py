"""Records: what the one writer, the lists and the start cost, with a million alerts stored and 20,000 firing.

    python -m benchmarks.records [--stored 1000000] [--postgres]

The peer of the writer is Django's own bulk_create(update_conflicts=True), in the same run on the same table.
Lists are asked for through the whole of Django (middleware, token, serializers), without a socket.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.whole.records import analyse, arguments, database

NOW = 1_700_000_000_000
ACTIVE = 20_000
LISTS = (
    "/api/alerts/",
    "/api/alerts/?status=firing",
    "/api/alerts/?status=firing&limit=1000",
    "/api/alerts/?status=firing&ordering=-severity",
    "/api/alerts/?status=firing&search=db-77",
    "/api/alerts/?status=resolved",
    "/api/alerts/?severity=critical",
    "/api/alerts/?source=alertmanager",
    "/api/alerts/?status=firing&offset=19900",
    "/api/alerts/?search=db-77",
    "/api/situations/",
    "/api/situations/?state__in=open,acknowledged",
    "/api/items/",
)


def main() -> None:
    """Build, measure, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--stored", type=int, default=1_000_000)
    given = parser.parse_args()
    with database(given.postgres) as folder:
        _run(given.stored, folder)


def _run(stored: int, folder: Path) -> None:
    from django.db import connection

    from watchkeeper.domains.situations import AnalysisWriter, load_active

    writer = AnalysisWriter()
    offset = _fill(writer, stored)
    analyse()
    print(f"{connection.vendor}: {stored:,} alerts stored, {ACTIVE:,} of them firing")
    firing = {a.fingerprint: a for a in (_alert(n, True, NOW) for n in range(ACTIVE))}
    changed = [{f: _again(a, NOW + 1000 * k) for f, a in firing.items()} for k in range(1, 4)]
    ours = [
        _timed(lambda c=c, k=k: writer.write(c, {}, offset=offset + k, now_ms=NOW))
        for k, c in enumerate(changed, 1)
    ]
    peer = [_timed(lambda c=c: _peer(c)) for c in changed]
    _line("write 20,000 changed alerts", ours)
    _line("  peer: bulk_create(update_conflicts)", peer)
    print(
        f"  ratio by CPU: {statistics.median(c for _, c in peer) / statistics.median(c for _, c in ours):.1f}"
    )
    situations = _situations(firing)
    _line("write 200 situations of 100 alerts", [
        _timed(lambda: writer.write({}, situations, offset=offset + 4, now_ms=NOW))
    ])  # fmt: skip
    _discover()
    _line("load alerts and situations", [_timed(lambda: load_active(NOW)) for _ in range(3)])
    _line("load the topology, 10,000 items", [_timed(_topology) for _ in range(3)])
    _lists()
    if connection.vendor == "sqlite":
        size = sum(f.stat().st_size for f in folder.glob("records.db*"))
        print(f"{size / (stored or 1):.0f} bytes a stored alert on disk, indexes included")


def _fill(writer: Any, stored: int) -> int:
    """Resolved alerts over 90 days, then the firing ones; the offset after."""
    began = time.monotonic()
    offset = 0
    for start in range(ACTIVE, stored, 20_000):
        rows = {
            f"{n:016x}": _alert(n, False, NOW - 7_776 * (stored - n))
            for n in range(start, min(stored, start + 20_000))
        }
        offset += 1
        writer.write(rows, {}, offset=offset, now_ms=NOW)
    writer.write(
        {f"{n:016x}": _alert(n, True, NOW) for n in range(ACTIVE)}, {}, offset=offset + 1, now_ms=NOW
    )
    print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return offset + 1


def _alert(n: int, firing: bool, at_ms: int) -> Any:
    from watchkeeper.model.reason import Reason, ReasonKind
    from watchkeeper.model.topology import item_id
    from watchkeeper.model.verdicts import Alert, AlertStatus, Severity

    host = f"db-{n % 10_000}"
    return Alert(
        fingerprint=f"{n:016x}",
        item=item_id("host", host),
        name=f"DiskFull{n % 50}",
        severity=list(Severity)[n % 4],
        status=AlertStatus.FIRING if firing else AlertStatus.RESOLVED,
        summary=f"no space is left on / of {host}",
        labels={"alertname": f"DiskFull{n % 50}", "instance": host, "job": "node", "cluster": "eu-1"},
        annotations={"summary": f"no space is left on / of {host}"},
        source="alertmanager",
        starts_ms=at_ms,
        ends_ms=0 if firing else at_ms + 60_000,
        first_seen_ms=at_ms,
        last_seen_ms=at_ms + n % 1000,
        because=(Reason(ReasonKind.RULE, "alertmanager says so", 1.0),),
    )


def _again(alert: Any, at_ms: int) -> Any:
    import msgspec

    return msgspec.structs.replace(alert, last_seen_ms=at_ms, count=alert.count + 1)


def _peer(alerts: dict[str, Any]) -> None:
    from django.db import transaction

    from watchkeeper.domains.situations import models
    from watchkeeper.kernel.fields import moment

    fields = [f.name for f in models.Alert._meta.concrete_fields if not f.primary_key]
    with transaction.atomic():
        models.Alert.objects.bulk_create(
            (
                models.Alert(
                    fingerprint=a.fingerprint, item_id=a.item, name=a.name, severity=a.severity, status=a.status.value,
                    summary=a.summary, labels=a.labels, annotations=a.annotations, url=a.url, source=a.source,
                    starts_at=moment(a.starts_ms), ends_at=moment(a.ends_ms), first_seen_at=moment(a.first_seen_ms),
                    last_seen_at=moment(a.last_seen_ms), count=a.count, firings=a.firings, flapping=a.flapping,
                    suppressed_by=a.suppressed_by, acknowledged_by=a.acknowledged_by, score=a.score,
                    because=a.because, situation_id=a.situation or None,
                )
                for a in alerts.values()
            ),
            update_conflicts=True, update_fields=fields, unique_fields=["fingerprint"], batch_size=1000,
        )  # fmt: skip


def _situations(firing: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.model.reason import Reason, ReasonKind
    from watchkeeper.model.verdicts import Cause, Membership, Severity, Situation, SituationState

    fingerprints = list(firing)
    reasons = (
        Reason(ReasonKind.GRAPH, "both run on the same host", 0.6),
        Reason(ReasonKind.TIME, "same minute", 0.4),
    )
    return {
        f"s{n}": Situation(
            id=f"s{n}",
            state=SituationState.OPEN,
            severity=Severity.CRITICAL,
            title=f"Disk is full on db-{n}",
            opened_ms=NOW + n,
            updated_ms=NOW + n,
            members=tuple(Membership(f, NOW, reasons) for f in fingerprints[n * 100 : n * 100 + 100]),
            because=reasons,
            causes=tuple(Cause(firing[f].item, 0.5, reasons) for f in fingerprints[n * 100 : n * 100 + 3]),
        )
        for n in range(200)
    }


def _discover() -> None:
    from django.db import transaction

    from watchkeeper.domains.inventory import write_discoveries
    from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, item_id

    items = tuple(
        Item(item_id("host", f"db-{n}"), "host", f"db-{n}",
             (Identifier("hostname", f"db-{n}"), Identifier("address", f"10.0.{n // 256}.{n % 256}")))
        for n in range(10_000)
    )  # fmt: skip
    edges = tuple(
        Relation(a.id, b.id, RelationKind.DEPENDS_ON, "spans") for a, b in itertools.pairwise(items)
    )
    found = [Discovery(NOW, "bench", items, edges)]

    def write() -> None:
        with transaction.atomic():
            write_discoveries(found, NOW)

    _line("write 10,000 discovered items, first", [_timed(write)])
    _line("write 10,000 discovered items, again", [_timed(write)])


def _topology() -> None:
    from watchkeeper.domains.inventory import load_topology

    load_topology()


def _lists() -> None:
    from django.test import Client

    from watchkeeper.domains import identity

    client = Client(headers={"authorization": "Bearer " + identity.create_token("bench", "read")})
    for url in LISTS:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        taken = [_timed(lambda url=url: client.get(url)) for _ in range(9)]
        wall, cpu = (1000 * statistics.median(t[n] for t in taken) for n in (0, 1))
        print(f"GET {url:<48} {wall:6.0f} ms {cpu:6.0f} CPU-ms   count {answer.json()['count']:,}")


def _timed(function: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def _line(what: str, runs: list[tuple[float, float]]) -> None:
    wall, cpu = statistics.median(w for w, _ in runs), statistics.median(c for _, c in runs)
    print(f"{what:<42} {wall:6.2f} s   {cpu:6.2f} CPU-s")


if __name__ == "__main__":
    main()
