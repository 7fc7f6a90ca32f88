"""Long work that people start in the console: large files looked at and imported, long lists exported; and each night
what nobody needs any more is cleared away."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from rest_framework import serializers

from watchkeeper.console import importing
from watchkeeper.console.models import HeldImport
from watchkeeper.domains.lists.asking import narrowed
from watchkeeper.exchange import applying, tables
from watchkeeper.exchange.planning import Plan
from watchkeeper.exchange.tables import Format
from watchkeeper.jobs.models import Job
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import NotThere, Refused
from watchkeeper.kernel.resource import Resource, registry

KEEP_JOBS = dt.timedelta(days=30)
KEEP_EXPORTS = dt.timedelta(days=7)


class HeldFields(serializers.Serializer[Any]):
    """Which file."""

    held = serializers.CharField(max_length=32)


def _held(run: Run) -> tuple[HeldImport, Resource]:
    """The file, which has to be of who started the job. Raises NotThere."""
    held = importing.find(run.arguments["held"], user=run.actor.person)
    return held, registry[held.path]


@job("import-preview", "Look at a file to import", fields=HeldFields, at_once=2)
def preview(run: Run) -> dict[str, Any]:
    """Finds what a large file would do and every error in it."""
    run.say("Reading the file and comparing it with the records")

    def look() -> dict[str, Any]:
        held, resource = _held(run)
        plan = importing.plan_of(held, resource, run.actor, _counted(run, held, "rows looked at"))
        seen = importing.keep(held, plan)
        said = f"To make: {seen.creates:,}; to change: {seen.changes:,}; unchanged: {seen.unchanged:,}."
        if seen.wrong:
            said = f"{seen.wrong:,} errors: nothing can be imported before they are mended."
        return {"summary": said, "links": {"See what it would do": f"/{held.path}/import/?held={held.pk}"}}

    found: dict[str, Any] = run.step("look", look)
    return found


@job("import", "Import a file", fields=HeldFields)
def import_(run: Run) -> dict[str, Any]:
    """Does what a preview has shown, all of it or nothing."""
    run.say("Comparing the file with the records again")

    def ready() -> tuple[HeldImport, applying.Ready]:
        held, resource = _held(run)
        plan = importing.plan_of(held, resource, run.actor, _counted(run, held, "rows compared"))
        _as_shown(held, plan)
        run.say("Making the records ready")
        made = applying.ready(plan, run.actor, _steps(run, plan))
        run.say("Writing all of them at once")
        return held, made

    def write(both: tuple[HeldImport, applying.Ready]) -> dict[str, Any]:
        held, made = both
        applied = made.write()
        links = {capfirst(made.plan.resource.plural): f"/{held.path}/"}
        if applied.once:
            importing.keep(held, made.plan, applied)
            links = {"Copy what is shown once": f"/{held.path}/import/?held={held.pk}"}
        else:
            held.delete()
        said = (
            f"Made: {len(applied.made):,}; changed: {applied.changed:,}; unchanged: {made.plan.unchanged:,}."
        )
        return {"summary": said, "links": links}

    done: dict[str, Any] = run.commit("records", write, ready)
    return done


def _as_shown(held: HeldImport, plan: Plan) -> None:
    """Raises Refused when it would not do any more what was shown."""
    shown, now = held.digest, importing.digest_of(held.content.encode(), plan)
    if shown != now:
        importing.keep(held, plan)
        raise Refused(
            "records have changed since the preview, so nothing was imported; choose the file again"
        )


def _counted(run: Run, held: HeldImport, unit: str) -> Any:
    total = len(tables.read(held.content.encode(), Format(held.written)))
    return _steps(run, None, total, unit)


def _steps(run: Run, plan: Plan | None, total: int = 0, unit: str = "records made ready") -> Any:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        run.progress(done, plan.steps if plan else total, unit)

    return more


class ExportFields(serializers.Serializer[Any]):
    """Which list, as what."""

    path = serializers.ChoiceField(choices=())
    written = serializers.ChoiceField(choices=[f.value for f in Format])
    query = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, default=dict
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        path: Any = self.fields["path"]
        path.choices = [r.path for r in registry]


@job("export", "Export a list", fields=ExportFields, at_once=2)
def export(run: Run) -> dict[str, Any]:
    """Writes a list to a file that its starter can fetch for a week."""
    path, written = run.arguments["path"], Format(run.arguments["written"])
    run.say(f"Writing {path} as {written.upper()}")

    def write() -> dict[str, Any]:
        resource = registry[path]
        require(run.actor, "read", resource)
        query = MultiValueDict(run.arguments["query"])
        found = narrowed(resource, run.actor, visible(run.actor, resource), query)
        total, count = found.count(), 0

        def counted() -> Iterator[dict[str, Any]]:
            nonlocal count
            for row in applying.rows_of(resource, found):
                count += 1
                run.progress(count, total, resource.plural)
                yield row

        file = file_of(run.id, written)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        part = file.with_suffix(".part")
        try:
            with part.open("w", encoding="utf-8", newline="") as to:
                to.writelines(tables.write(counted(), written, applying.columns_of(resource)))
                to.flush()
                os.fsync(to.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        return {
            "summary": f"{capfirst(resource.plural)}: {count:,}, in {file.stat().st_size / 1e6:.1f} MB.",
            "links": {f"Fetch the {written.upper()} file": f"/jobs/{run.id}/file/"},
        }

    done: dict[str, Any] = run.step("write", write)
    return done


def file_of(pk: str, written: Format) -> Path:
    """Where the export of a job is. Raises NotThere for an id that is no file's name."""
    if not pk.replace("-", "").isalnum():
        raise NotThere("this job has no file")
    folder: Path = settings.CONFIG.data / "exports"
    return folder / f"{pk}.{written}"


@job("clear-away", "Clear away old jobs and exports", every="40 3 * * *")
def clear_away(run: Run) -> dict[str, int]:
    """Finished jobs after a month, exports after a week, files that were previewed after their hour."""

    def clear() -> dict[str, int]:
        now = timezone.now()
        jobs, _ = Job.objects.filter(finished_at__lt=now - KEEP_JOBS).delete()
        HeldImport.objects.filter(created_at__lt=now - importing.KEPT).delete()
        old = [
            f
            for f in (settings.CONFIG.data / "exports").glob("*")
            if f.stat().st_mtime < (now - KEEP_EXPORTS).timestamp()
        ]
        for file in old:
            file.unlink(missing_ok=True)
        return {"jobs": jobs, "exports": len(old)}

    cleared: dict[str, int] = run.step("clear", clear)
    return cleared
