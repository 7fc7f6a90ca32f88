"""State machines: the states of a kind are moved through by declared transitions, each an action with a permission
and a guard, so that no record gets into a state by a way that nobody declared.

    actions=(*machine("status", Transition("activate", "Activate", ("staged",), "active"), …), …)

The field itself is then `create_only`: it has a first value, and after that transitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done

if TYPE_CHECKING:
    from rest_framework.serializers import BaseSerializer


@dataclass(frozen=True)
class Transition:
    """A way from any of the states `origins` to the state `to`. `guard(record)` says in words what is in the way,
    "" when nothing is; `then(actor, record, data)` does what belongs to it, in the same transaction and before the
    record is saved; what it raises is in the way too. `data` has passed `fields`."""

    name: str
    label: str
    origins: tuple[str, ...]
    to: str
    guard: Callable[[Any], str] = lambda _: ""
    scope: Scope = Scope.WRITE
    confirm: str = ""
    fields: type[BaseSerializer[Any]] | None = None
    then: Callable[[Actor, Any, dict[str, Any]], None] | None = None


def machine(field: str, *transitions: Transition) -> tuple[Action, ...]:
    """The actions of a state machine over this field. Raises ValueError for two transitions of one name."""
    if len({t.name for t in transitions}) < len(transitions):
        raise ValueError("two transitions have one name")
    return tuple(_action(field, t) for t in transitions)


def _action(field: str, t: Transition) -> Action:
    def offered(record: Any) -> bool:
        return getattr(record, field) in t.origins

    def run(actor: Actor, record: Any, data: dict[str, Any]) -> Done:
        move(field, t, actor, record, data)
        return Done()

    run.moves = field  # type: ignore[attr-defined]
    return Action(
        t.name,
        t.label,
        run,
        t.fields,
        scope=t.scope,
        offered=offered,
        confirm=t.confirm,
        audited=False,
        bulk=t.fields is None,
    )


def move(field: str, t: Transition, actor: Actor, record: Any, data: dict[str, Any] | None = None) -> Any:
    """Go this way, audited, and return the record as it is after. Raises Refused from another state."""
    data = data or {}
    with transaction.atomic():
        now = type(record)._default_manager.select_for_update().get(pk=record.pk)
        before = getattr(now, field)
        if before not in t.origins:
            raise Refused(f"{now} is {before.replace('_', ' ')} meanwhile")
        if reason := t.guard(now):
            raise Refused(f"{now}: {reason}")
        setattr(now, field, t.to)
        if t.then:
            t.then(actor, now, data)
        now.save(update_fields=None if t.then else [field])
        act = f"{now._meta.verbose_name}.{t.name}".replace(" ", "-")
        audit.record(actor, act, now, before={field: before}, after={field: t.to, **audit.plain(data)})
    return now
