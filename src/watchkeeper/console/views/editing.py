"""The form that changes a record, of any kind whose declaration allows it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached
from watchkeeper.console.fields import Field, fields_of, read, shown
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Forbidden, Refused
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError


def found(actor: Actor, path: str, key: str) -> tuple[Resource, Any]:
    """A kind and its record. Raises Http404."""
    try:
        resource = registry[path]
        return resource, visible(actor, resource).get(pk=key)
    except (KeyError, ValueError, ObjectDoesNotExist) as error:
        raise Http404 from error


def emptied(fields: list[Field], given: dict[str, Any]) -> dict[str, Any]:
    """With what was cleared: an empty box takes the value away, but an empty password stays the old one."""
    empty: dict[str, Any] = {"list": [], "pick": [], "pairs": {}, "text": "", "long": ""}
    cleared = {
        f.name: empty[f.shape] for f in fields if f.shape in empty and f.name not in given and f.value != ""
    }
    return {**cleared, **given}


@require_http_methods(["GET", "POST"])
@signed_in()
def edit(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """What may be changed, with its present values; then the record's page."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    if "change" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be changed here.")
    require(actor, "change", resource, record)
    serializer, now = serializer_of(resource), serializer_of(resource)(record).data
    fields = [shown(f, now.get(f.name)) for f in fields_of(serializer) if f.name in resource.writable]
    own = attached.inputs(resource, now.get("custom_fields", {}))
    context: dict[str, Any] = {
        "title": f"Change {resource.title(record)}", "resource": resource, "record": record, "fields": fields, "own": own,
    }  # fmt: skip
    if request.method == "GET":
        return page(request, "form.html", **context)
    typed = emptied(fields, read(fields, request.POST))
    if own:
        typed["custom_fields"] = attached.typed(own, request.POST)
    given = serializer(record, data=typed, partial=True)
    try:
        given.is_valid(raise_exception=True)
        doing.change(resource, actor, record, given)
    except Forbidden:
        raise
    except (ValidationError, WatchkeeperError) as error:
        context["fields"] = [f.filled(request.POST, error) for f in fields]
        context["own"] = attached.said(own, request.POST, error)
        context["error"] = getattr(error, "detail", "") if isinstance(error, WatchkeeperError) else ""
        return page(request, "form.html", status=400, **context)
    return HttpResponseRedirect(f"/{resource.path}/{record.pk}/")
