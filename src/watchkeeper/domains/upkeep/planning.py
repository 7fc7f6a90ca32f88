"""Makes work orders of plans, once for each occurrence and item: an order is named after both, so that a kill or a second
look makes none twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.db.models import Q

from watchkeeper.domains.annotations.models import Tagging
from watchkeeper.domains.capacity import dates
from watchkeeper.domains.capacity.models import Forecast
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Alert
from watchkeeper.domains.upkeep import metering, rules
from watchkeeper.domains.upkeep.models import MaintenancePlan, Meter, WorkOrder
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.schedule import next_of

KIND = "maintenance-plan"
LOOK_EVERY = dt.timedelta(minutes=15)
_MOST, _LATE = 1000, dt.timedelta(days=31)
_Trigger, _Kind = MaintenancePlan.Trigger, WorkOrder.Kind


def follow(plan: MaintenancePlan, now: dt.datetime, *, at_once: bool = False) -> None:
    """Look at this plan again when it may next make something due, once, however often that is asked for; in the caller's
    transaction."""
    due = now if at_once else next_of(LOOK_EVERY, now)
    if plan.trigger == _Trigger.CALENDAR and not at_once:
        coming = next(plan.times(now + dt.timedelta(days=plan.lead_days)), None)
        if coming is None:
            return
        due = coming - dt.timedelta(days=plan.lead_days)
    effect = f"{KIND}:{plan.pk}:{plan.version}:{milliseconds(due)}"
    outbox.add(
        [outbox.Effect(effect, KIND, plan.name[:200], {"plan": plan.pk, "version": plan.version}, due)]
    )


def items_of(plan: MaintenancePlan) -> list[Item]:
    """Those it names, and those that are of its kind and have its tag."""
    found = {i.pk: i for i in plan.items.all()}
    if plan.item_kind or plan.item_tag:
        chosen = Item.objects.filter(stale_since=None)
        if plan.item_kind:
            chosen = chosen.filter(Q(declared=plan.item_kind) | Q(kind=plan.item_kind))
        if plan.item_tag:
            tagged = Tagging.objects.filter(tag__name__iexact=plan.item_tag).values_list("record", flat=True)
            chosen = chosen.filter(pk__in=list(tagged))
        found |= {i.pk: i for i in chosen.order_by("name")[:_MOST]}
    return sorted(found.values(), key=lambda i: i.name)[:_MOST]


def make(plan: MaintenancePlan, now: dt.datetime) -> int:
    """The work orders that are due and not there yet. Returns how many were made. Raises NotReady, QueryError or
    TelemetryError where a meter cannot be read."""
    items = items_of(plan)
    due = {_Trigger.CALENDAR: _by_calendar, _Trigger.METER: _by_meter, _Trigger.FORECAST: _by_forecast,
           _Trigger.SITUATION: _by_situation}[_Trigger(plan.trigger)]  # fmt: skip
    return sum(_order(plan, item, *which) for item, which in due(plan, items, now))


#: the item, or what several are called; occurrence, kind, when due, why
_Due = Iterator[tuple[Item | str, tuple[str, str, dt.datetime, str]]]


def _by_calendar(plan: MaintenancePlan, items: list[Item], now: dt.datetime) -> _Due:
    """Of what has come meanwhile: the last that has passed, and those within the lead."""
    ahead = now + dt.timedelta(days=plan.lead_days)
    times = []
    for at in plan.times(now - _LATE):
        if at > ahead:
            break
        times.append(at)
    coming = [t for t in times if t > now] + [t for t in times if t <= now][-1:]
    for at in sorted(coming):
        for item in items:
            yield item, (f"{milliseconds(at)}", _Kind.PREVENTIVE, at + dt.timedelta(days=plan.due_days), "")


def _by_meter(plan: MaintenancePlan, items: list[Item], now: dt.datetime) -> _Due:
    every = plan.every or 0.0
    kept = {m.item_id: m for m in plan.meters.all()}
    for item in items:
        value = metering.reading(plan, item, now)
        if value is None or value < 0:
            continue
        meter = _read(kept.get(item.pk) or Meter(plan=plan, item=item), value, every)
        if reached := rules.passed(value, every):
            why = f"Its meter is at {value:,.10g}; it is due every {every:,.10g}."
            number = f"{meter.replaced}.{reached}" if meter.replaced else f"{reached}"
            yield item, (f"meter:{number}", _Kind.PREVENTIVE, now + dt.timedelta(days=plan.due_days), why)


def _read(meter: Meter, value: float, every: float) -> Meter:
    """The meter with this reading. One that has fallen by more than half of a distance counts anew: it was replaced."""
    if value < meter.value - every / 2:
        meter.replaced, meter.value = meter.replaced + 1, value
    elif value > meter.value:
        meter.value = value
    else:
        return meter
    told = {"value": meter.value, "replaced": meter.replaced}
    return Meter.objects.update_or_create(told, plan=meter.plan, item=meter.item)[0]


def _by_forecast(plan: MaintenancePlan, items: list[Item], now: dt.datetime) -> _Due:
    """Each time that a forecast about an item, or about several of which it is one, becomes an alert is one occurrence."""
    by_key = {i.pk: i for i in items}
    for f in Forecast.objects.filter(alerting=True).filter(Q(item__in=list(by_key)) | Q(item=None))[:_MOST]:
        due = min(
            f.earliest_at or now + dt.timedelta(days=plan.due_days), now + dt.timedelta(days=plan.due_days)
        )
        about = by_key[str(f.item_id)] if f.item_id else f.name
        if f.item_id or dates.concerns(f.about, by_key):
            yield about, (f"forecast:{f.pk}:{milliseconds(f.since)}", _Kind.PROACTIVE, due, f.said)


def _by_situation(plan: MaintenancePlan, items: list[Item], now: dt.datetime) -> _Due:
    """Each situation with an alert of the item is one occurrence."""
    by_key = {i.pk: i for i in items}
    firing = Alert.objects.filter(item__in=list(by_key)[:_MOST], status="firing").exclude(situation=None)
    for alert in firing.select_related("situation").order_by("starts_at")[:_MOST]:
        due = now + dt.timedelta(days=plan.due_days)
        yield (
            by_key[str(alert.item_id)],
            (f"situation:{alert.situation_id}", _Kind.REACTIVE, due, alert.situation.title),
        )


def _order(
    plan: MaintenancePlan, about: Item | str, occurrence: str, kind: str, due: dt.datetime, why: str
) -> int:
    """One work order; 0 when it is there."""
    item, called = (about, about.name) if isinstance(about, Item) else (None, about)
    key = f"{plan.pk}:{item.pk if item else ''}:{occurrence}"[:120]
    if WorkOrder.objects.filter(occurrence=key).exists():
        return 0
    text = "\n\n".join(t for t in (why, plan.description) if t)
    order = WorkOrder(
        occurrence=key, kind=kind, title=f"{plan.name}: {called}"[:300], description=text, plan=plan, item=item,
        team=plan.team, checklist=rules.to_tick(plan.checklist), due_at=due,
    )  # fmt: skip
    try:
        with transaction.atomic():
            order.save()
            audit.record(SYSTEM, "work-order.create", order, after=audit.state_of(order))
    except IntegrityError:  # another worker was quicker
        return 0
    return 1
