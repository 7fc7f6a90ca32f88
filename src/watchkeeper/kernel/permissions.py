"""Who may do what: the port that every view, list and act asks. Who answers is settings.AUTHORITY, which app
chooses; `ScopeAuthority` knows nothing but the declared scopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import import_string
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from watchkeeper.kernel.acting import Actor, Scope, actor_of
from watchkeeper.kernel.hanging import Hanging, as_records, subject
from watchkeeper.kernel.problems import Forbidden, NotThere
from watchkeeper.kernel.resource import Resource, registry

#: what is done with records beside the actions of their declaration
CRUD = ("read", "create", "change", "remove")
#: what is done with pages that are no records (metrics, logs, the map, doors), by the scope that they need
PLATFORM_ACTS = {Scope.READ: "read", Scope.WRITE: "work", Scope.ADMIN: "administer"}

#: what belongs to a site, a service and the like: attribute → the keys of the items that belong to these names. The
#: domain that knows says it, and a role can then be had for them alone
belonging: dict[str, Callable[[frozenset[str]], frozenset[str]]] = {}


#: what names other records is read by who may read those too: path of a kind → those of the found that are left
within: dict[str, Callable[[Actor, QuerySet[Any]], QuerySet[Any]]] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """`because` in sentences. `partly`: asked of a whole kind, and allowed for some of its records only."""

    allowed: bool
    because: tuple[str, ...] = ()
    partly: bool = False


class Authority(Protocol):
    """Decides. A `resource` of None stands for the pages that are no records; see PLATFORM_ACTS."""

    def decide(
        self, actor: Actor, action: str, resource: Resource | None, record: Model | None = None
    ) -> Decision:
        """Whether this may be done with the record; without one, with any record of the kind at all."""
        ...

    def narrow(self, actor: Actor, action: str, resource: Resource, found: QuerySet[Any]) -> QuerySet[Any]:
        """Those of `found` with which it may be done, without a query a record."""
        ...

    def assure(self) -> None:
        """Called in the transaction of a change to who may what. Raises Refused when nobody could administer
        after it."""
        ...


class ScopeAuthority:
    """The scope that the declaration names is enough."""

    def decide(
        self,
        actor: Actor,
        action: str,
        resource: Resource | None,
        record: Model | None = None,  # noqa: ARG002
    ) -> Decision:
        """The same for every record of a kind."""
        kind = resource.path if resource else "platform"
        if actor.only and kind not in actor.only:
            return Decision(False, (f"{actor.name} is for {', '.join(sorted(actor.only))} only.",))
        scope, needed = actor.scope, needs(action, resource)
        if actor.person is not None:
            scope = min(scope, actor.person.scope)
        if scope >= needed:
            return Decision(True, (f"It needs the scope {needed.name.lower()}, which {actor.name} has.",))
        had = f"has {scope.name.lower()}" if scope else "has none"
        return Decision(
            False, (f"It needs the scope {needed.name.lower()}; {actor.name or 'nobody'} {had}.",)
        )

    def narrow(self, actor: Actor, action: str, resource: Resource, found: QuerySet[Any]) -> QuerySet[Any]:
        """All or none."""
        return found if self.decide(actor, action, resource).allowed else found.none()

    def assure(self) -> None:
        """Scopes cannot lock anybody out."""


def needs(action: str, resource: Resource | None) -> Scope:
    """The scope that is declared for this."""
    if resource is None:
        return next(scope for scope, act in PLATFORM_ACTS.items() if act == action)
    declared = resource.action(action)
    if declared is not None:
        return declared.scope
    return resource.read_scope if action == "read" else resource.write_scope


@lru_cache(maxsize=4)
def _built(path: str) -> Authority:
    made: Authority = import_string(path)()
    return made


def authority() -> Authority:
    """Whoever decides here."""
    return _built(settings.AUTHORITY)


def decide(actor: Actor, action: str, resource: Resource | None, record: Model | None = None) -> Decision:
    """The authority's decision. Of what hangs on a record, it decides by that record; without one, by scope."""
    if resource is None or not issubclass(resource.model, Hanging):
        return authority().decide(actor, action, resource, record)
    if not isinstance(record, Hanging):
        return ScopeAuthority().decide(actor, action, resource)
    try:
        kind, held_by = subject(record.kind, record.record)
    except NotThere as error:
        return Decision(False, (f"{error.detail}.",))
    return decide(actor, "read" if action == "read" else "change", kind, held_by)


def may(actor: Actor, action: str, resource: Resource | None, record: Model | None = None) -> bool:
    """Whether it may be done: for what is offered on a page."""
    return decide(actor, action, resource, record).allowed


def require(actor: Actor, action: str, resource: Resource | None, record: Model | None = None) -> None:
    """Raises Forbidden, which says what was asked and why not."""
    decision = decide(actor, action, resource, record)
    if not decision.allowed:
        raise Forbidden(action, resource.path if resource else "platform", decision.because)


def visible(actor: Actor, kind: Resource | str, found: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """The records of a kind, or those of `found`, that the actor may read."""
    resource = registry[kind] if isinstance(kind, str) else kind
    found = resource.queryset() if found is None else found
    if issubclass(resource.model, Hanging):
        return _readable_on(actor, found)
    seen = authority().narrow(actor, "read", resource, found)
    return within[resource.path](actor, seen) if resource.path in within else seen


def _readable_on(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """What hangs on records that the actor may read: one query for the kinds, and a condition for each."""
    allowed = Q(pk__in=())
    for path in set(found.order_by().values_list("kind", flat=True).distinct()):
        kind = next((r for r in registry if r.path == path), None)
        if kind is None or issubclass(kind.model, Hanging):
            continue
        everything = kind.model._default_manager.all()
        seen = visible(actor, kind, everything)
        whole = seen is everything
        allowed |= Q(kind=path) if whole else Q(kind=path, record__in=as_records(seen))
    return found.filter(allowed)


class SignedIn(BasePermission):
    """Lets in whoever may do what the view `asks(request)` for: pairs of an action and a kind. A view that
    asks nothing is a page of the platform, and needs READ to be read, WRITE to be written, or what its
    `needs(request)` says."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """False (401) for strangers. Raises Forbidden."""
        if not request.user or not request.user.is_authenticated:
            return False
        asks = getattr(view, "asks", None)
        for action, resource in asks(request) if asks else ((_platform_act(request, view), None),):
            require(actor_of(request), action, resource)
        return True


def _platform_act(request: Request, view: Any) -> str:
    declared = getattr(view, "needs", None)
    default = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
    return PLATFORM_ACTS[declared(request) if declared else default]
