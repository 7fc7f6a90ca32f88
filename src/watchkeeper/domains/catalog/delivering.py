"""What happens when an order is delivered: its record in the inventory, its lease, and the mail that hands it over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from watchkeeper.domains.access.models import Team
from watchkeeper.domains.catalog import forms, leases, texts
from watchkeeper.domains.catalog.acts import HELD, act
from watchkeeper.domains.catalog.models import Lease, Order, RequestTask
from watchkeeper.domains.inbox import note
from watchkeeper.domains.outgoing import mail
from watchkeeper.domains.outgoing.webhooks import message_id
from watchkeeper.kernel import doing, outbox
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of

MAIL = "order-mail"  # kind of effect


def values_of(order: Order) -> dict[str, str]:
    """What texts of the catalogue item may name."""
    person = order.person
    return {
        "person": person.username, "person_name": person.called, "person_email": person.email,
        "item": order.item.name, "ticket": order.ticket.number or "", "record": str(order.record or ""),
        **dict(_answers(order.form, order.answers)),
    }  # fmt: skip


def _answers(form: Mapping[str, Any], answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    words = dict(forms.in_words(form, answers))
    parts = form.get("properties", {})
    return [(n, words.get(forms.label_of(n, p), "")) for n, p in parts.items()]


@act("record")
def _record(task: RequestTask) -> str:
    """Make the record in the inventory that the item asks for, of the answers. Raises ValidationError."""
    order = Order.objects.select_related("item", "person", "ticket").filter(pk=task.given["order"]).first()
    if order is None:
        raise Refused("the order is gone")
    if order.record_id:
        return f"{order.record} was there already"
    resource, values = registry[order.item.record_kind], values_of(order)
    data = {name: texts.filled(str(text), values) for name, text in order.item.record_fields.items()}
    given: Any = serializer_of(resource)(data=data, context={"actor": SYSTEM})
    given.is_valid(raise_exception=True)
    made = doing.create(resource, SYSTEM, given)
    order.record_id = made.pk
    order.save(update_fields=["record"])
    order.ticket.items.add(made.pk)
    return f"{made} is in the inventory"


def hand_over(actor: Actor, order: Order) -> None:
    """Note who has it now, and tell them. In the caller's transaction."""
    item, until = order.item, None
    if item.lease_days:
        until = timezone.now() + dt.timedelta(days=item.lease_days)
    if until or order.record_id:
        _lend(actor, order, until)
    note([order.person], f"order-delivered:{order.pk}", f"{item.name} is there for you", "You ordered it, or it was "
         "ordered for you.", about=("orders", str(order.pk)))  # fmt: skip
    if item.handover_text and order.person.email:
        outbox.add([outbox.Effect(f"{MAIL}:{order.pk}", MAIL, f"orders/{order.pk}", {"order": order.pk})])


def _lend(actor: Actor, order: Order, until: dt.datetime | None) -> None:
    """One lease for each membership that came with it, and one for the rest where that is more than memberships."""
    item = order.item
    its: dict[str, Any] = {"order": order, "until": until, "extension_approved": item.extension_approved,
                           "returned_to": _last_team(order)}  # fmt: skip
    joins = order.ticket.request_tasks.filter(does="join-team")
    if order.record_id or not joins.exists():
        sort = Lease.Sort.HARDWARE if item.record_kind == "devices" else Lease.Sort.OTHER
        leases.lend(actor, order.person, item.name, item=order.record, sort=sort, **its)
    given = [t.given for t in joins.filter(state=RequestTask.State.DONE)]
    for team in Team.objects.filter(pk__in={g["team"] for g in given if not g.get(HELD)}):
        leases.lend(actor, order.person, f"{item.name} ({team})", team=team, **its)


def _last_team(order: Order) -> Any:
    last = order.ticket.request_tasks.exclude(team=None).order_by("-id").first()
    return last.team if last else None


@outbox.handler(MAIL)
def send(row: OutboxRow) -> str:
    """The hand-over mail. Raises TryAgain, GiveUp or OSError."""
    order = (
        Order.objects.select_related("item", "person", "ticket", "record")
        .filter(pk=row.payload["order"])
        .first()
    )
    if order is None or not order.person.email:
        return "nobody is left to be told"
    text = texts.filled(order.item.handover_text, values_of(order))
    lines = [*text.splitlines(), "", f"{settings.PUBLIC_URL}/orders/{order.pk}/"]
    to = [order.person.email]
    return mail.send(mail.compose(message_id(row.pk), to, f"{order.item.name} is there for you", lines), to)
