"""Many records at once: chosen in a list, looked at again, and then changed, removed or acted on, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import tagging
from watchkeeper.console.fields import Field, fields_of, read
from watchkeeper.console.views.listing import asked
from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.console.views.records import kind
from watchkeeper.console.wording import called
from watchkeeper.domains.lists.asking import narrowed
from watchkeeper.kernel import bulk
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Rejected, told
from watchkeeper.kernel.resource import Action, Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

_DEEDS = {"change": "Change", "remove": "Remove", tagging.DEED: "Tag"}
NAMED = 20  # records that are named before it is done


@require_POST
@signed_in()
def many(request: HttpRequest, path: str) -> HttpResponse:
    """First what is going to be done with which records; with `ids` it is done."""
    resource, actor = kind(request, path), actor_of(request)
    deed = request.POST.get("do", "")
    action = next((a for a in bulk.actions(resource) if deed == f"act:{a.name}"), None)
    tags = deed == tagging.DEED and tagging.offered(resource, actor)
    if action is None and not tags and not (deed in ("change", "remove") and bulk.offers(resource, deed)):
        raise Http404
    require(actor, action.name if action else "change" if tags else deed, resource)
    fields = _fields(resource, action, deed, actor)
    if "ids" not in request.POST:
        return _looked_at(request, resource, _chosen(request, resource, actor), deed, action, fields)
    ids = _ids(request.POST["ids"])
    try:
        count = _do(request, resource, actor, ids, deed, action, fields)
    except ValidationError as error:
        return _looked_at(request, resource, ids, deed, action, fields, error=error, status=400)
    except Rejected as error:
        return _looked_at(request, resource, ids, deed, action, fields, rejected=error, status=error.status)
    except IntegrityError:
        said = "another record says the same, or one that these refer to is gone"
        return _looked_at(request, resource, ids, deed, action, fields, said=said, status=409)
    except WatchkeeperError as error:
        return _looked_at(
            request, resource, ids, deed, action, fields, said=error.detail, status=error.status
        )
    query = f"{request.GET.urlencode()}&" if request.GET else ""
    return HttpResponseRedirect(f"/{path}/?{query}{'all=1&' if not request.GET else ''}done={deed}:{count}")


def _fields(resource: Resource, action: Action | None, deed: str, actor: Actor) -> list[Field]:
    """What can be set for many: not what only one record may have."""
    if action is not None:
        return fields_of(action.fields, actor)
    if deed == "remove":
        return []
    if deed == tagging.DEED:
        return tagging.inputs(resource, actor)
    own = {f.name for f in resource.model._meta.concrete_fields if f.unique}
    return fields_of(serializer_of(resource), actor, set(resource.writable) - own)


def _chosen(request: HttpRequest, resource: Resource, actor: Actor) -> list[Any]:
    """The keys of the rows that were ticked, or of all that match, at most one more than can be done at once."""
    if "every" not in request.POST:
        return request.POST.getlist("pk")
    found = narrowed(resource, actor, visible(actor, resource), asked(request, resource))
    return list(found.values_list("pk", flat=True)[: bulk.MOST + 1])


def _ids(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise Http404 from None
    if not isinstance(found, list) or len(found) > bulk.MOST:
        raise Http404
    return found


def _do(
    request: HttpRequest,
    resource: Resource,
    actor: Actor,
    ids: list[Any],
    deed: str,
    action: Action | None,
    fields: list[Field],
) -> int:
    """How many it was done with. Raises ValidationError, Rejected or another WatchkeeperError."""
    among = visible(actor, resource)
    if action is not None:
        data = dict[str, Any]()
        if action.fields is not None:
            given = action.fields(data=read(fields, request.POST, actor))
            given.is_valid(raise_exception=True)
            data = given.validated_data
        bulk.act(resource, actor, action, among, ids, data)
    elif deed == "remove":
        bulk.remove(resource, actor, among, ids)
    elif deed == tagging.DEED:
        tagging.annotate(resource, actor, among, ids, fields, request.POST)
    else:
        values = _ticked(request, fields, actor)

        def valid(record: Any, row: Any) -> Any:  # noqa: ARG001
            made = serializer_of(resource)(
                record, data=values, partial=True, context={"request": request, "actor": actor}
            )
            made.is_valid(raise_exception=True)
            return made

        bulk.change(resource, actor, among, [{"id": pk} for pk in ids], valid)
    return len(ids)


def _ticked(request: HttpRequest, fields: list[Field], actor: Actor) -> dict[str, Any]:
    """The new values of the fields that were ticked; one that is left empty is emptied. Raises ValidationError."""
    ticked = set(request.POST.getlist("set"))
    wanted = [f for f in fields if f.name in ticked]
    if not wanted:
        raise ValidationError({"": ["Tick what shall be changed."]})
    empty: dict[str, Any] = {
        "list": [],
        "pick": [],
        "references": [],
        "pairs": {},
        "names": [],
        "text": "",
        "long": "",
    }
    return {f.name: empty.get(f.shape) for f in wanted} | read(wanted, request.POST, actor)


def _looked_at(
    request: HttpRequest,
    resource: Resource,
    ids: Sequence[Any],
    deed: str,
    action: Action | None,
    fields: list[Field],
    *,
    status: int = 200,
    error: ValidationError | None = None,
    rejected: Rejected | None = None,
    said: str = "",
) -> HttpResponse:
    """The records by name, and what shall be done; with what was wrong."""
    actor, back = actor_of(request), f"/{resource.path}/?{request.GET.urlencode()}"
    if not ids:
        return trouble(request, 400, "Nothing is chosen", "Tick the rows that it is about.", back=back)
    if len(ids) > bulk.MOST:
        words = f"At most {bulk.MOST:,} {resource.plural} can be changed at once: narrow the list first."
        return trouble(request, 413, "These are too many at once", words, back=back)
    keys = [k for pk in ids if (k := bulk.key_of(resource.model, pk)) is not None]
    found = visible(actor, resource).in_bulk(keys)
    records = [found[k] for k in keys if k in found]
    if error is not None or rejected is not None or said:
        fields = [f.filled(request.POST, error or Rejected({}), actor) for f in fields]
    ids = [str(r.pk) for r in records] if rejected is None else [str(k) for k in keys]
    return page(
        request, "many.html", status=status, title=_title(resource, len(ids), deed, action), resource=resource,
        deed=deed, action=action, fields=fields, ticked=request.POST.getlist("set"), ids=json.dumps(ids),
        named=[(resource.title(r), r.pk) for r in records[:NAMED]], more=max(0, len(records) - NAMED),
        tags=tagging.form(resource, records, request.POST) if deed == tagging.DEED else None,
        count=len(ids), back=back, list_query=request.GET.urlencode(), wrong=_wrong(resource, rejected, keys, found),
        more_wrong=max(0, len(rejected.more["errors"]) - NAMED) if rejected else 0,
        error=said or (" ".join(w for n, w in told(error.detail) if n == "") if error else ""),
    )  # fmt: skip


def _title(resource: Resource, count: int, deed: str, action: Action | None) -> str:
    what = f"{count:,} {resource.name if count == 1 else resource.plural}".replace(",", "\u202f")
    if action is not None:
        return f"{action.label}: {what}"
    return f"{_DEEDS[deed]} {what}"


def _wrong(
    resource: Resource, rejected: Rejected | None, keys: Sequence[Any], found: dict[Any, Any]
) -> list[tuple[str, Any, str]]:
    """What is wrong with which record, of the first of them: its title, its key, a sentence."""
    out = []
    for number, detail in islice((rejected.more["errors"] if rejected else {}).items(), NAMED):
        key = keys[int(number)]
        title = resource.title(found[key]) if key in found else str(key)
        words = "; ".join(f"{called(resource, n)}: {text}" if n else text for n, text in told(detail))
        out.append((title, key, words))
    return out
