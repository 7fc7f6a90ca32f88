"""Maintenance windows, declared; what can be done with them, and what they may not be."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.maintenance import rules
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.maintenance.telling import publish, withdraw
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, time_zone
from watchkeeper.model.errors import Malformed
from watchkeeper.model.schedule import parse_rule

_WRITABLE = ("name", "reason", "items", "reach", "labels", "starts_at", "ends_at", "zone", "repeats", "every",
             "weekdays", "repeats_until", "rule")  # fmt: skip


class WindowSerializer(RecordSerializer):
    """`when` in words; `state` is upcoming, running or past."""

    labels = serializers.DictField(
        child=serializers.CharField(max_length=1024), required=False,
        help_text="alerts that have all of them; with items, those of their alerts that have",
    )  # fmt: skip
    every = serializers.IntegerField(min_value=1, max_value=100, default=1,
                                     help_text="2: every second day, week, month or year")  # fmt: skip
    weekdays = serializers.ListField(child=serializers.ChoiceField(choices=list(rules.WEEKDAYS.items())),
                                     required=False, help_text="for every week; none: the day it begins")  # fmt: skip
    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone],
                                 help_text="repeats at the same time of its clocks: Europe/Berlin")  # fmt: skip
    rule = serializers.CharField(max_length=200, required=False, allow_blank=True, label="Rule of its own",
                                 help_text="RFC 5545: FREQ=MONTHLY;BYDAY=-1FR")  # fmt: skip
    when = serializers.CharField(read_only=True)
    state = serializers.CharField(read_only=True)
    running_until = serializers.DateTimeField(read_only=True, allow_null=True)
    next_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = MaintenanceWindow
        fields = ("id", *_WRITABLE, "when", "state", "running_until", "next_at", "created_by")
        read_only_fields = ("id", "created_by")


def _create(actor: Actor, data: dict[str, Any]) -> MaintenanceWindow:
    items = data.pop("items", [])
    window = MaintenanceWindow(created_by=actor.name[:150], of_items=bool(items), **data)
    _check(window, bool(items))
    window.save()
    window.items.set(items)
    publish(window, actor.name)
    return window


def _change(actor: Actor, window: MaintenanceWindow, data: dict[str, Any]) -> MaintenanceWindow:
    items = data.pop("items", None)
    for name, value in data.items():
        setattr(window, name, value)
    _check(window, window.items.exists() if items is None else bool(items))
    if items is not None:
        window.items.set(items)
        window.of_items = bool(items)
    return _save(actor, window)


def _save(actor: Actor, window: MaintenanceWindow) -> MaintenanceWindow:
    window.version += 1
    window.save()
    publish(window, actor.name)
    return window


def _remove(actor: Actor, window: MaintenanceWindow) -> None:
    withdraw(window, actor.name)
    window.delete()


def _check(window: MaintenanceWindow, has_items: bool) -> None:
    """Raises Invalid: it is about nothing, about everything, ends before it begins, or never is."""
    if not has_items and not window.labels:
        raise Invalid("name at least one item or label; a window about everything is not possible", "items")
    if any(not k or not v for k, v in window.labels.items()):
        raise Invalid("a label needs a name and a value", "labels")
    if window.ends_at <= window.starts_at:
        raise Invalid("it ends after it starts", "ends_at")
    if window.repeats == MaintenanceWindow.Repeats.RULE and not window.rule:
        raise Invalid("say the rule", "rule")
    if not window.rrule:
        return
    try:
        parse_rule(window.rrule, rules.wall(window.starts_at, window.zone))
    except Malformed as error:
        raise Invalid(error.detail, "rule") from error
    if next(window.schedule.occurrences(milliseconds(window.starts_at) - 1), None) is None:
        raise Invalid("it would never begin", "repeats_until" if window.repeats_until else "rule")


class Later(serializers.Serializer[Any]):
    """Until when."""

    until = serializers.DateTimeField(help_text="the end of the window that runs now")


def _end_now(actor: Actor, window: MaintenanceWindow, _: dict[str, Any]) -> Done:
    return _ends(actor, window, timezone.now())


def _extend(actor: Actor, window: MaintenanceWindow, data: dict[str, Any]) -> Done:
    if data["until"] <= timezone.now():
        raise Invalid("this is past", "until")
    return _ends(actor, window, data["until"])


def _ends(actor: Actor, window: MaintenanceWindow, at: dt.datetime) -> Done:
    """The occurrence that runs ends then; the others stay as they are."""
    running = window.schedule.current(milliseconds(timezone.now()))
    if running is None:
        raise Refused(f"{window.name!r} does not run now")
    window.end(running[0], at)
    _save(actor, window)
    return Done()


def _runs(window: MaintenanceWindow) -> bool:
    return window.state == "running"


registry.add(
    Resource(
        model=MaintenanceWindow,
        path="maintenance-windows",
        name="maintenance window",
        description="When work is planned, and on what: alerts are recorded, and nobody is told until it is over.",
        fields=WindowSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("state", show=Show.STATE),
            Column("when"),
            Column("running_until", "Runs until", Show.TIME),
            Column("next_at", "Next", Show.TIME),
            Column("created_by", "By"),
        ),
        filters={
            "state": ["exact"],
            "items": ["exact"],
            "repeats": ["exact", "in"],
            "created_by": ["exact"],
            "starts_at": ["gte", "lte"],
            "ends_at": ["gte", "lte"],
        },
        search=("name", "reason"),
        ordering=("-starts_at", "-id"),
        orderable=("name", "ends_at"),
        writable=_WRITABLE,
        allow=frozenset({"create", "change", "remove"}),
        serializer=WindowSerializer,
        prepare=lambda found: found.prefetch_related("items"),
        create=_create,
        change=_change,
        remove=_remove,
        policy_attributes=("name", "created_by"),
        actions=(
            Action("extend", "Extend it", _extend, Later, offered=_runs),
            Action("end-now", "End it now", _end_now, offered=_runs,
                   confirm="Alerts that still fire are told at once."),
        ),
    )
)  # fmt: skip
