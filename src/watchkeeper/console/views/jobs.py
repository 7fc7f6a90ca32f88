"""A job's page while it runs, and starting one that a list offers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console.surroundings import of_job
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel import jobs
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry


@require_POST
@signed_in()
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Start a job that takes no arguments, and show it."""
    actor = actor_of(request)
    require(actor, "create", registry["jobs"])
    return HttpResponseRedirect(f"/jobs/{jobs.start(name, {}, actor).pk}/")


@require_GET
@signed_in()
def now(request: HttpRequest, key: str) -> HttpResponse:
    """How far it is; once it is over the whole page is shown anew."""
    job = get_object_or_404(visible(actor_of(request), "jobs"), pk=key)
    shown = page(request, "parts/job_now.html", record=job, **of_job(job, actor_of(request)))
    if job.finished:
        shown.headers["HX-Refresh"] = "true"
    return shown
