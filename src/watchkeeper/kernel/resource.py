"""Declare a record kind once; its list, filters, REST and console table follow from the declaration.

    registry.add(Resource(model=Item, path="items", columns=(Column("name", link=True), …), …))

A domain declares in its `resources.py`; `registry` finds these modules the first time it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import RLock
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.utils.module_loading import autodiscover_modules

from watchkeeper.kernel.acting import Actor, Scope

if TYPE_CHECKING:
    from rest_framework.serializers import BaseSerializer


class Show(StrEnum):
    """How a column is drawn."""

    TEXT = "text"
    TIME = "time"
    SEVERITY = "severity"
    STATE = "state"
    COUNT = "count"
    TAGS = "tags"
    YES = "yes"


@dataclass(frozen=True)
class Column:
    """A column of the table: a field of the record (`item__name` follows relations), how it is drawn, whether
    it links to the record's page."""

    name: str
    label: str = ""
    show: Show = Show.TEXT
    link: bool = False

    @property
    def heading(self) -> str:
        """The label, or the name in words."""
        return self.label or self.name.replace("__", " ").replace("_", " ").capitalize()

    def value(self, record: Any) -> Any:
        """What a record has in this column."""
        for part in (self.name,) if self.name == "__str__" else self.name.split("__"):
            record = getattr(record, part, None)
            if callable(record):
                record = record()
        return record


@dataclass(frozen=True)
class Done:
    """What an action came to. `pending`: on its way but not yet applied (202). `body` is shown instead of the
    record when it is given (a secret that is shown once)."""

    pending: bool = False
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Action:
    """Something to do with one record besides changing its fields.

    `run(actor, record, data)` does it, inside no transaction of the caller's when it is `journaled` (it has an
    attribute of that name, as hooks of `doing` have), else perhaps in one that has locked the record; `data`
    has passed `fields`, a REST framework serializer class. It raises a WatchkeeperError when it cannot.
    `offered` says whether the record is in a state for it. `audited` is False when `run` writes its own audit entry.
    `bulk`: it can be done with many at once, all or none; not when it gives a `body`.
    """

    name: str
    label: str
    run: Callable[[Actor, Any, dict[str, Any]], Done]
    fields: type[BaseSerializer[Any]] | None = None
    scope: Scope = Scope.WRITE
    offered: Callable[[Any], bool] = lambda _: True
    confirm: str = ""
    audited: bool = True
    bulk: bool = False


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind of record. Fields by what uses them; at most 25.

    `filters` maps a field to its look-ups, as django-filter takes them; `search` names text fields; `fields`
    is what REST shows and `writable` what may be sent of it (`create_only`: only when it is made); `serializer`
    replaces the derived one; `prepare` adds select_related and the like; `create(actor, data) -> record`,
    `change(actor, record, data) -> record` and `remove(actor, record)` replace saving and deleting. A kind is
    created, changed or removed through REST only when `allow` says so.
    """

    model: type[Model]
    path: str  # of the REST list and of the console's table
    name: str  # singular, as people say it
    fields: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    description: str = ""
    title: Callable[[Any], str] = str
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    search: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ("-pk",)
    orderable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()  # create, change, remove
    serializer: type[BaseSerializer[Any]] | None = None
    prepare: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None
    create: Callable[[Actor, dict[str, Any]], Any] | None = None
    change: Callable[[Actor, Any, dict[str, Any]], Any] | None = None
    remove: Callable[[Actor, Any], None] | None = None
    read_scope: Scope = Scope.READ
    write_scope: Scope = Scope.WRITE
    policy_attributes: tuple[str, ...] = ()  # fields that policies may ask about; `item__name` as `item`
    actions: tuple[Action, ...] = ()
    #: path of another resource → its records that belong to a record of this one
    related: Mapping[str, Callable[[Any], QuerySet[Any]]] = field(default_factory=dict)
    default_filters: Mapping[str, str] = field(default_factory=dict)  # what the console's table begins with

    @property
    def plural(self) -> str:
        """What people call many of them."""
        head, many = self.name.rpartition(" ")[0], self.path.rpartition("-")[2]
        return f"{self.name}s" if self.name[:2].isupper() else f"{head} {many}".strip()

    def queryset(self) -> QuerySet[Any]:
        """All records of the kind, ready to be listed."""
        found = self.model._default_manager.all()
        return self.prepare(found) if self.prepare else found

    def action(self, name: str) -> Action | None:
        """The action with this name."""
        return next((a for a in self.actions if a.name == name), None)


class Registry:
    """Every declared kind, by its path."""

    def __init__(self) -> None:
        self._kinds: dict[str, Resource] = {}
        self._looking = self._looked = False
        self._lock = RLock()

    def add(self, resource: Resource) -> Resource:
        """Declare a kind. Raises ValueError when its path is taken."""
        if resource.path in self._kinds:
            raise ValueError(f"two resources at {resource.path}")
        self._kinds[resource.path] = resource
        return resource

    def __iter__(self) -> Iterator[Resource]:
        self._look()
        return iter(self._kinds.values())

    def __getitem__(self, path: str) -> Resource:
        """The kind at this path. Raises KeyError."""
        self._look()
        return self._kinds[path]

    def of(self, model: type[Model]) -> Resource | None:
        """The kind of this model."""
        return next((r for r in self if r.model is model), None)

    def _look(self) -> None:
        if self._looked:
            return
        with self._lock:  # no thread sees a part of them; the modules themselves may ask while they declare
            if not self._looking:
                self._looking = True
                autodiscover_modules("resources")
                self._looked = True


registry = Registry()
