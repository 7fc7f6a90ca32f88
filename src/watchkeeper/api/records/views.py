"""The viewset that follows from a Resource: list, read, create, change, remove, its actions and what is related."""

from __future__ import annotations

from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.api.records import templated
from watchkeeper.api.records.bodies import make_whole, refusals, unknown, validate
from watchkeeper.api.records.bulk import MANY, acting_on_many, create_many, methods
from watchkeeper.api.records.chosen import chosen, keep, only, show
from watchkeeper.api.records.cursors import CursorPages
from watchkeeper.api.records.etags import asks_for_version, match, tagged
from watchkeeper.api.records.tables import Csv, streamed
from watchkeeper.domains import federation
from watchkeeper.domains.inventory import moved_to
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.lists.asking import narrowed
from watchkeeper.kernel import bulk, doing, extras
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.lists import filters_of
from watchkeeper.kernel.permissions import SignedIn, visible
from watchkeeper.kernel.resource import Action, Resource, registry
from watchkeeper.kernel.rest import readable, serializer_of
from watchkeeper.kernel.versions import lock

#: what a method does with a record, unless it calls an action
_ACTS = {"POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "remove"}


class ResourceFilter(BaseFilterBackend):
    """The list's parameters, as `kernel.lists` understands them."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Raises BadQuery."""
        return narrowed(view.listed(), actor_of(request), queryset, templated.without(request.query_params))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """For OpenAPI."""
        resource: Resource = view.listed()
        names = {
            "ordering": ", ".join(sorted({*resource.orderable, *resource.ordering})),
            "view": "name or id of a saved view; the other parameters narrow it",
        }
        if resource.search:
            names["search"] = "words in " + ", ".join(resource.search)
        names |= dict.fromkeys(filters_of(resource).base_filters, "")
        for extra in extras.of(resource):
            names |= {n: words for n, words in extra.parameters.items() if n.islower()}
        return [
            {"name": n, "in": "query", "required": False, "description": d, "schema": {"type": "string"}}
            for n, d in names.items()
        ]


class ResourceView(viewsets.GenericViewSet[Any]):
    """Base of the derived viewsets; `resource` is set by `view_of`."""

    resource: ClassVar[Resource]
    lists: Resource | None = None  # the kind that a list of related records is of
    permission_classes = (SignedIn,)
    filter_backends = (ResourceFilter,)
    pagination_class = CursorPages
    lookup_value_regex = r"[^/]+"

    def listed(self) -> Resource:
        """The kind that this call lists: another one for what is related."""
        return self.lists or self.resource

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:
        """What this call does, with which kinds."""
        if request.method in SAFE_METHODS:
            return tuple(("read", kind) for kind in dict.fromkeys((self.resource, self.listed())))
        declared = self.resource.action((self.action or "").removesuffix(MANY).replace("_", "-"))
        return ((declared.name if declared else _ACTS.get(request.method or "", "change"), self.resource),)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As the base. Raises NotConfirmed where the console would ask again who it is."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and self.resource.path in federation.SENSITIVE:
            federation.require_confirmed(request)

    def get_queryset(self) -> QuerySet[Any]:
        """Every record of the kind that the caller may read."""
        return visible(self.actor, self.resource)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Parameters narrow lists, not single records."""
        return super().filter_queryset(queryset) if not self.detail else queryset

    @property
    def actor(self) -> Actor:
        """Who calls."""
        return actor_of(self.request)

    def get_serializer_context(self) -> dict[str, Any]:
        """As the base, and who calls: only what they may read can be referred to."""
        return {**super().get_serializer_context(), "actor": self.actor}

    def get_renderers(self) -> list[Any]:
        """Lists are tables too."""
        lists = self.action == "list" or self.lists is not None
        return [*super().get_renderers(), *([Csv(), templated.Templated()] if lists else [])]

    def answer(self, found: QuerySet[Any]) -> Response | HttpResponseBase:
        """A page of a narrowed list, or all of it as a table or as a template says, with the fields asked for."""
        kind = self.listed()
        if self.request.accepted_renderer.format == templated.Templated.format:
            return templated.answer(kind, self.actor, found, self.request.query_params)
        shape, context = serializer_of(kind), self.get_serializer_context()
        names = chosen(self.request.query_params, readable(kind))
        one = keep(shape(context=context), names)
        found = only(found, one)
        # One for all pages of a table: a serializer can be the child of one list only.
        whole: Any = getattr(one.Meta, "list_serializer_class", serializers.ListSerializer)(
            child=one, context=context
        )

        def rows(page: Any) -> Any:
            return show(whole.to_representation(page), names)

        if self.request.accepted_renderer.format == Csv.format:
            return streamed(self.request, found, kind.path, names, rows)
        return self.get_paginated_response(rows(self.paginate_queryset(found)))

    def locked(self) -> Any:
        """The record, which nobody else changes before this transaction ends, in the version that If-Match says.
        Raises Stale."""
        obj = self.get_object()
        if lock(obj):
            obj = self.get_object()
        self.match(obj)
        return obj

    def match(self, obj: Any) -> None:
        """Raises Stale when the call is meant for another version of the record."""
        if asks_for_version(self.request):
            match(self.request, self.as_shown(obj))

    def as_shown(self, obj: Any) -> Any:
        """A record as REST shows it."""
        return serializer_of(self.resource)(obj, context=self.get_serializer_context()).data

    def shown(self, obj: Any) -> Any:
        """A record read anew, as REST shows it."""
        one = serializer_of(self.resource)(context=self.get_serializer_context())
        one.instance = only(self.resource.queryset(), one).get(pk=obj.pk)
        return one.data

    def shown_all(self, made: list[Any]) -> list[Any]:
        """Records read anew, as REST shows them, in this order."""
        context = self.get_serializer_context()
        one = serializer_of(self.resource)(context=context)
        fresh = only(self.resource.queryset(), one).in_bulk([m.pk for m in made])
        ordered = [fresh[m.pk] for m in made]
        return list(serializer_of(self.resource)(ordered, many=True, context=context).data)


class Reading:
    """GET of the list and of a record."""

    def list(self: Any, request: Request, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """A page, or with format=csv every record."""
        return self.answer(self.filter_queryset(self.get_queryset()))

    def retrieve(self: Any, request: Request, *_: Any, **__: Any) -> Response:
        """The record with its tag; 304 for who has it. An item that is part of another leads there."""
        try:
            whole = self.as_shown(self.get_object())
        except Http404:
            there = moved_to(str(self.kwargs["pk"])) if issubclass(self.resource.model, Item) else ""
            if not there:
                raise
            return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"/api/{there}/"})
        names = chosen(request.query_params, tuple(whole))
        return tagged(request, whole, {n: whole[n] for n in names})


class Creating(mixins.CreateModelMixin):
    """POST to the list."""

    def create(self: Any, request: Request, *_: Any, **__: Any) -> Response:
        """Answers 201 with the record, or 202 with its id while it is on its way."""
        if isinstance(request.data, list) and bulk.offers(self.resource, "create"):
            return create_many(self, request)
        serializer = self.get_serializer(data=request.data)
        validate(serializer, refusals(self.resource, serializer, request.data))
        made = doing.create(self.resource, self.actor, serializer)
        if made._state.adding:
            return Response({"id": made.pk}, status=HTTPStatus.ACCEPTED)
        shown, once = self.shown(made), getattr(made, "shown_once", {})
        return tagged(request, shown, {**shown, **once}, HTTPStatus.CREATED)


class Changing(mixins.UpdateModelMixin):
    """PUT and PATCH of a record."""

    def update(self: Any, request: Request, *_: Any, partial: bool = False, **__: Any) -> Response:
        """Answers 200 with the record."""
        with transaction.atomic():
            obj = self.locked()
            serializer = self.get_serializer(obj, data=request.data, partial=partial)
            now = self.as_shown(obj)
            validate(serializer, refusals(self.resource, serializer, request.data, lambda: now))
            if not partial:
                make_whole(self.resource, serializer)
            changed = doing.change(self.resource, self.actor, obj, serializer)
        shown = self.shown(changed)
        return tagged(request, shown, {**shown, **getattr(changed, "shown_once", {})})


class Removing(mixins.DestroyModelMixin):
    """DELETE of a record."""

    def destroy(self: Any, request: Request, *_: Any, **__: Any) -> Response:  # noqa: ARG002
        """Answers 204."""
        if doing.journaled(self.resource.remove):
            obj = self.get_object()
            self.match(obj)
            doing.remove(self.resource, self.actor, obj)
        else:
            with transaction.atomic():
                doing.remove(self.resource, self.actor, self.locked())
        return Response(status=HTTPStatus.NO_CONTENT)


def view_of(resource: Resource) -> type[ResourceView]:
    """The viewset of a kind of record."""
    bases: list[type] = [Reading]
    for verb, mixin in (("create", Creating), ("change", Changing), ("remove", Removing)):
        if verb in resource.allow:
            bases.append(mixin)
    members: dict[str, Any] = {
        "resource": resource,
        "serializer_class": serializer_of(resource),
        "__doc__": resource.description or f"The {resource.path.replace('-', ' ')}.",
    }
    members |= methods(resource)
    members |= {_attribute(a.name): _acting(resource, a) for a in resource.actions}
    members |= {_attribute(a.name) + MANY: acting_on_many(resource, a) for a in bulk.actions(resource)}
    members |= {_attribute(p): _listing(registry[p], find) for p, find in resource.related.items()}
    return type(f"{resource.model.__name__}View", (*bases, ResourceView), members)


class Nothing(serializers.Serializer[Any]):
    """What an action without fields takes: an empty object."""


def _acting(resource: Resource, declared: Action) -> Any:
    """POST /<path>/<id>/<action>/."""
    fields = declared.fields or Nothing

    def act(self: ResourceView, request: Request, **_: Any) -> Response:
        given = fields(data=request.data)
        validate(given, unknown(given, request.data))
        # What is meant for one version is done under a lock, except what waits for another process.
        alone = asks_for_version(request) and not doing.journaled(declared.run)
        with transaction.atomic() if alone else nullcontext():
            obj = self.locked() if alone else self.get_object()
            self.match(obj)
            done = doing.act(resource, declared, self.actor, obj, given.validated_data)
        body = done.body if done.body is not None else self.shown(obj)
        return Response(body, status=HTTPStatus.ACCEPTED if done.pending else HTTPStatus.OK)

    act.__name__ = _attribute(declared.name)
    act.__doc__ = declared.label + "."
    return route(detail=True, methods=["post"], url_path=declared.name, serializer_class=fields)(act)


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _listing(other: Resource, find: Any) -> Any:
    """GET /<path>/<id>/<other path>/."""
    shape = serializer_of(other)

    def listing(self: ResourceView, request: Request, **_: Any) -> Any:
        found = visible(self.actor, other, find(self.get_object()))
        found = other.prepare(found) if other.prepare else found
        found = narrowed(other, self.actor, found, templated.without(request.query_params))
        return self.answer(found)

    listing.__name__ = _attribute(other.path)
    listing.__doc__ = f"The {other.path.replace('-', ' ')} that belong to it."
    routed = route(detail=True, url_path=other.path, serializer_class=shape, lists=other)(listing)
    return extend_schema(responses=shape(many=True), filters=True)(routed)
