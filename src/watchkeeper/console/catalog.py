"""Requests on the pages of others: the tasks of an order, an onboarding and a ticket with how far they are, what was
answered, what a move changes, and what a proof found."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchkeeper.console.questions import TYPES, rows_of
from watchkeeper.domains.catalog import forms
from watchkeeper.domains.catalog.models import CatalogItem, Order, RequestTask
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.onboarding import planning
from watchkeeper.domains.onboarding.bundles import SORTS, Part
from watchkeeper.domains.onboarding.models import Onboarding, Proof
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

_STEPS = (
    ("ordered", "Ordered"),
    ("approved", "Approved"),
    ("fulfilling", "In the works"),
    ("delivered", "Delivered"),
)

#: fields that a panel here tells of in words, by the path of their kind
TOLD = {
    "proofs": frozenset({"left", "revoked"}),
    "orders": frozenset({"answers"}),
    "catalog-items": frozenset({"form"}),
}


def progress(ticket: Ticket) -> dict[str, Any]:
    """How many of a request's tasks are over, and which are late or have failed."""
    tasks = list(ticket.request_tasks.select_related("team", "person").prefetch_related("after"))
    over = sum(t.over for t in tasks)
    return {
        "tasks": tasks, "over": over, "all": len(tasks), "share": round(100 * over / len(tasks)) if tasks else 0,
        "late": [t for t in tasks if t.late], "failed": [t for t in tasks if t.state == RequestTask.State.FAILED],
    }  # fmt: skip


def tasks(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an order, an onboarding and a ticket: the tasks, and how far they are."""
    ticket = (
        record
        if isinstance(record, Ticket)
        else record.ticket
        if isinstance(record, Order | Onboarding)
        else None
    )
    if ticket is None or not ticket.request_tasks.exists():
        return None
    shown = progress(ticket)
    readable = set(visible(actor, "request-tasks").filter(ticket=ticket).values_list("pk", flat=True))
    return {**shown, "readable": readable, "ready": isinstance(record, Onboarding)}


def answers(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an order: how far it has come, and what was answered."""
    if not isinstance(record, Order):
        return None
    names = [name for name, _ in _STEPS]
    at = names.index(record.state) if record.state in names else -1
    steps = [(label, "active" if n == at else "") for n, (_, label) in enumerate(_STEPS)]
    return {
        "steps": steps if at >= 0 else [],
        "order": record,
        "answers": forms.in_words(record.form, record.answers),
    }


def changes(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of an onboarding: what is given, kept and taken away."""
    if not isinstance(record, Onboarding) or record.state == Onboarding.State.CANCELLED:
        return None
    found = planning.plan(record)
    leases = planning.held_by(record.person) if record.sort == Onboarding.Sort.LEAVER else []
    columns = (("Gets", found.give), ("Keeps", found.keep), ("Gives back", found.take))
    return {
        "columns": [(label, [_line(p) for p in parts]) for label, parts in columns if parts],
        "leases": leases, "planned": record.state == Onboarding.State.PLANNED,
    }  # fmt: skip


def _line(part: Part) -> str:
    return f"{SORTS[part.sort]}: {part.name}"


def proof(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a proof: what is left, and what was taken back."""
    return {"proof": record} if isinstance(record, Proof) else None


def asked(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> dict[str, Any] | None:  # noqa: ARG001
    """Of a catalogue item: what whoever orders it is asked."""
    if not isinstance(record, CatalogItem):
        return None
    return {"rows": rows_of(record.form), "types": dict(TYPES), "item": record}
