"""What an import would do and has done, small enough to be kept and shown: the counts, and the first of each sort."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import msgspec
from django.utils import timezone

from watchkeeper.console.models import HeldImport
from watchkeeper.exchange import applying, planning, tables
from watchkeeper.exchange.tables import Format
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.audit import plain
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource

SHOWN = 200  # rows of a preview
KEPT = dt.timedelta(hours=1)


class Sample(msgspec.Struct, frozen=True):
    """A record to make or to change: its row in the file, its key once it is there, and each value before and after."""

    row: int
    key: Any
    title: str
    values: tuple[tuple[str, Any, Any], ...]


class Summary(msgspec.Struct, frozen=True):
    """A plan in numbers, its first changes, and its first errors: row, field, detail. `once` are secrets that are
    shown once, by the title of their record; `applied` when it was done."""

    creates: int
    changes: int
    unchanged: int
    wrong: int
    ignored: tuple[str, ...]
    first_changes: tuple[Sample, ...]
    first_creates: tuple[Sample, ...]
    first_wrong: tuple[tuple[int, str, str], ...]
    applied: bool = False
    once: dict[str, dict[str, Any]] = {}

    @property
    def steps(self) -> int:
        """How many records it writes."""
        return self.creates + self.changes


def summary_of(plan: planning.Plan, applied: applying.Applied | None = None) -> Summary:
    """The plan, made small."""
    made = applied.made if applied and not applied.pending else {}
    return Summary(
        len(plan.creates), len(plan.changes), plan.unchanged, len(plan.wrong), tuple(plan.ignored),
        _samples(plan.changes, {}), _samples(plan.creates, made),
        tuple((w.row, w.field, w.detail) for w in plan.wrong[:SHOWN]),
        applied is not None, applied.once if applied else {},
    )  # fmt: skip


def _samples(steps: list[planning.Step], made: dict[int, Any]) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            s.row, plain(made.get(s.row, s.key)), s.title,
            tuple((n, plain(a), plain(b)) for n, (a, b) in s.values.items()),
        )
        for s in steps[:SHOWN]
    )  # fmt: skip


def digest_of(data: bytes, plan: planning.Plan) -> str:
    """Of the content and of what it would do: what is applied is what was previewed."""
    return hashlib.sha256(data.removeprefix(b"\xef\xbb\xbf") + plan.digest.encode()).hexdigest()


def plan_of(
    held: HeldImport, resource: Resource, actor: Actor, progress: planning.Progress = lambda _: None
) -> planning.Plan:
    """What a file that is kept would do now."""
    rows = tables.read(held.content.encode(), Format(held.written))
    cells = held.written == Format.CSV
    return planning.plan(resource, actor, rows, match=held.match, cells=cells, progress=progress)


def keep(held: HeldImport, plan: planning.Plan, applied: applying.Applied | None = None) -> Summary:
    """Note what a file would do, or has done."""
    made = summary_of(plan, applied)
    held.digest = digest_of(held.content.encode(), plan)
    held.summary = msgspec.json.encode(made).decode()
    held.save(update_fields=["digest", "summary"])
    return made


def kept(held: HeldImport) -> Summary:
    """What was noted. Raises NotThere before it was."""
    if not held.summary:
        raise NotThere("it is still being looked at")
    return msgspec.json.decode(held.summary, type=Summary)


def find(pk: str, **more: Any) -> HeldImport:
    """A file that is kept. Raises NotThere."""
    found = HeldImport.objects.filter(pk=pk, created_at__gte=timezone.now() - KEPT, **more).first()
    if found is None:
        raise NotThere("what was previewed is not kept any more; choose the file again")
    return found
