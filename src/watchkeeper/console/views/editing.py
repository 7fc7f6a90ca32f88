"""The forms that make and change a record, of any kind whose declaration allows it. What somebody else has changed
meanwhile is shown and not overwritten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core import signing
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached, paged, previewing
from watchkeeper.console.fields import Field, fields_of, read, shown
from watchkeeper.console.views.page import back_to, page, signed_in
from watchkeeper.console.views.records import kind
from watchkeeper.console.wording import Titles, called, said
from watchkeeper.domains.configuration import managing
from watchkeeper.kernel import audit, doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Forbidden, Refused, Stale, told
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.kernel.versions import lock
from watchkeeper.model.errors import WatchkeeperError

_SALT = "watchkeeper.form"
_CLASH = "Another record says the same, or one that this refers to is gone."
#: what an emptied box means, by shape; a password that is left empty stays the old one
_EMPTY: dict[str, Any] = {
    "list": [],
    "pick": [],
    "references": [],
    "pairs": {},
    "names": [],
    "matchers": [],
    "questions": {"type": "object", "properties": {}, "required": []},
    "text": "",
    "long": "",
}


def found(actor: Actor, path: str, key: str) -> tuple[Resource, Any]:
    """A kind and its record. Raises Http404."""
    try:
        resource = registry[path]
        return resource, visible(actor, resource).get(pk=key)
    except (KeyError, ValueError, ObjectDoesNotExist) as error:
        raise Http404 from error


@require_http_methods(["GET", "POST"])
@signed_in()
def new(request: HttpRequest, path: str) -> HttpResponse:
    """A form for a new record, empty or as a copy; a secret that is shown once is shown here."""
    resource, actor = kind(request, path, "create"), actor_of(request)
    if "create" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be made here.")
    serializer = serializer_of(resource)
    fields = fields_of(serializer, actor, (*resource.writable, *resource.create_only))
    context: dict[str, Any] = {
        "title": f"New {resource.name}",
        "resource": resource,
        "previews": previewing.of(resource),
        "own": attached.inputs(resource, actor),
        "back": back_to(request, request.GET),
    }
    if resource.path == "escalations":
        context["title"] = paged.heading(actor, request.GET) or context["title"]
    if request.method == "GET":
        copied = _copied(resource, actor, request.GET["from"]) if request.GET.get("from") else {}
        values = {**copied, **{f.name: _asked(request, f) for f in fields if f.name in request.GET}}
        made = (
            visible(actor, resource).filter(pk=request.GET["made"]).first() if "made" in request.GET else None
        )
        context["fields"] = [shown(f, values[f.name], actor) if f.name in values else f for f in fields]
        context |= previewing.held_back(resource, actor, previewing.in_boxes(context["fields"]))
        return page(request, "form.html", made=made, copied=bool(copied), **context)
    if "preview" in request.POST:
        return _previewed(request, actor, fields, context)
    typed = {**_cleared(request, fields), **_given(request, fields, context["own"])}
    given = serializer(data=typed, context={"request": request, "actor": actor})
    try:
        given.is_valid(raise_exception=True)
        made = doing.create(resource, actor, given)
    except Forbidden:
        raise
    except (ValidationError, WatchkeeperError, IntegrityError) as error:
        return _again(request, fields, error, **context)
    once = getattr(made, "shown_once", {})
    if once:
        return page(
            request, "once.html", title=f"{resource.title(made)} is made", resource=resource, once=once
        )
    if "another" in request.POST:
        again = QueryDict(mutable=True)
        again.update({**request.GET.dict(), "made": made.pk})
        return HttpResponseRedirect(f"/{resource.path}/new/?{again.urlencode()}")
    if back := back_to(request, request.GET):
        return HttpResponseRedirect(back)
    key = "" if made._state.adding else f"{made.pk}/"  # one on its way through the journal has no page yet
    return HttpResponseRedirect(f"/{resource.path}/{key}")


def _asked(request: HttpRequest, field: Field) -> Any:
    """What a link fills in."""
    many = field.shape in ("pick", "references")
    return request.GET.getlist(field.name) if many else request.GET[field.name]


def _given(request: HttpRequest, fields: list[Field], own: list[Field]) -> dict[str, Any]:
    """What was typed, as the API takes it; `own` are the kind's custom fields."""
    actor = actor_of(request)
    custom = {"custom_fields": attached.typed(own, request.POST, actor)} if own else {}
    return {**read(fields, request.POST, actor), **custom}


def _cleared(request: HttpRequest, fields: list[Field]) -> dict[str, str]:
    """Texts with a default that were emptied: they are to be empty, not the default."""
    texts = (f for f in fields if f.shape in ("text", "long") and f.value)
    return {f.name: "" for f in texts if f.name in request.POST and not request.POST[f.name].strip()}


def _copied(resource: Resource, actor: Actor, key: str) -> dict[str, Any]:
    """What a copy of the record begins with: not what only one record can have."""
    _, record = found(actor, resource.path, key)
    unique = {f.name for f in resource.model._meta.concrete_fields if f.unique}
    now = serializer_of(resource)(record).data
    kept = {*resource.writable, *resource.create_only} - unique - {"identifiers"}
    return {name: value for name, value in now.items() if name in kept and value is not None}


@require_http_methods(["GET", "POST"])
@signed_in()
def edit(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """What may be changed, with its present values; then the record's page."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    if "change" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be changed here.")
    require(actor, "change", resource, record)
    now = serializer_of(resource)(record).data
    fields = [
        shown(f, now.get(f.name), actor) for f in fields_of(serializer_of(resource), actor, resource.writable)
    ]
    context: dict[str, Any] = {
        "title": f"Change {resource.title(record)}", "resource": resource, "record": record,
        "seen": _seen(resource, now), "previews": previewing.of(resource),
        "own": attached.inputs(resource, actor, now.get("custom_fields", {})),
        "managed": managing.of(resource, record),
    }  # fmt: skip
    if request.method == "GET":
        return page(request, "form.html", fields=fields, **context)
    if "preview" in request.POST:
        context["seen"] = request.POST.get("seen", "")
        return _previewed(request, actor, fields, context)
    try:
        changed = _change(request, resource, record, fields, context["own"])
    except Forbidden:
        raise
    except Stale:
        fresh = visible(actor, resource).get(pk=record.pk)
        now = serializer_of(resource)(fresh).data
        fields = [_untouched(request, f, now, actor) for f in fields]
        context["own"] = attached.said(context["own"], request.POST, None, actor)
        context |= {"seen": _seen(resource, now), "meanwhile": _meanwhile(request, resource, fresh)}
        return page(request, "form.html", status=412, fields=fields, by=_last(resource, fresh), **context)
    except (ValidationError, WatchkeeperError, IntegrityError) as error:
        return _again(request, fields, error, **context | {"seen": request.POST.get("seen", "")})
    if once := getattr(changed, "shown_once", {}):
        return page(
            request, "once.html", title=f"{resource.title(changed)} is changed", resource=resource, once=once
        )
    return HttpResponseRedirect(f"/{resource.path}/{record.pk}/")


def _change(
    request: HttpRequest, resource: Resource, record: Any, fields: list[Field], own: list[Field]
) -> Any:
    """The record as it is then. Raises Stale when it is not any more as it was when the form was made."""
    actor, serializer = actor_of(request), serializer_of(resource)
    with transaction.atomic():
        if lock(record):
            record = visible(actor, resource).get(pk=record.pk)
        if _meanwhile(request, resource, record):
            raise Stale("somebody has changed it meanwhile")
        given: Any = serializer(record, partial=True, context={"request": request, "actor": actor})
        data = _given(request, fields, own)
        given.initial_data = {**_emptied(given, fields, data), **data}
        given.is_valid(raise_exception=True)
        return doing.change(resource, actor, record, given)


def _emptied(serializer: Any, fields: list[Field], given: dict[str, Any]) -> dict[str, Any]:
    """What was cleared: an empty box takes the value away."""
    out: dict[str, Any] = {}
    for f in fields:
        if f.name in given or f.value in ("", [], None):
            continue
        if f.shape in _EMPTY:
            out[f.name] = _EMPTY[f.shape]
        elif serializer.fields[f.name].allow_null:
            out[f.name] = None
        elif getattr(serializer.fields[f.name], "allow_blank", False):
            out[f.name] = ""
    return out


def _seen(resource: Resource, now: dict[str, Any]) -> str:
    """The present values of what can be changed, signed, for the form to send back."""
    return signing.dumps(_changeable(resource, now), salt=_SALT, compress=True)


def _changeable(resource: Resource, now: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = audit.plain({name: now[name] for name in resource.writable if name in now})
    return values


def _meanwhile(
    request: HttpRequest, resource: Resource, record: Any
) -> list[tuple[str, SafeString, SafeString]]:
    """What has been changed since the form was made: label, value then, value now."""
    try:
        then = signing.loads(request.POST.get("seen", ""), salt=_SALT)
    except signing.BadSignature:
        return []
    now = _changeable(resource, serializer_of(resource)(record).data)
    titles = Titles(actor_of(request))
    return [
        (
            called(resource, name),
            said(resource, name, then[name], titles),
            said(resource, name, value, titles),
        )
        for name, value in now.items()
        if name in then and then[name] != value
    ]


def _untouched(request: HttpRequest, field: Field, now: dict[str, Any], actor: Actor) -> Field:
    """The box with what was typed; with the present value where nothing was."""
    then = signing.loads(request.POST["seen"], salt=_SALT)
    typed = replace(field.filled(request.POST, Stale(""), actor), error="")
    if field.name in then and _plainly(typed.value) == _plainly(shown(field, then[field.name], actor).value):
        return shown(field, now.get(field.name), actor)
    return typed


def _plainly(value: Any) -> Any:
    """As a form sends it back."""
    if isinstance(value, list):
        return sorted(map(str, value))
    return "on" if value is True else "" if value in (False, None) else str(value).replace("\r\n", "\n")


def _last(resource: Resource, record: Any) -> AuditEntry | None:
    entries = AuditEntry.objects.filter(kind=resource.model._meta.verbose_name, record=str(record.pk))
    return entries.order_by("-id").first()


def _again(request: HttpRequest, fields: list[Field], error: Exception, **context: Any) -> HttpResponse:
    """The form with what was typed, and what was wrong with it at the top and at each box."""
    if isinstance(error, IntegrityError):
        error = Refused(_CLASH)
    if named := getattr(error, "more", {}).get("errors"):
        error = ValidationError(named)
    filled = [f.filled(request.POST, error, actor_of(request)) for f in fields]
    context["own"] = attached.said(context["own"], request.POST, error, actor_of(request))
    typed = read(fields, request.POST, actor_of(request))
    context |= previewing.held_back(context["resource"], actor_of(request), typed)
    status = getattr(error, "status", 400)
    whole = error.detail if isinstance(error, WatchkeeperError) else _of_whole(error, filled)
    return page(request, "form.html", status=status, fields=filled, error=whole, **context)


def _of_whole(error: Any, fields: list[Field]) -> str:
    """What was wrong and belongs to none of the boxes."""
    names = {*(f.name for f in fields), "custom_fields"}
    others = ((n, words) for n, words in told(error.detail) if n.partition(".")[0] not in names)
    return " ".join(f"{name}: {words}" if name else words for name, words in others)


def _previewed(
    request: HttpRequest, actor: Actor, fields: list[Field], context: dict[str, Any]
) -> HttpResponse:
    """The form as it was typed, and what would come of it."""
    filled = [replace(f.filled(request.POST, Refused(""), actor), error="") for f in fields]
    shown_ = previewing.preview(actor, request.POST)
    return page(request, "form.html", fields=filled, preview=shown_, **context)
