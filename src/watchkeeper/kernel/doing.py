"""Makes, changes and removes records as their declaration says, audited in the same transaction. REST and
console both come through here, and policy is asked here.

A hook that is `journaled` (it has an attribute of that name) writes through the journal: it audits itself,
and runs in no transaction, because what it waits for happens in another process. One that has an attribute
`programs` is for them: people get to it by a button of its own, and no form or import is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from watchkeeper.kernel import audit, extras
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done, Resource


def create(resource: Resource, actor: Actor, serializer: Any) -> Any:
    """A new record from a serializer that is valid. It may carry `shown_once`, a dict with a secret; it is
    not saved yet when it is journaled and not applied in time. Raises a WatchkeeperError."""
    require(actor, "create", resource)
    hook = resource.create
    more = extras.taken(serializer.validated_data)
    if hook is not None and journaled(hook):
        if named := [name for name, value in more.items() if value]:
            raise Invalid(f"{named[0]}: can be set once the {resource.name} is there")
        return hook(actor, serializer.validated_data)
    with transaction.atomic():
        made = hook(actor, serializer.validated_data) if hook else serializer.save()
        require(actor, "create", resource, made)  # now that its attributes are known
        _, added = extras.write(actor, resource, made, more)
        audit.record(actor, verb(resource, "create"), made, after={**audit.state_of(made), **added})
    return made


def change(resource: Resource, actor: Actor, obj: Any, serializer: Any) -> Any:
    """The record with what a valid serializer says; it may carry `shown_once`. Raises a WatchkeeperError."""
    require(actor, "change", resource, obj)
    data = serializer.validated_data
    for name in resource.create_only:
        data.pop(name, None)
    more = extras.taken(data)
    with transaction.atomic():
        before = audit.state_of(obj)
        obj = resource.change(actor, obj, data) if resource.change else serializer.save()
        require(actor, "change", resource, obj)  # nor may it become what the actor may not change
        was, now = extras.write(actor, resource, obj, more)
        after = {**audit.state_of(obj), **now}
        audit.record(actor, verb(resource, "change"), obj, before={**before, **was}, after=after)
    return obj


def annotate(resource: Resource, actor: Actor, obj: Any, values: dict[str, Any]) -> None:
    """Set what every kind has beside its own fields: also of records that nobody changes otherwise. Raises a
    WatchkeeperError."""
    require(actor, "change", resource, obj)
    with transaction.atomic():
        was, now = extras.write(actor, resource, obj, values)
        if was != now:
            audit.record(actor, verb(resource, "change"), obj, before=was, after=now)


def remove(resource: Resource, actor: Actor, obj: Any) -> None:
    """Remove a record. Raises a WatchkeeperError."""
    require(actor, "remove", resource, obj)
    if resource.remove is not None and journaled(resource.remove):
        resource.remove(actor, obj)
        return
    key = obj.pk
    with transaction.atomic():
        before = {**audit.state_of(obj), **extras.state_of(resource, obj)}
        audit.record(actor, verb(resource, "remove"), obj, before=before)
        if resource.remove:
            resource.remove(actor, obj)
        else:
            _delete(obj)
        if not resource.remove or not resource.model._base_manager.filter(pk=key).exists():
            extras.gone(resource, key)


def _delete(obj: Any) -> None:
    try:
        obj.delete()
    except ProtectedError as error:
        held = sorted({str(o) for o in error.protected_objects})
        more = f" and {len(held) - 5} more" if len(held) > 5 else ""
        raise Refused(f"it is needed by {', '.join(held[:5])}{more}") from error


def act(resource: Resource, action: Action, actor: Actor, obj: Any, data: dict[str, Any]) -> Done:
    """Do something with a record. Raises Refused when it is in no state for it, or another WatchkeeperError."""
    require(actor, action.name, resource, obj)
    if not action.offered(obj):
        raise Refused(f"{resource.title(obj)!r} is not in a state to {action.label.lower()}")
    with nullcontext() if journaled(action.run) else transaction.atomic():
        done = action.run(actor, obj, data)
        if action.audited:
            audit.record(actor, verb(resource, action.name), obj, after=audit.plain(data))
    return done


def verb(resource: Resource, name: str) -> str:
    """An act's name in the audit trail."""
    return f"{resource.name.replace(' ', '-')}.{name}"


def journaled(hook: Callable[..., Any] | None) -> bool:
    """Whether this hook writes through the journal."""
    return bool(getattr(hook, "journaled", False))


def for_people(resource: Resource) -> bool:
    """Whether people make such records by filling in a form or a file."""
    return "create" in resource.allow and not getattr(resource.create, "programs", False)
