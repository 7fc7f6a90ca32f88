"""What a rule would have done, for the form in which it is written; as htmx asks for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from watchkeeper.console.fields import fields_of, read
from watchkeeper.console.templatetags.console import as_time
from watchkeeper.console.views.page import signed_in
from watchkeeper.domains.automation import trying
from watchkeeper.domains.inbox.rules import sentence
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError


@require_POST
@signed_in()
def try_rule(request: HttpRequest) -> HttpResponse:
    """The answer, or what is wrong with what was written; nothing is saved."""
    resource, actor = registry["event-rules"], actor_of(request)
    require(actor, "create", resource)
    given = read(fields_of(serializer_of(resource), actor), request.POST, actor)
    kinds = [k for k in given.get("kinds", []) if k in {r.path for r in registry}]
    if not kinds:
        return _answer(request, trouble="Choose a kind of record first.")
    try:
        tried = trying.try_out(actor, kinds, given.get("acts", []), given.get("condition", ""))
    except WatchkeeperError as error:
        return _answer(request, trouble=f"The condition: {error.detail}.")
    told = [(as_time(e.at), sentence(e, registry[e.kind].name)) for e in tried.examples]
    return _answer(request, tried=tried, told=told)


def _answer(request: HttpRequest, **context: object) -> HttpResponse:
    return render(request, "console/parts/tried.html", context)
