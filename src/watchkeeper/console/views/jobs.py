"""A job's page while it runs, starting one that a list offers, and the file that an export has made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console.came_of import of_job
from watchkeeper.console.jobs import file_of
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.exchange.tables import Format
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry


@require_POST
@signed_in()
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Start a job that takes no arguments, and show it."""
    actor, kind = actor_of(request), registry["jobs"]
    require(actor, "create", kind)
    with transaction.atomic():
        started = jobs.start(name, {}, actor)
        require(actor, "create", kind, started)  # now that its attributes are known
    return HttpResponseRedirect(f"/jobs/{started.pk}/")


@require_GET
@signed_in()
def now(request: HttpRequest, key: str) -> HttpResponse:
    """How far it is; once it is over the whole page is shown anew."""
    job = get_object_or_404(visible(actor_of(request), "jobs"), pk=key)
    shown = page(request, "parts/job_now.html", record=job, **of_job(job, actor_of(request)))
    if job.finished:
        shown.headers["HX-Refresh"] = "true"
    return shown


@require_GET
@signed_in()
def file(request: HttpRequest, key: str) -> HttpResponse | StreamingHttpResponse:
    """The file of an export, for who has started it: it may hold what others may not read."""
    job = get_object_or_404(visible(actor_of(request), "jobs"), pk=key, kind="export", user=request.user)
    written = Format(job.arguments["written"])
    path = file_of(job.pk, written)
    if not path.exists():
        raise Http404
    name = f"{job.arguments['path']}-{job.created_at:%Y-%m-%d}.{written}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(path.stat().st_size),
    }
    return StreamingHttpResponse(_pieces(path), content_type=written.media_type, headers=headers)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """Read in a thread, piece by piece: the event loop that sends them must not wait for a disk."""
    source: IO[bytes] = await sync_to_async(path.open)("rb")
    try:
        while piece := await sync_to_async(source.read)(1 << 18):
            yield piece
    finally:
        source.close()
