"""Calendars of working hours, agreements, and what they promise by priority."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from watchkeeper.domains.agreements import declared, keeping
from watchkeeper.domains.agreements.working import WorkingTime
from watchkeeper.kernel.fields import milliseconds, moment

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OFFICE = "09:00-17:00"
TOLD = ("assignee", "leads", "team")


def _hours(default: str) -> models.CharField:  # type: ignore[type-arg]
    return models.CharField(max_length=100, blank=True, default=default)


class Calendar(models.Model):
    """When work is done: the hours of each weekday, public holidays, and days that differ."""

    name = models.CharField(max_length=100, unique=True)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    monday = _hours(OFFICE)
    tuesday = _hours(OFFICE)
    wednesday = _hours(OFFICE)
    thursday = _hours(OFFICE)
    friday = _hours(OFFICE)
    saturday = _hours("")
    sunday = _hours("")
    holidays = models.CharField("public holidays", max_length=20, blank=True, default="")
    exceptions = models.TextField("days that differ", blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def working_time(self) -> WorkingTime:
        """What these hours come to."""
        week = tuple(getattr(self, day) for day in WEEKDAYS)
        return declared.working_time(self.zone, week, self.holidays, self.exceptions)

    @property
    def open_now(self) -> bool:
        """Whether work is done now."""
        return self.working_time.open_at(milliseconds(timezone.now()))

    @property
    def next_change_at(self) -> dt.datetime | None:
        """When it next begins or stops; None when it never does."""
        return moment(self.working_time.next_change(milliseconds(timezone.now())) or 0)


class Agreement(models.Model):
    """What is promised about service, to whom or by whom, and in which hours it counts."""

    class Kind(models.TextChoices):
        """Between whom, in ITIL's terms."""

        SLA = "sla", "service level agreement (with a customer)"
        OLA = "ola", "operational level agreement (within the organisation)"
        UC = "uc", "underpinning contract (with a supplier)"

    class Waiting(models.TextChoices):
        """When the clock stands."""

        NEVER = "never", "never"
        REQUESTER = "requester", "while the requester is asked"
        ANYBODY = "anybody", "while the requester or a partner is asked"

    name = models.CharField(max_length=150, unique=True)
    kind = models.CharField(max_length=3, choices=Kind, default=Kind.SLA)
    organisation = models.ForeignKey(
        "access.Organisation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="agreements",
        verbose_name="with",
    )
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="agreements")
    pauses = models.CharField("the clock stands", max_length=10, choices=Waiting, default=Waiting.REQUESTER)
    restarts = models.BooleanField("begins anew when the requester writes", default=False)
    tell_assignee = models.CharField("tell the assignee at (%)", max_length=60, blank=True, default="75, 100")
    tell_leads = models.CharField("tell the team's owners at (%)", max_length=60, blank=True, default="100")
    tell_team = models.CharField("tell the queue's team at (%)", max_length=60, blank=True, default="")
    kept_by = models.ManyToManyField(
        "self", blank=True, symmetrical=False, related_name="keeps", verbose_name="kept by"
    )
    description = models.TextField(blank=True, default="")
    valid_from = models.DateField(null=True, blank=True, default=None)
    valid_until = models.DateField(null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def warnings(self) -> list[str]:
        """What it promises that the agreements beneath it do not carry."""
        if not (beneath := list(self.kept_by.all())):
            return []
        return keeping.warnings(_promised(self), [(str(a), _promised(a)) for a in beneath])

    @cached_property
    def by_priority(self) -> dict[int, Target]:
        """Its targets, read once."""
        return {t.priority: t for t in self.targets.all()}

    @cached_property
    def levels(self) -> dict[str, tuple[int, ...]]:
        """Who is told at which percentages of what is promised: assignee, leads, team."""
        return {who: keeping.levels(getattr(self, f"tell_{who}")) for who in TOLD}


class Target(models.Model):
    """What an agreement promises for a priority, in minutes of working time."""

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="targets")
    priority = models.PositiveSmallIntegerField()
    response_minutes = models.PositiveIntegerField("first answer within (minutes)", null=True, blank=True)
    resolution_minutes = models.PositiveIntegerField("resolved within (minutes)", null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["agreement__name", "priority"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agreement", "priority"], name="target_once_a_priority")
        ]

    def __str__(self) -> str:
        return f"{self.agreement}, priority {self.priority}"


def _promised(agreement: Agreement) -> dict[int, keeping.Promise]:
    return {t.priority: (t.response_minutes, t.resolution_minutes) for t in agreement.targets.all()}
