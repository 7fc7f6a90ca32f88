"""A list as a file, and a file as records: export, and import with a preview that is then applied as it was shown."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_http_methods

from watchkeeper.console.models import HeldImport
from watchkeeper.console.views.listing import asked
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.views.records import kind
from watchkeeper.console.wording import label, plain
from watchkeeper.domains.lists import templates
from watchkeeper.domains.lists.asking import narrowed
from watchkeeper.exchange import applying, planning, tables
from watchkeeper.exchange.tables import Format
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import Invalid, NotThere, Refused
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import TooLarge, WatchkeeperError

MOST_ROWS = 20_000  # in a page; the command line takes more
MOST_BYTES = 15 * 1024 * 1024
SHOWN = 200  # rows of a preview
KEPT = dt.timedelta(hours=1)


@require_GET
@signed_in()
def export(request: HttpRequest, path: str, written: str) -> HttpResponse | StreamingHttpResponse:
    """The list that the page shows, with the same filters, whole and as a file."""
    resource, actor = kind(request, path), actor_of(request)
    if written not in list(Format):
        raise Http404
    found = narrowed(resource, actor, visible(actor, resource), asked(request, resource))
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
    if request.method == "GET":
        return _chosen(request, resource)
    try:
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
    plan = _plan(request, resource, data, form, match)
    held = None
    HeldImport.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    HeldImport.objects.filter(session=request.session.session_key).delete()
    if not plan.wrong and (plan.creates or plan.changes):
        file = request.FILES.get("file")
        held = HeldImport.objects.create(
            id=secrets.token_urlsafe(20), session=request.session.session_key, path=resource.path,
            written=form, match=match,
            name=(file.name or "")[:255] if file else "", content=data.decode("utf-8-sig"), digest=_digest(data, plan),
        )  # fmt: skip
    return _shown(request, resource, plan, held)


def _apply(request: HttpRequest, resource: Resource) -> HttpResponse:
    """What was previewed in this session, if it is still what would be done."""
    held = HeldImport.objects.filter(
        pk=request.POST["held"], session=request.session.session_key, path=resource.path,
        created_at__gte=timezone.now() - KEPT,
    ).first()  # fmt: skip
    if held is None:
        raise NotThere("what was previewed is not kept any more; choose the file again")
    data = held.content.encode()
    plan = _plan(request, resource, data, Format(held.written), held.match)
    if _digest(data, plan) != held.digest:
        held.digest = _digest(data, plan)
        held.save(update_fields=["digest"])
        return _shown(request, resource, plan, None if plan.wrong else held, stale=True)
    with transaction.atomic():  # a second press of the button finds it taken
        if not HeldImport.objects.filter(pk=held.pk).delete()[0]:
            raise NotThere("this has been imported already")
        applied = applying.apply(plan, actor_of(request))
    return _shown(request, resource, plan, None, applied=applied)


def _plan(request: HttpRequest, resource: Resource, data: bytes, form: Format, match: str) -> planning.Plan:
    rows = tables.read(data, form)
    if len(rows) > MOST_ROWS:
        raise TooLarge(
            f"{len(rows):,} rows are more than the {MOST_ROWS:,} that a page takes; "
            f"use `watchkeeper import {resource.path} FILE`"
        )
    return planning.plan(resource, actor_of(request), rows, match=match, cells=form is Format.CSV)


def _digest(data: bytes, plan: planning.Plan) -> str:
    """Of the content and of what it would do: what is applied is what was previewed."""
    content = data.removeprefix(b"\xef\xbb\xbf")
    return hashlib.sha256(content + plan.digest.encode()).hexdigest()


def _drawn(
    steps: list[planning.Step],
) -> list[tuple[planning.Step, list[tuple[str, SafeString, SafeString]]]]:
    """The first steps, each with the names of its values and how they look before and after."""
    return [
        (s, [(label(n), _plain(before), _plain(after)) for n, (before, after) in s.values.items()])
        for s in steps[:SHOWN]
    ]


def _plain(value: Any) -> SafeString:
    return SafeString("–") if value in (None, "", [], {}) else plain(value)


def _shown(
    request: HttpRequest, resource: Resource, plan: planning.Plan, held: HeldImport | None, **more: Any
) -> HttpResponse:
    status = 400 if plan.wrong else 409 if more.get("stale") else 200
    return page(
        request, "import_plan.html", status=status, title=f"Import {resource.plural}", resource=resource, plan=plan,
        held=held, wrong=plan.wrong[:SHOWN], changes=_drawn(plan.changes), creates=_drawn(plan.creates), most=SHOWN,
        **more,
    )  # fmt: skip
