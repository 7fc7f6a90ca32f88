"""Import and export of 100,000 items, as the command line does it: planned, made, read back unchanged, changed.

    python -m benchmarks.exchange [--rows 100000] [--postgres]

The peer, in the same run on the same table: Django's bulk_create of the same items, which validates and audits
nothing.
"""

from __future__ import annotations

import resource
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.whole.records import arguments, database

NAMES = "id", "kind", "name", "attributes"


def main() -> None:
    """Build, measure, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    with database(given.postgres) as folder:
        _run(given.rows, folder)


def _run(rows: int, folder: Path) -> None:
    from watchkeeper.domains.inventory.models import Item
    from watchkeeper.exchange.applying import columns_of, rows_of
    from watchkeeper.exchange.tables import Format, write
    from watchkeeper.kernel.resource import registry

    items = registry["items"]
    file = folder / "new.csv"
    with file.open("w") as to:
        to.writelines(write(_new(rows), Format.CSV, NAMES[1:]))
    _timed("bulk_create, nothing validated or audited", rows, lambda: _peer(rows))
    Item.objects.all().delete()
    plan = _import(rows, "new items", file)
    assert len(plan.creates) == rows
    for form in Format:
        out = folder / f"all.{form}"

        def export(out: Path = out, form: Format = form) -> None:
            with out.open("w", newline="") as to:
                to.writelines(write(rows_of(items, items.queryset()), form, columns_of(items)))

        _timed(f"export as {form}", rows, export)
        plan = _import(rows, "unchanged items", out)
        assert plan.unchanged == rows
    changed = folder / "changed.json"
    changed.write_text((folder / "all.json").read_text().replace('"host-', '"server-'))
    plan = _import(rows, "changed items", changed)
    assert len(plan.changes) == rows
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


def _new(rows: int) -> Iterator[dict[str, Any]]:
    for n in range(rows):
        yield {"kind": "host", "name": f"host-{n}", "attributes": {"rack": f"r{n % 500}", "owner": "ops"}}


def _import(rows: int, what: str, file: Path) -> Any:
    from watchkeeper.domains.identity.keys import command_actor
    from watchkeeper.exchange import applying, planning, tables
    from watchkeeper.kernel.resource import registry

    form = tables.Format.of(file.name)
    assert form is not None
    kept: dict[str, Any] = {}

    def look() -> None:
        read = tables.read(file.read_bytes(), form)
        cells = form is tables.Format.CSV
        kept["plan"] = planning.plan(registry["items"], command_actor(), read, cells=cells)

    _timed(f"plan {what} from {form}", rows, look)
    plan = kept["plan"]
    assert not plan.wrong, plan.wrong[:3]
    if plan.creates or plan.changes:
        _timed(f"apply {what}", rows, lambda: applying.apply(plan, command_actor()))
    return plan


def _peer(rows: int) -> None:
    from django.utils import timezone

    from watchkeeper.domains.inventory.models import Item

    now = timezone.now()
    Item.objects.bulk_create(
        (
            Item(id=str(uuid.uuid4()), discovered=False, source="bench", first_seen_at=now, last_seen_at=now, **row)
            for row in _new(rows)
        ),
        batch_size=1000,
    )  # fmt: skip


def _timed(what: str, rows: int, function: Callable[[], Any]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<44} {wall:7.1f} s {cpu:7.1f} CPU-s {rows / cpu:10,.0f} rows a CPU-second", flush=True)


if __name__ == "__main__":
    main()
