"""Bulk in REST: POST, PATCH and DELETE of a list, at the address of the list. All or none; a problem says which row
and which field it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as Unfit
from django.db import transaction
from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import PrimaryKeyRelatedField
from rest_framework.validators import UniqueValidator

from watchkeeper.api.records.bodies import refusals, validate
from watchkeeper.api.records.etags import lock
from watchkeeper.kernel import audit, bulk, doing
from watchkeeper.kernel.problems import Rejected
from watchkeeper.kernel.resource import Resource
from watchkeeper.model.errors import TooLarge

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


def _change_many(view: Any, request: Request) -> Response:
    rows = _rows(request.data)

    def change(row: Any) -> Any:
        obj = _one(found, row.get("id")) if isinstance(row, dict) else _one(found, None)
        serializer = view.get_serializer(obj, data=row, partial=True)
        refused = refusals(view.resource, serializer, row, lambda: view.as_shown(obj))
        validate(serializer, {name: words for name, words in refused.items() if name != "id"})
        return doing.change(view.resource, view.actor, obj, serializer)

    with transaction.atomic(), audit.together():
        found = _found(view, [row.get("id") for row in rows if isinstance(row, dict)])
        changed = bulk.each(rows, change)
    return Response(view.shown_all(changed))


def _remove_many(view: Any, request: Request) -> Response:
    ids = _rows(request.data)
    with transaction.atomic(), audit.together():
        found = _found(view, ids)
        bulk.each(ids, lambda pk: doing.remove(view.resource, view.actor, _one(found, pk)))
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


def _key(model: type[Model], sent: Any) -> Any:
    """What was sent as a key of this model; None when it can be none."""
    if isinstance(sent, bool) or not isinstance(sent, str | int):
        return None
    try:
        key = model._meta.pk.to_python(sent)
    except Unfit:
        return None
    return None if isinstance(key, int) and abs(key) >= 2**63 else key


def _found(view: Any, ids: Sequence[Any]) -> dict[Any, Any]:
    """The records with these ids, locked. Raises Rejected for one that is named twice."""
    keys = [_key(view.resource.model, pk) for pk in ids]
    often = {k for k, n in Counter(keys).items() if n > 1 and k is not None}
    if twice := {str(n): {"id": ["This record is named twice."]} for n, k in enumerate(keys) if k in often}:
        raise Rejected(twice)
    found: dict[Any, Any] = view.get_queryset().in_bulk([k for k in keys if k is not None])
    if found and lock(*found.values()):
        found = view.get_queryset().in_bulk(list(found))
    return found


def _one(found: dict[Any, Any], sent: Any) -> Any:
    """Raises ValidationError when there is no record with this id."""
    model = type(next(iter(found.values()))) if found else None
    key = None if model is None else _key(model, sent)
    if key not in found:
        raise ValidationError({"id": [f"There is no record {sent!r}."]})
    return found[key]


class _Known:
    """Stands for a queryset of records to refer to; those that a request names have been read at once."""

    def __init__(self, found: Any, sent: Iterable[Any]) -> None:
        self._model = found.model
        keys = (_key(found.model, pk) for pk in sent)
        self._records = found.in_bulk([k for k in keys if k is not None])

    def get(self, pk: Any) -> Any:
        """Raises ValueError for what is no key, ObjectDoesNotExist for what is not there."""
        key = _key(self._model, pk)
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
