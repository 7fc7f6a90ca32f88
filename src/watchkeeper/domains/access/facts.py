"""What a policy may ask about, as plain values: the principal with its roles, teams and organisations, the kind of
record with its attributes, the action. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.fields import SeverityField
from watchkeeper.kernel.permissions import CRUD, PLATFORM_ACTS, needs
from watchkeeper.kernel.resource import Resource

PLATFORM = "platform"  # the kind of the pages that are no records
ITEM = "item_id"  # what a record is or belongs to in the graph
PRINCIPAL_ATTRIBUTES = ("username", "name", "email")


@dataclass(frozen=True, slots=True)
class Uid:
    """An entity as Cedar names it: Role::"administrator"."""

    type: str
    id: str

    def __str__(self) -> str:
        return f'{self.type}::"{self.id}"'


@dataclass(frozen=True, slots=True)
class ScopedRole:
    """A role that counts only for records whose `attribute` (organisation, team, site, …) is one of these names, and
    for those without the attribute that are or belong to one of these `items`."""

    role: str
    attribute: str
    names: frozenset[str]
    items: frozenset[str] = frozenset()

    def covers(self, attributes: dict[str, Any]) -> bool:
        """Whether it counts for a record with these attributes."""
        if self.attribute in attributes:
            return attributes[self.attribute] in self.names
        return attributes.get(ITEM) in self.items


@dataclass(frozen=True, slots=True)
class Principal:
    """A person as policies see them. `within`: the roles, teams and organisations that count everywhere."""

    username: str
    within: frozenset[Uid] = frozenset()
    scoped: tuple[ScopedRole, ...] = ()
    name: str = ""
    email: str = ""

    @property
    def uid(self) -> Uid:
        """User::"ann"."""
        return Uid("User", self.username)

    @property
    def teams(self) -> tuple[str, ...]:
        """The names of their teams: principal.teams.contains(resource.team)."""
        return tuple(sorted(u.id for u in self.within if u.type == "Team"))

    def parents(self, attributes: dict[str, Any]) -> frozenset[Uid]:
        """What the principal is within where a record has these attributes."""
        roles = (Uid("Role", s.role) for s in self.scoped if s.covers(attributes))
        return self.within | frozenset(roles)


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute of a kind and the field that it is read from. `sort`: text, long, truth or severity."""

    name: str
    path: str  # as querysets know it
    sort: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record as policies see it. `strict`: asking about an attribute that is not there is an error of
    the policy, and not just of the record."""

    path: str
    areas: frozenset[str]
    columns: tuple[Column, ...] = ()
    strict: bool = False

    def column(self, name: str) -> Column | None:
        """The attribute of this name."""
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to do what with which kind. `scope`: the word that the action is declared to need."""

    principal: Principal
    action: str
    kind: Kind
    scope: str

    @property
    def groups(self) -> frozenset[str]:
        """The groups of actions that this one is in: "act" has every declared action."""
        known = (*CRUD, *PLATFORM_ACTS.values())
        return frozenset() if self.action in known else frozenset(("act",))


def kind_of(resource: Resource | None) -> Kind:
    """A declared kind. Raises ValueError for a policy attribute that cannot be one."""
    if resource is None:
        return Kind(PLATFORM, frozenset(("operations",)))
    area = "administration" if resource.read_scope >= Scope.ADMIN else "operations"
    columns = tuple(_column(resource, path) for path in resource.policy_attributes)
    return Kind(resource.path, frozenset((resource.model._meta.app_label, area)), columns)


def question(principal: Principal, action: str, resource: Resource | None, kind: Kind) -> Question:
    """With the scope that is declared for the action."""
    return Question(principal, action, kind, needs(action, resource).name.lower())


def _column(resource: Resource, path: str) -> Column:
    model: Any = resource.model
    nullable, field = False, None
    for part in path.split("__"):
        field = model._meta.get_field(part)
        nullable = nullable or field.null
        if field.many_to_one or (field.one_to_one and field.concrete):
            model = field.related_model
    sorts = ((SeverityField, "severity"), (models.BooleanField, "truth"), (models.IntegerField, "long"),
             (models.CharField, "text"), (models.TextField, "text"))  # fmt: skip
    if path.endswith("_id") and isinstance(field, models.ForeignKey):
        field = field.target_field
    sort = next((s for kind, s in sorts if isinstance(field, kind)), None)
    if sort is None:
        raise ValueError(f"{resource.path}: policies cannot ask about {path!r}")
    # A relation without a constraint may lead nowhere.
    return Column(called(path), path, sort, nullable or "__" in path)


def called(path: str) -> str:
    """What policies call a field: what names a relation goes under the relation's own name.

    >>> called("item__name"), called("user__username"), called("count"), called("id")
    ('item', 'user', 'count', 'item_id')
    """
    if path == "id":  # of an item, as other records point to it
        return ITEM
    return path.removesuffix("__name").removesuffix("__username")


def attributes_of(record: models.Model, kind: Kind) -> dict[str, Any]:
    """The attributes of a record that are set, as Cedar takes them."""
    found = {c.name: _value(record, c.path) for c in kind.columns}
    return {name: value for name, value in found.items() if value is not None}


def _value(record: Any, path: str) -> str | int | bool | None:
    for part in path.split("__"):
        try:
            record = getattr(record, part)
        except ObjectDoesNotExist:
            return None
        if record is None:
            return None
    if isinstance(record, bool):
        return record
    return int(record) if isinstance(record, int) else str(getattr(record, "value", record))
