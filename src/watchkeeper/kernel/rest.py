"""The REST viewset that follows from a Resource: list, read, create, change, remove, its actions and what is
related."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import models
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.fields import SealedField, SeverityField, StructField
from watchkeeper.kernel.lists import filters_of, narrow
from watchkeeper.kernel.permissions import SignedIn, visible
from watchkeeper.kernel.resource import Action, Resource, registry
from watchkeeper.model.verdicts import Severity

#: what a method does with a record, unless it calls an action
_ACTS = {"POST": "create", "PUT": "change", "PATCH": "change", "DELETE": "remove"}


class Document(serializers.JSONField):
    """A StructField in REST: its JSON, read only."""

    def to_representation(self, value: Any) -> Any:
        """Structs as dicts."""
        import msgspec

        return msgspec.to_builtins(value)


class RecordSerializer(serializers.ModelSerializer[Any]):
    """What derived serializers build on: it knows the kernel's own columns."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        StructField: Document,
        SealedField: serializers.CharField,
    }

    def build_standard_field(self, field_name: str, model_field: models.Field[Any, Any]) -> tuple[Any, Any]:
        """Severities are words."""
        if isinstance(model_field, SeverityField):
            return serializers.ChoiceField, {"choices": [s.value for s in Severity]}
        made, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, SealedField):
            options["write_only"] = True
        if isinstance(model_field, StructField):
            options = {"read_only": True}
        return made, options


@lru_cache(maxsize=256)
def serializer_of(resource: Resource) -> type[serializers.BaseSerializer[Any]]:
    """The declared serializer, or one derived from `fields` and `writable`."""
    if resource.serializer is not None:
        return resource.serializer
    meta = type(
        "Meta",
        (),
        {
            "model": resource.model,
            "fields": resource.fields,
            "read_only_fields": tuple(
                f for f in resource.fields if f not in (*resource.writable, *resource.create_only)
            ),
        },
    )
    return type(f"{resource.model.__name__}Serializer", (RecordSerializer,), {"Meta": meta})


class ResourceFilter(BaseFilterBackend):
    """The list's parameters, as `kernel.lists` understands them."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Raises BadQuery."""
        return narrow(view.listed(), queryset, request.query_params)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """For OpenAPI."""
        resource: Resource = view.listed()
        names = {"ordering": ", ".join(sorted({*resource.orderable, *resource.ordering}))}
        if resource.search:
            names["search"] = "words in " + ", ".join(resource.search)
        names |= dict.fromkeys(filters_of(resource).base_filters, "")
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
    lookup_value_regex = r"[^/]+"

    def listed(self) -> Resource:
        """The kind that this call lists: another one for what is related."""
        return self.lists or self.resource

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:
        """What this call does, with which kinds."""
        if request.method in SAFE_METHODS:
            return tuple(("read", kind) for kind in dict.fromkeys((self.resource, self.listed())))
        declared = self.resource.action((self.action or "").replace("_", "-"))
        return ((declared.name if declared else _ACTS.get(request.method or "", "change"), self.resource),)

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

    def shown(self, obj: Any) -> Any:
        """A record read anew, as REST shows it."""
        fresh = self.resource.queryset().get(pk=obj.pk)
        return serializer_of(self.resource)(fresh, context=self.get_serializer_context()).data


class Creating(mixins.CreateModelMixin):
    """POST to the list."""

    def create(self: Any, request: Request, *_: Any, **__: Any) -> Response:
        """Answers 201 with the record, or 202 with its id while it is on its way."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = doing.create(self.resource, self.actor, serializer)
        if made._state.adding:
            return Response({"id": made.pk}, status=HTTPStatus.ACCEPTED)
        once = getattr(made, "shown_once", {})
        return Response({**self.shown(made), **once}, status=HTTPStatus.CREATED)


class Changing(mixins.UpdateModelMixin):
    """PUT and PATCH of a record."""

    def update(self: Any, request: Request, *_: Any, partial: bool = False, **__: Any) -> Response:
        """Answers 200 with the record."""
        obj = self.get_object()
        serializer = self.get_serializer(obj, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return Response(self.shown(doing.change(self.resource, self.actor, obj, serializer)))


class Removing(mixins.DestroyModelMixin):
    """DELETE of a record."""

    def destroy(self: Any, request: Request, *_: Any, **__: Any) -> Response:  # noqa: ARG002
        """Answers 204."""
        doing.remove(self.resource, self.actor, self.get_object())
        return Response(status=HTTPStatus.NO_CONTENT)


def view_of(resource: Resource) -> type[ResourceView]:
    """The viewset of a kind of record."""
    bases: list[type] = [mixins.ListModelMixin, mixins.RetrieveModelMixin]
    for verb, mixin in (("create", Creating), ("change", Changing), ("remove", Removing)):
        if verb in resource.allow:
            bases.append(mixin)
    members: dict[str, Any] = {
        "resource": resource,
        "serializer_class": serializer_of(resource),
        "__doc__": resource.description or f"The {resource.path.replace('-', ' ')}.",
    }
    members |= {_attribute(a.name): _acting(resource, a) for a in resource.actions}
    members |= {_attribute(p): _listing(registry[p], find) for p, find in resource.related.items()}
    return type(f"{resource.model.__name__}View", (*bases, ResourceView), members)


class Nothing(serializers.Serializer[Any]):
    """What an action without fields takes: an empty object."""


def _acting(resource: Resource, declared: Action) -> Any:
    """POST /<path>/<id>/<action>/."""
    fields = declared.fields or Nothing

    def act(self: ResourceView, request: Request, **_: Any) -> Response:
        obj = self.get_object()
        given = fields(data=request.data)
        given.is_valid(raise_exception=True)
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

    def listing(self: ResourceView, request: Request, **_: Any) -> Response:
        found = visible(self.actor, other, find(self.get_object()))
        found = narrow(other, other.prepare(found) if other.prepare else found, request.query_params)
        page = self.paginate_queryset(found)
        shown = shape(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(shown.data)

    listing.__name__ = _attribute(other.path)
    listing.__doc__ = f"The {other.path.replace('-', ' ')} that belong to it."
    routed = route(detail=True, url_path=other.path, serializer_class=shape, lists=other)(listing)
    return extend_schema(responses=shape(many=True), filters=True)(routed)
