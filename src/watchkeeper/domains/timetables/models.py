"""Addresses that calendar programs subscribe to, calendars that are read here, and what they brought."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.kernel.fields import SealedField


class Feed(models.Model):
    """A secret address of a calendar: the shifts of a schedule, or those of a person on all schedules. Only its hash is
    kept; `prefix` lets people tell addresses apart."""

    schedule = models.ForeignKey(
        "oncall.Schedule", null=True, blank=True, on_delete=models.CASCADE, related_name="feeds",
        help_text="whose shifts; empty: those of a person",
    )  # fmt: skip
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="shift_feeds",
    )  # fmt: skip
    prefix = models.CharField("begins with", max_length=16, editable=False)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    created_at = models.DateTimeField("made", auto_now_add=True)
    last_read_at = models.DateTimeField("last read", null=True, default=None, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "calendar feed"

    def __str__(self) -> str:
        return f"shifts of {self.schedule or self.person}"


class Import(models.Model):
    """A calendar of another program: who is on call instead, who is away, or which days are holidays. It is read hourly
    from its address, or when somebody sends a file."""

    class What(models.TextChoices):
        """What its events mean."""

        OVERRIDES = "overrides", "who is on call instead"
        ABSENCES = "absences", "who is away"
        HOLIDAYS = "holidays", "holidays"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    what = models.CharField("its events are", max_length=9, choices=What, default=What.ABSENCES)
    schedule = models.ForeignKey(
        "oncall.Schedule", null=True, blank=True, on_delete=models.CASCADE, related_name="calendar_imports",
        help_text="on which people are on call instead",
    )  # fmt: skip
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.CASCADE, related_name="imports",
        help_text="that is closed on these holidays",
    )  # fmt: skip
    url = SealedField(
        "address", blank=True, default="", help_text="read every hour; empty: files are sent to it"
    )
    read_at = models.DateTimeField("last read", null=True, default=None, editable=False)
    fine = models.BooleanField("all of it taken", null=True, default=None, editable=False)
    outcome = models.TextField("what came of it", blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "calendar import"

    def __str__(self) -> str:
        return self.name


class Absence(models.Model):
    """A time in which somebody is away, and gets no tickets by rule."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absences")
    begins_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["begins_at", "id"]
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="absence_ends")]

    def __str__(self) -> str:
        return f"{self.person} away"


class Brought(models.Model):
    """Which event of which calendar made an override or an absence, so that it changes and goes with it."""

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="brought")
    key = models.CharField(max_length=400)
    override = models.OneToOneField(
        "oncall.Override", null=True, on_delete=models.CASCADE, related_name="brought"
    )
    absence = models.OneToOneField(Absence, null=True, on_delete=models.CASCADE, related_name="brought")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "key"], name="brought_once")]

    def __str__(self) -> str:
        return self.key
