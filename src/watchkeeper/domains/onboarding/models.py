"""Positions and their bundles; people who join, move and leave; proofs that nothing was left."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

PERSON = settings.AUTH_USER_MODEL


def _hours(label: str, hours: float) -> models.FloatField:  # type: ignore[type-arg]
    return models.FloatField(label, default=hours, validators=[MinValueValidator(0), MaxValueValidator(2000)])


def _team(label: str) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=label
    )


class Position(models.Model):
    """What somebody does here, and the bundle of what they need for it."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True, default="")
    teams = models.ManyToManyField("access.Team", blank=True, related_name="positions")
    roles = models.ManyToManyField("access.Role", blank=True, related_name="positions")
    hardware = models.ManyToManyField("inventory.DeviceType", blank=True, related_name="positions")
    software = models.ManyToManyField(
        "inventory.Application", blank=True, related_name="seats_of_positions", verbose_name="licence seats"
    )
    servers = models.ManyToManyField(
        "inventory.Item", blank=True, related_name="access_of_positions", verbose_name="access to servers"
    )
    catalog_items = models.ManyToManyField(
        "catalog.CatalogItem", blank=True, related_name="positions", verbose_name="from the catalogue"
    )
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="positions"
    )
    hardware_team = _team("who hands out hardware")
    software_team = _team("who assigns licence seats")
    access_team = _team("who gives access to servers")
    hardware_hours = _hours("hardware is begun, working hours before", 40.0)
    software_hours = _hours("licence seats, working hours before", 16.0)
    access_hours = _hours("access to servers, working hours before", 8.0)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Onboarding(models.Model):
    """Somebody who joins, moves to another position, or leaves."""

    class Sort(models.TextChoices):
        """Which of the three."""

        JOINER = "joiner"
        MOVER = "mover"
        LEAVER = "leaver"

    class State(models.TextChoices):
        """How far it has come."""

        PLANNED = "planned"
        STARTED = "started"
        DONE = "done"
        CANCELLED = "cancelled"

    sort = models.CharField("joins, moves or leaves", max_length=6, choices=Sort, default=Sort.JOINER)
    person = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="onboardings"
    )
    username = models.CharField(
        "new user name", max_length=150, blank=True, default="", validators=[UnicodeUsernameValidator()]
    )
    full_name = models.CharField("full name", max_length=150, blank=True, default="")
    email = models.EmailField("e-mail", blank=True, default="")
    position = models.ForeignKey(
        Position, null=True, blank=True, on_delete=models.PROTECT, related_name="onboardings"
    )
    previous = models.ForeignKey(
        Position,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="from position",
    )
    manager = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="managed_onboardings"
    )
    day = models.DateField("first or last day")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED, editable=False)
    ticket = models.OneToOneField(
        "desk.Ticket", null=True, on_delete=models.PROTECT, related_name="onboarding", editable=False
    )
    started_at = models.DateTimeField("started", null=True, default=None, editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-day", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=("planned", "started")),
                name="onboarding_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.VERBS[self.sort]}"

    VERBS: ClassVar = {"joiner": "joins", "mover": "moves", "leaver": "leaves"}

    @property
    def who(self) -> str:
        """The name of whoever it is about."""
        return self.person.called if self.person else self.full_name or self.username


class Proof(models.Model):
    """What the live state said, at one moment, about somebody who has left."""

    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.CASCADE, related_name="proofs", verbose_name="of"
    )
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=200)
    clean = models.BooleanField("nothing is left")
    left = models.JSONField("what is left", default=list)
    revoked = models.JSONField("what was taken back", default=list)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.onboarding}: {'nothing is left' if self.clean else f'{len(self.left)} left'}"
