"""Maintenance plans, and the work orders that they and people make."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.domains.upkeep import rules
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.model.schedule import Schedule


class MaintenancePlan(models.Model):
    """Work that comes again: on which items, and when."""

    class Trigger(models.TextChoices):
        """What makes it due."""

        CALENDAR = "calendar", "the calendar"
        METER = "meter", "a meter"
        FORECAST = "forecast", "a forecast: something runs out soon"
        SITUATION = "situation", "a situation about the item"

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField("on", default=True)
    description = models.TextField(blank=True, default="")
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="maintenance_plans")
    item_kind = models.CharField("and all items of the kind", max_length=64, blank=True, default="")
    item_tag = models.CharField("with the tag", max_length=64, blank=True, default="")
    trigger = models.CharField("due by", max_length=9, choices=Trigger, default=Trigger.CALENDAR)
    rule = models.CharField("repeats", max_length=200, blank=True, default="FREQ=MONTHLY")
    starts_at = models.DateTimeField("first time", null=True, blank=True, default=None)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    lead_days = models.PositiveSmallIntegerField("made so many days before", default=7)
    query = models.TextField("meter", blank=True, default="")
    every = models.FloatField("due whenever it has grown by", null=True, blank=True, default=None)
    team = models.ForeignKey(
        "access.Team",
        null=True,
        blank=True,
        default=None,
        on_delete=models.PROTECT,
        related_name="maintenance_plans",
    )
    checklist = models.TextField(blank=True, default="")
    due_days = models.PositiveSmallIntegerField("to be done within days", default=7)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "maintenance plan"

    def __str__(self) -> str:
        return self.name

    @property
    def next_at(self) -> dt.datetime | None:
        """By the calendar: when it is next due."""
        if self.trigger != self.Trigger.CALENDAR or not self.enabled or self.starts_at is None:
            return None
        return next(self.times(timezone.now()), None)

    def times(self, after: dt.datetime) -> Iterator[dt.datetime]:
        """When it is due by the calendar, after this; the first time is one of them."""
        if self.starts_at is None:
            return
        first = milliseconds(self.starts_at)
        for begins, _ in Schedule(first, first + 1, self.rule, self.zone).occurrences(milliseconds(after)):
            if (at := moment(begins)) is not None and at > after:
                yield at


class Meter(models.Model):
    """What the meter of a plan last read at an item: the greatest value since it was replaced, and how often it was."""

    plan = models.ForeignKey(MaintenancePlan, on_delete=models.CASCADE, related_name="meters")
    item = models.ForeignKey("inventory.Item", on_delete=models.CASCADE, related_name="meters")
    value = models.FloatField(default=0.0)
    replaced = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["plan", "item"], name="meter_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.item_id}: {self.value:g}"


class WorkOrder(Numbered):
    """Work that is to be done at an item: planned by a maintenance plan, or written by somebody."""

    class Kind(models.TextChoices):
        """Why."""

        PREVENTIVE = "preventive", "preventive: it was time"
        PROACTIVE = "proactive", "proactive: it would have failed"
        REACTIVE = "reactive", "reactive: it has failed"

    letters = "WO"
    occurrence = models.CharField(
        max_length=120, unique=True, null=True, editable=False
    )  # of its plan, at its item
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.REACTIVE)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=11, choices=list(rules.STATES.items()), default=rules.OPEN)
    plan = models.ForeignKey(
        MaintenancePlan,
        null=True,
        blank=True,
        default=None,
        on_delete=models.SET_NULL,
        related_name="work_orders",
    )
    item = models.ForeignKey(
        "inventory.Item",
        null=True,
        blank=True,
        default=None,
        on_delete=models.SET_NULL,
        related_name="work_orders",
    )
    team = models.ForeignKey(
        "access.Team",
        null=True,
        blank=True,
        default=None,
        on_delete=models.PROTECT,
        related_name="work_orders",
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, default=None, on_delete=models.SET_NULL,
        related_name="work_orders",
    )  # fmt: skip
    checklist = models.TextField(blank=True, default="")
    due_at = models.DateTimeField("due", null=True, blank=True, default=None)
    put_off_until = models.DateTimeField(null=True, default=None, editable=False)
    put_off_because = models.TextField("why put off", blank=True, default="", editable=False)
    parts = models.TextField(blank=True, default="", editable=False)
    minutes = models.PositiveIntegerField("minutes spent", null=True, default=None, editable=False)
    notes = models.TextField(blank=True, default="", editable=False)
    opened_at = models.DateTimeField("opened", default=timezone.now, editable=False)
    started_at = models.DateTimeField("started", null=True, default=None, editable=False)
    done_at = models.DateTimeField("done", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "work order"
        indexes: ClassVar = [models.Index(fields=["status", "due_at"], name="work_order_status")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"
