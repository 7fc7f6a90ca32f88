"""What pages of tickets, problems and situations load or send beside their own: what may help, another line of the
timeline, a report as a file."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import suggested
from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.domains.problems.documents import FORMS, of_report
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.problems import told
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of


@require_GET
@signed_in()
def may_help(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """What may help with a ticket or a situation, as a part of its page."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    return page(
        request, "parts/suggested.html", resource=resource, record=record, **suggested.found(actor, record)
    )


@require_POST
@signed_in()
def happened(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Another line of the timeline."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    body = {"kind": path, "record": str(record.pk), "text": request.POST.get("text", "")}
    if at := request.POST.get("at", "").strip():
        body["at"] = at
    kind = registry["timeline-lines"]
    given = serializer_of(kind)(data=body, context={"request": request, "actor": actor})
    try:
        given.is_valid(raise_exception=True)
        doing.create(kind, actor, given)
    except ValidationError as error:
        said = " ".join(f"{name}: {words}" for name, words in told(error.detail))
        return trouble(request, 400, "The line was not added", said, back=f"/{resource.path}/{record.pk}/")
    return HttpResponseRedirect(f"/{resource.path}/{record.pk}/#happened")


@require_GET
@signed_in()
def report_file(request: HttpRequest, key: str, form: str) -> HttpResponse:
    """A report as Markdown, HTML or PDF."""
    _, report = found(actor_of(request), "post-incident-reports", key)
    if form not in FORMS:
        raise Http404
    made = of_report(report, form)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return HttpResponse(made.content, content_type=made.type, headers=headers)
