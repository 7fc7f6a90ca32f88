"""Bulk in REST: POST, PATCH and DELETE of a list, at the address of the list. All or none; a problem says which row
and which field it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action as route
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import JSONField, ListField, PrimaryKeyRelatedField, Serializer
from rest_framework.validators import UniqueValidator

from watchkeeper.api.records.bodies import refusals, unknown, validate
from watchkeeper.kernel import bulk
from watchkeeper.kernel.problems import Rejected
from watchkeeper.kernel.resource import Action, Resource
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import TooLarge

MANY = "_many"  # at the end of a method's name
_LIST: Any = SimpleRouter.routes[0]


class Router(SimpleRouter):
    """Lists also take PATCH and DELETE, where their kind offers that."""

    routes = [
        _LIST._replace(mapping={**_LIST.mapping, "patch": "change_many", "delete": "remove_many"}),
        *SimpleRouter.routes[1:],
    ]


def create_many(view: Any, request: Request) -> Response:
    """Answers 201 with the records, in the order in which they were sent."""
    rows = _rows(request.data)
    serializer = view.get_serializer()
    unique = _ask_once(serializer, rows)

    def valid(row: Any) -> dict[str, Any]:
        return _valid(view.resource, serializer, row)

    given = bulk.each(rows, valid)
    _check_unique(unique, given)
    made = bulk.create(view.resource, view.actor, serializer, given)
    shown = view.shown_all(made)
    once = [getattr(m, "shown_once", {}) for m in made]
    return Response([{**s, **o} for s, o in zip(shown, once, strict=True)], status=HTTPStatus.CREATED)


def methods(resource: Resource) -> dict[str, Any]:
    """What a viewset of the kind has for PATCH and DELETE of its list."""
    path = resource.path.replace("-", "_")

    def change_many(self: Any, request: Request, **_: Any) -> Response:
        """Change some fields of many records, named by their ids: all of them, or none. Answers 200 with them."""
        return _change_many(self, request)

    def remove_many(self: Any, request: Request, **_: Any) -> Response:
        """Remove many records, named by their ids: all of them, or none. Answers 204."""
        return _remove_many(self, request)

    return {
        method.__name__: extend_schema(operation_id=f"{path}_{method.__name__}")(method)
        for verb, method in (("change", change_many), ("remove", remove_many))
        if bulk.offers(resource, verb)
    }


def acting_on_many(resource: Resource, declared: Action) -> Any:
    """POST /<path>/<action>/: the action with every record in `ids`, all of them or none. Answers 200 with them, or
    202 while it is on its way."""
    base = declared.fields or Serializer
    ids = ListField(child=JSONField(), min_length=1, max_length=bulk.MOST, help_text="ids of the records")
    shape: Any = type(f"Many{declared.name.title()}{resource.model.__name__}", (base,), {"ids": ids})

    def act_many(self: Any, request: Request, **_: Any) -> Response:
        given = shape(data=request.data)
        validate(given, unknown(given, request.data))
        data = dict(given.validated_data)
        chosen = data.pop("ids")
        done = bulk.act(resource, self.actor, declared, self.get_queryset(), chosen, data)
        keys = [bulk.key_of(resource.model, pk) for pk in chosen]
        found = self.resource.queryset().in_bulk(keys)  # an action may have taken some away
        status = HTTPStatus.ACCEPTED if any(d.pending for d in done) else HTTPStatus.OK
        return Response(self.shown_all([found[k] for k in keys if k in found]), status=status)

    act_many.__name__ = declared.name.replace("-", "_") + MANY
    act_many.__doc__ = f"{declared.label}: many at once, all of them or none."
    routed = route(detail=False, methods=["post"], url_path=declared.name, serializer_class=shape)(act_many)
    name = f"{resource.path}_{act_many.__name__}".replace("-", "_")
    answer = serializer_of(resource)(many=True)
    return extend_schema(operation_id=name, request=shape, responses=answer, filters=False)(routed)


def _change_many(view: Any, request: Request) -> Response:
    def valid(obj: Any, row: Any) -> Any:
        serializer = view.get_serializer(obj, data=row, partial=True)
        refused = refusals(view.resource, serializer, row, lambda: view.as_shown(obj))
        validate(serializer, {name: words for name, words in refused.items() if name != "id"})
        return serializer

    changed = bulk.change(view.resource, view.actor, view.get_queryset(), _rows(request.data), valid)
    return Response(view.shown_all(changed))


def _remove_many(view: Any, request: Request) -> Response:
    bulk.remove(view.resource, view.actor, view.get_queryset(), _rows(request.data))
    return Response(status=HTTPStatus.NO_CONTENT)


def _rows(body: Any) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise ValidationError({"non_field_errors": ["A list with at least one element is needed."]})
    if len(body) > bulk.MOST:
        raise TooLarge(f"{len(body)} at once are too many; send at most {bulk.MOST}")
    return body


def _valid(resource: Any, serializer: Any, row: Any) -> dict[str, Any]:
    """What the serializer, used again for every row, makes of this one."""
    errors, made = refusals(resource, serializer, row), dict[str, Any]()
    serializer.initial_data = row
    try:
        made = serializer.run_validation(row)
    except ValidationError as error:
        errors = {**(error.detail if isinstance(error.detail, dict) else {}), **errors}
    if errors:
        raise ValidationError(errors)
    return made


class _Known:
    """Stands for a queryset of records to refer to; those that a request names have been read at once."""

    def __init__(self, found: Any, sent: Iterable[Any]) -> None:
        self._model = found.model
        keys = (bulk.key_of(found.model, pk) for pk in sent)
        self._records = found.in_bulk([k for k in keys if k is not None])

    def get(self, pk: Any) -> Any:
        """Raises ValueError for what is no key, ObjectDoesNotExist for what is not there."""
        key = bulk.key_of(self._model, pk)
        if key is None:
            raise ValueError(pk)
        if key not in self._records:
            raise ObjectDoesNotExist(pk)
        return self._records[key]


def _ask_once(serializer: Any, rows: Sequence[Any]) -> list[tuple[str, str, UniqueValidator]]:
    """Have the serializer ask the database once what it would ask for every row: which records are referred to.
    What has to be unique is returned, to be checked afterwards: field, its source, the check."""
    unique = []
    for name, field in serializer.fields.items():
        if isinstance(field, PrimaryKeyRelatedField) and not field.read_only:
            sent = {r[name] for r in rows if isinstance(r, dict) and type(r.get(name)) in (str, int)}
            known = _Known(field.get_queryset(), sent)
            field.get_queryset = partial(_itself, known)  # type: ignore[method-assign]
        checks = [v for v in field.validators if isinstance(v, UniqueValidator)]
        unique += [(name, field.source, v) for v in checks]
        field.validators = [v for v in field.validators if v not in checks]
    return unique


def _itself(known: Any) -> Any:
    return known


def _check_unique(unique: Sequence[tuple[str, str, UniqueValidator]], rows: Sequence[dict[str, Any]]) -> None:
    """Raises Rejected for values that other records have, or two rows."""
    errors: dict[str, Any] = {}
    for name, source, check in unique:
        values = [row.get(source) for row in rows]
        wanted = {f"{source}__in": [v for v in values if v is not None]}
        taken = set(check.queryset.filter(**wanted).values_list(source, flat=True))
        for number, value in enumerate(values):
            if value is not None and value in taken:
                errors.setdefault(str(number), {})[name] = [str(check.message)]
            taken.add(value)
    if errors:
        raise Rejected(errors)
