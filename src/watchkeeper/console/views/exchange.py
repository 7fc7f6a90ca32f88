"""A list as a file, and a file as records: export, and import with a preview that is then applied as it was shown."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_http_methods

from watchkeeper.console import importing
from watchkeeper.console.models import HeldImport
from watchkeeper.console.views.listing import asked
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.records import kind
from watchkeeper.console.wording import Titles, called, read_titles, said
from watchkeeper.domains.lists import templates
from watchkeeper.domains.lists.asking import narrowed
from watchkeeper.exchange import applying, planning, tables
from watchkeeper.exchange.tables import Format
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import Invalid, NotThere, Refused
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import TooLarge, WatchkeeperError

MOST_ROWS = 200_000  # in a page; the command line takes more
MOST_BYTES = 15 * 1024 * 1024
AT_ONCE = 1000  # rows that a page waits for; more are a job


@require_GET
@signed_in()
def export(request: HttpRequest, path: str, written: str) -> HttpResponse | StreamingHttpResponse:
    """The list that the page shows, with the same filters, whole and as a file."""
    resource, actor = kind(request, path), actor_of(request)
    if written not in list(Format):
        raise Http404
    query = asked(request, resource)
    found = narrowed(resource, actor, visible(actor, resource), query)
    if found.order_by()[: AT_ONCE + 1].count() > AT_ONCE:
        arguments = {"path": path, "written": written, "query": dict(query.lists())}
        made = jobs.start("export", arguments, actor, label=f"Export {resource.plural} as {written.upper()}")
        return HttpResponseRedirect(f"/jobs/{made.pk}/")
    pieces = tables.write(applying.rows_of(resource, found), Format(written), applying.columns_of(resource))
    name = f"{resource.path}-{timezone.now():%Y-%m-%d}.{written}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=Format(written).media_type, headers=headers)


@require_GET
@signed_in()
def templated(request: HttpRequest, path: str, name: str) -> HttpResponse:
    """The same list as an export template says."""
    resource, actor = kind(request, path), actor_of(request)
    found = narrowed(resource, actor, visible(actor, resource), asked(request, resource))
    template = templates.template_of(resource, actor, name)
    headers = {"Content-Disposition": f'attachment; filename="{template.file_name}"'}
    text = templates.written(template, resource, found)
    return HttpResponse(text, content_type=templates.content_type(template), headers=headers)


@require_http_methods(["GET", "POST"])
@signed_in()
def import_(request: HttpRequest, path: str) -> HttpResponse:
    """A file is chosen; then what it would do is shown; then it is done."""
    resource = kind(request, path, "create")
    if not planning.takes_imports(resource):
        raise Refused(f"{capfirst(resource.plural)} cannot be imported here.")
    try:
        if request.method == "GET":
            return _again(request, resource) if "held" in request.GET else _chosen(request, resource)
        if "held" in request.POST:
            return _apply(request, resource)
        data, form = _uploaded(request)
        return _preview(request, resource, data, form, request.POST.get("match", ""))
    except WatchkeeperError as error:
        return _chosen(request, resource, status=error.status, error=error.detail)


def _chosen(request: HttpRequest, resource: Resource, status: int = 200, error: str = "") -> HttpResponse:
    return page(
        request, "import.html", status=status, title=f"Import {resource.plural}", resource=resource, error=error,
        matchable=planning.matchable(resource), formats=list(Format), given=request.POST, most=MOST_ROWS,
        columns=planning.inputs(resource),
    )  # fmt: skip


def _uploaded(request: HttpRequest) -> tuple[bytes, Format]:
    """The content and its format. Raises Invalid or TooLarge."""
    file, text = request.FILES.get("file"), request.POST.get("text", "")
    if file is not None and file.size and file.size > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES // 1024**2} MiB; use the command line")
    data = file.read() if file is not None else text.encode()
    if not data.strip():
        raise Invalid("choose a file, or paste what it would hold")
    name, named = (file.name or "" if file is not None else ""), request.POST.get("written", "")
    form = Format(named) if named in list(Format) else Format.of(name) or _looks_like(data)
    return data, form


def _looks_like(data: bytes) -> Format:
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"[", b"{")):
        return Format.JSON
    return Format.YAML if start.startswith((b"- ", b"---")) else Format.CSV


def _preview(request: HttpRequest, resource: Resource, data: bytes, form: Format, match: str) -> HttpResponse:
    """What it would do: at once for a small file, and found by a job for a large one."""
    rows = tables.read(data, form)
    if len(rows) > MOST_ROWS:
        raise TooLarge(
            f"{len(rows):,} rows are more than the {MOST_ROWS:,} that a page takes; "
            f"use `watchkeeper import {resource.path} FILE`"
        )
    HeldImport.objects.filter(created_at__lt=timezone.now() - importing.KEPT).delete()
    HeldImport.objects.filter(session=request.session.session_key).delete()
    file = request.FILES.get("file")
    held = HeldImport(
        id=secrets.token_urlsafe(20), session=request.session.session_key, user=actor_of(request).person,
        path=resource.path, written=form, match=match, name=(file.name or "")[:255] if file else "",
        content=data.decode("utf-8-sig"),
    )  # fmt: skip
    if len(rows) > AT_ONCE:
        planning.check(resource, actor_of(request), match)
        held.save()
        return _job(request, held, "import-preview", f"Look at {held.name or 'a file'}: {resource.plural}")
    plan = importing.plan_of(held, resource, actor_of(request))
    if plan.wrong or not plan.steps:
        return _shown(request, resource, importing.summary_of(plan), None, plan=plan)
    held.save(force_insert=True)
    return _shown(request, resource, importing.keep(held, plan), held, plan=plan)


def _job(request: HttpRequest, held: HeldImport, name: str, label: str) -> HttpResponse:
    """Start it, once for a file, and show how far it is."""
    made = jobs.start(name, {"held": held.pk}, actor_of(request), id=f"{name}-{held.pk}", label=label)
    return HttpResponseRedirect(f"/jobs/{made.pk}/")


def _again(request: HttpRequest, resource: Resource) -> HttpResponse:
    """What a job has found or done; secrets are shown this once."""
    held = importing.find(request.GET["held"], session=request.session.session_key, path=resource.path)
    seen = importing.kept(held)
    if seen.applied:
        held.delete()
    return _shown(request, resource, seen, None if seen.wrong or seen.applied else held)


def _apply(request: HttpRequest, resource: Resource) -> HttpResponse:
    """What was previewed in this session, if it is still what would be done."""
    held = importing.find(request.POST["held"], session=request.session.session_key, path=resource.path)
    actor, seen = actor_of(request), importing.kept(held)
    if seen.steps + seen.unchanged > AT_ONCE:
        return _job(
            request, held, "import", f"Import {seen.steps:,} {resource.plural} from {held.name or 'a file'}"
        )
    plan, shown = importing.plan_of(held, resource, actor), held.digest
    if importing.digest_of(held.content.encode(), plan) != shown:
        seen = importing.keep(held, plan)
        return _shown(request, resource, seen, None if plan.wrong else held, plan=plan, stale=True)
    ready = applying.ready(plan, actor)
    with transaction.atomic():  # a second press of the button finds it taken
        if not HeldImport.objects.filter(pk=held.pk).delete()[0]:
            raise NotThere("this has been imported already")
        applied = ready.write()
    return _shown(request, resource, importing.summary_of(plan, applied), None, plan=plan)


def _drawn(
    resource: Resource, samples: Sequence[importing.Sample], titles: Titles
) -> list[tuple[importing.Sample, list[tuple[str, SafeString, SafeString]]]]:
    """Each with the names of its values and how they look before and after."""
    read_titles(resource, ({n: v} for s in samples for n, *both in s.values for v in both), titles)
    return [
        (s, [(called(resource, n), *(said(resource, n, v, titles) for v in both)) for n, *both in s.values])
        for s in samples
    ]  # fmt: skip


def _shown(
    request: HttpRequest, resource: Resource, seen: importing.Summary, held: HeldImport | None, **more: Any
) -> HttpResponse:
    status = 400 if seen.wrong else 409 if more.get("stale") else 200
    titles = Titles(actor_of(request))
    return page(
        request, "import_plan.html", status=status, title=f"Import {resource.plural}", resource=resource, seen=seen,
        held=held, changes=_drawn(resource, seen.first_changes, titles),
        creates=_drawn(resource, seen.first_creates, titles), most=importing.SHOWN, **more,
    )  # fmt: skip
