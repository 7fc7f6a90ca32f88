"""The catalogue, orders, the tasks of requests and leases, declared. The serializers are in `serializers`."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.catalog import calling, leases, ordering, tasks
from watchkeeper.domains.catalog.models import (
    CatalogApproval,
    CatalogItem,
    CatalogTask,
    Lease,
    Order,
    RequestTask,
)
from watchkeeper.domains.catalog.serializers import (
    CatalogApprovalSerializer,
    CatalogItemSerializer,
    CatalogTaskSerializer,
    LeaseSerializer,
    OrderSerializer,
    RequestTaskSerializer,
)
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Done

_CARE = ("enabled", "category", "name")


def _order(actor: Actor, data: dict[str, Any]) -> Order:
    person = data.get("person") or actor.person
    if person is None:
        raise Invalid("whom is it for?", "person")
    return ordering.order(actor, data["item"], User.objects.get(pk=person.pk), data.get("answers", {}))


def _task(_: Actor, data: dict[str, Any]) -> RequestTask:
    return tasks.made(data.pop("ticket"), data.pop("title"), **data)


def _back(actor: Actor, lease: Lease, _: dict[str, Any]) -> Done:
    leases.end(actor, lease)
    return Done()


def _task_changed(_: Actor, task: RequestTask, data: dict[str, Any]) -> RequestTask:
    before, begins = (task.person_id, task.team_id), task.begins_at
    for name, value in data.items():
        setattr(task, name, value)
    task.tries += task.does != "" and begins != task.begins_at  # what waits in the outbox is for the old time
    task.save()
    tasks.due(task)
    if before != (task.person_id, task.team_id):
        tasks.told_of(task)
    return task


def _take(actor: Actor, task: RequestTask, _: dict[str, Any]) -> Done:
    if actor.person is None:
        raise Invalid("only a person can take a task")
    task.person = User.objects.get(pk=actor.person.pk)
    task.save(update_fields=["person"])
    return Done()


plain(
    CatalogItem, "catalogue item", "catalog-items", "name category price:Cost owner enabled:Can_be_ordered",
    serializer=CatalogItemSerializer,
    fields=CatalogItemSerializer.Meta.fields,
    writable=CatalogItemSerializer.WRITTEN,
    description="What people can order: what it costs, what has to be said, who agrees, and what is done for it.",
    search=("name", "category", "description"),
    ordering=("category", "name", "id"),
    orderable=("name", "category"),
    policy_attributes=(*_CARE, "owner__username"),
    related={
        "catalog-approvals": lambda i: i.approvals.all(),
        "catalog-tasks": lambda i: i.tasks.all(),
        "orders": lambda i: i.orders.all(),
    },
)  # fmt: skip
plain(
    CatalogApproval, "catalogue approval", "catalog-approvals", "name item position:Step needed team",
    serializer=CatalogApprovalSerializer, fields=CatalogApprovalSerializer.Meta.fields,
    description="Who has to agree to orders of a catalogue item, step after step.",
    search=("name", "item__name"), ordering=("item", "position", "id"), orderable=("name", "position"),
)  # fmt: skip
plain(
    CatalogTask, "catalogue task", "catalog-tasks", "title item step team person hours",
    serializer=CatalogTaskSerializer, fields=CatalogTaskSerializer.Meta.fields,
    writable=("item", "step", "title", "description", "team", "person", "hours", "member_of", "does", "values", "address"),
    create=calling.make, change=calling.change,
    description="What is done for every order of a catalogue item: tasks of one step at the same time, steps in turn.",
    search=("title", "item__name"), ordering=("item", "step", "id"), orderable=("title", "step"),
)  # fmt: skip
plain(
    Order, "order", "orders", "ticket__number:Number item person:For state price ordered_at:Ordered",
    serializer=OrderSerializer, fields=OrderSerializer.Meta.fields,
    writable=(), create_only=("item", "person", "answers"), allow=frozenset({"create"}), create=_order,
    filters={"state": ["exact", "in"], "item": ["exact"], "person__username": ["exact"],
             "ordered_by__username": ["exact"], "ticket": ["exact"], "ordered_at": ["gte", "lte"]},
    search=("ticket__number", "item__name", "person__username", "person__name"),
    ordering=("-id",), orderable=("state", "ordered_at"),
    prepare=lambda found: found.select_related("item", "ticket", "ordered_by", "person", "record"),
    policy_attributes=("state", "person__username", "ordered_by__username", "item__name"),
    actions=ordering.MOVES,
    related={"leases": lambda o: o.leases.all()},
)  # fmt: skip
plain(
    RequestTask, "request task", "request-tasks",
    "title ticket state whose:Whose due_at:Due",
    serializer=RequestTaskSerializer, fields=RequestTaskSerializer.Meta.fields,
    writable=RequestTaskSerializer.WRITTEN, create_only=("ticket", "after"), allow=frozenset({"create", "change"}),
    create=_task, change=_task_changed,
    filters={"state": ["exact", "in"], "ticket": ["exact"], "team": ["exact", "isnull"], "person": ["isnull"],
             "person__username": ["exact", "in"], "due_at": ["gte", "lte", "isnull"], "does": ["exact"]},
    search=("title", "description", "ticket__number"), ordering=("due_at", "id"), orderable=("due_at", "state", "title"),
    prepare=lambda found: found.select_related("ticket", "team", "person").prefetch_related("after"),
    default_filters={"state__in": "open,in_progress,failed"},
    policy_attributes=("state", "person__username", "team__name"),
    actions=(
        Action("take", "Take it", _take, offered=lambda t: not t.over and t.person_id is None),
        *tasks.MOVES,
    ),
)  # fmt: skip
plain(
    Lease, "lease", "leases", "what holder:Who sort state until",
    serializer=LeaseSerializer, fields=LeaseSerializer.Meta.fields, writable=LeaseSerializer.WRITTEN,
    filters={"state": ["exact", "in"], "sort": ["exact", "in"], "holder__username": ["exact"], "item": ["exact"],
             "until": ["gte", "lte", "isnull"]},
    search=("what", "holder__username", "holder__name", "item__name"), ordering=("until", "id"),
    orderable=("what", "state", "until"), create=leases.noted, change=leases.changed,
    prepare=lambda found: found.select_related("holder", "item", "team", "order__item", "returned_to"),
    default_filters={"state__in": "active,returning"},
    policy_attributes=("state", "sort", "holder__username"),
    actions=(
        Action("extend", "Longer…", leases.extend, fields=leases.Longer, audited=False,
               offered=lambda x: x.state == Lease.State.ACTIVE and x.until is not None),
        Action("give-back", "Give back", leases.give_back, offered=lambda x: x.state == Lease.State.ACTIVE,
               confirm="Whoever takes it back gets a task."),
        Action("end", "It is back", _back, audited=False,
               offered=lambda x: x.state != Lease.State.ENDED),
    ),
)  # fmt: skip
