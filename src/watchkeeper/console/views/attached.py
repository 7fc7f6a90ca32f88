"""What people do with what is attached to a record, from the record's page: tags, custom fields, notes, links, files and
bookmarks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import attached
from watchkeeper.console.fields import fields_of, read, shown
from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import page, signed_in, trouble, with_files
from watchkeeper.domains.annotations import bookmarks as kept
from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.annotations.custom_fields import checked
from watchkeeper.domains.annotations.custom_fields import fields_of as defined
from watchkeeper.domains.annotations.models import Link
from watchkeeper.domains.annotations.tags import TagsField
from watchkeeper.kernel import doing, extras
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.hanging import family
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Forbidden, told
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError


def _back(resource: Resource, record: Any, part: str = "") -> HttpResponse:
    return HttpResponseRedirect(f"/{resource.path}/{record.pk}/{part}")


def _refused(
    request: HttpRequest, resource: Resource, record: Any, title: str, error: Exception
) -> HttpResponse:
    """What was wrong, with the way back."""
    if isinstance(error, Forbidden):
        raise error
    detail = getattr(error, "detail", str(error))
    if isinstance(error, ValidationError):
        detail = " ".join(f"{name}: {words}" if name else words for name, words in told(error.detail))
    return trouble(
        request, getattr(error, "status", 400), title, detail, back=f"/{resource.path}/{record.pk}/"
    )


@require_POST
@signed_in()
def tags(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """The record has these tags."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    try:
        names = TagsField().to_internal_value(request.POST.get("tags", ""))
        doing.annotate(resource, actor, record, {"tags": names})
    except (ValidationError, WatchkeeperError) as error:
        return _refused(request, resource, record, "The tags are as they were", error)
    return _back(resource, record)


@require_http_methods(["GET", "POST"])
@signed_in()
def fields(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """A form for the custom fields of a record, also of one that has no other form."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    require(actor, "change", resource, record)
    now = extras.value_of(resource, record, "custom_fields")
    boxes = attached.inputs(resource, actor, now)
    if not boxes:
        raise Http404
    context: dict[str, Any] = {
        "title": f"Change {resource.title(record)}",
        "resource": resource,
        "record": record,
    }
    if request.method == "GET":
        return page(request, "attached_form.html", fields=boxes, **context)
    try:
        try:
            valid = checked(defined(resource), attached.typed(boxes, request.POST, actor), now, new=False)
        except ValidationError as error:
            raise ValidationError({"custom_fields": error.detail}) from error
        doing.annotate(resource, actor, record, {"custom_fields": valid})
    except ValidationError as error:
        return page(
            request,
            "attached_form.html",
            status=400,
            fields=attached.said(boxes, request.POST, error, actor),
            **context,
        )
    return _back(resource, record)


@require_POST
@signed_in()
def bookmark(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Put the record on one's list, or take it off."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    kept.bookmark(actor, resource, record, "wanted" in request.POST)
    return _back(resource, record)


@require_GET
@signed_in()
def bookmarks(request: HttpRequest) -> HttpResponse:
    """One's own list."""
    return page(request, "bookmarks.html", title="Bookmarks", bookmarks=kept.bookmarks_of(actor_of(request)))


def _made(request: HttpRequest, actor: Actor, kind: str, data: dict[str, Any]) -> Any:
    """A note or a link, made as the API makes it. Raises ValidationError or a WatchkeeperError."""
    resource = registry[kind]
    given = serializer_of(resource)(data=data, context={"request": request, "actor": actor})
    given.is_valid(raise_exception=True)
    return doing.create(resource, actor, given)


@require_POST
@signed_in()
def note(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Add a note."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    said = {"kind": resource.path, "record": str(record.pk), "text": request.POST.get("text", ""),
            "level": request.POST.get("level", "info")}  # fmt: skip
    try:
        _made(request, actor, "notes", said)
    except (ValidationError, WatchkeeperError) as error:
        return _refused(request, resource, record, "The note is not kept", error)
    return _back(resource, record, "#notes")


@require_POST
@signed_in()
def link(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Add a link: to an address of the web, or to a record by the address of its page."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    said = {"kind": resource.path, "record": str(record.pk), "sort": request.POST.get("sort", ""),
            "label": request.POST.get("label", ""), **_end(request, request.POST.get("to", "").strip())}  # fmt: skip
    try:
        _made(request, actor, "links", said)
    except (ValidationError, WatchkeeperError) as error:
        return _refused(request, resource, record, "The link is not kept", error)
    return _back(resource, record)


def _end(request: HttpRequest, to: str) -> dict[str, str]:
    """What an address means: a page of a record here, else the web."""
    parts = urlsplit(to)
    if parts.netloc in ("", request.get_host()):
        try:
            here = resolve(f"/{parts.path.strip('/')}/").kwargs
        except Resolver404:
            here = {}
        kind = here.get("path", parts.path.strip("/").partition("/")[0])
        if "key" in here and any(r.path == kind for r in registry):
            return {"to_kind": kind, "to_record": here["key"]}
    return {"url": to}


def _of(actor: Actor, kind: str, resource: Resource, record: Any, number: int) -> tuple[Resource, Any]:
    """A note, link or file of this record. Raises Http404."""
    if kind not in ("notes", "links", "files"):
        raise Http404
    resource_of, key = registry[kind], str(record.pk)
    its = visible(actor, resource_of).filter(pk=number)
    thing = its.filter(kind__in=family(resource), record=key).first()
    if thing is None and kind == "links":  # which is shown at both ends
        thing = Link.objects.filter(pk=number, to_kind__in=family(resource), to_record=key).first()
    if thing is None:
        raise Http404
    return resource_of, thing


@require_http_methods(["GET", "POST"])
@signed_in()
def change_note(request: HttpRequest, path: str, key: str, number: int) -> HttpResponse:
    """Change a note of one's own."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    notes, thing = _of(actor, "notes", resource, record, number)
    require(actor, "change", notes, thing)
    shape = serializer_of(notes)
    boxes = [shown(f, getattr(thing, f.name), actor) for f in fields_of(shape, actor, notes.writable)]
    context: dict[str, Any] = {"title": "Change the note", "resource": resource, "record": record}
    if request.method == "GET":
        return page(request, "attached_form.html", fields=boxes, **context)
    given = shape(thing, data=read(boxes, request.POST, actor), partial=True)
    try:
        given.is_valid(raise_exception=True)
        doing.change(notes, actor, thing, given)
    except ValidationError as error:
        boxes = [f.filled(request.POST, error, actor) for f in boxes]
        return page(request, "attached_form.html", status=400, fields=boxes, **context)
    return _back(resource, record, "#notes")


@require_POST
@signed_in()
def remove(request: HttpRequest, path: str, key: str, kind: str, number: int) -> HttpResponse:
    """Remove a note, a link or a file."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    kept_as, thing = _of(actor, kind, resource, record, number)
    doing.remove(kept_as, actor, thing)
    return _back(resource, record)


@with_files
@require_POST
def upload(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Add a file."""
    actor = actor_of(request)
    resource, record = found(actor, path, key)
    try:
        file = filing.received(request)
        about = request.POST.get("description", "")
        filing.attach(actor, resource.path, str(record.pk), file.name or "", file.content, about)
    except (ValidationError, WatchkeeperError) as error:
        return _refused(request, resource, record, "The file is not kept", error)
    return _back(resource, record)


@require_GET
@signed_in()
def content(request: HttpRequest, number: int) -> HttpResponseBase:
    """The content of a file, to be saved."""
    file = visible(actor_of(request), "files").filter(pk=number).first()
    if file is None:
        raise Http404
    return filing.download(request, file)
