"""Major incidents with their updates; status pages with their components, and how these were."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.domains.majors import rules
from watchkeeper.kernel.fields import milliseconds

_COMPONENT = list(rules.COMPONENT_STATES.items())


class StatusPage(models.Model):
    """Tells people how services are, without an account when it is public."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField("address", max_length=60, unique=True)
    public = models.BooleanField("for everybody", default=False)
    description = models.CharField(max_length=300, blank=True, default="")
    days = models.PositiveSmallIntegerField("days of history", default=90)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "status page"

    def __str__(self) -> str:
        return self.name


class StatusComponent(models.Model):
    """A line of a status page: a service as its users call it."""

    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=100)
    section = models.CharField(max_length=100, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=1)
    description = models.CharField(max_length=300, blank=True, default="")
    item = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name="service",
    )  # fmt: skip
    follows = models.BooleanField("follows the health of its service", default=True)
    state = models.CharField(max_length=16, choices=_COMPONENT, default=rules.OPERATIONAL, editable=False)
    since_at = models.DateTimeField("since", default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["page__name", "section", "position", "id"]
        verbose_name = "status component"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["page", "name"], name="component_once_a_page")
        ]

    def __str__(self) -> str:
        return self.name


class ComponentSpell(models.Model):
    """A time in which a component was in one state."""

    component = models.ForeignKey(StatusComponent, on_delete=models.CASCADE, related_name="spells")
    state = models.CharField(max_length=16, choices=_COMPONENT)
    begins_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until", null=True, default=None)
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-begins_at", "-id"]
        verbose_name = "component spell"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["component"], condition=models.Q(ends_at=None), name="one_spell_goes_on"
            )
        ]

    def __str__(self) -> str:
        return f"{self.component}: {self.get_state_display()}"

    @property
    def spell(self) -> rules.Spell:
        """As `rules` takes it."""
        return rules.Spell(self.state, milliseconds(self.begins_at), milliseconds(self.ends_at) or None)


def _role(words: str) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=words,
    )  # fmt: skip


class MajorIncident(Numbered):
    """An incident that is led: by a commander, with updates for everybody who has to know."""

    letters = "MAJ"
    title = models.CharField(max_length=300)
    ticket = models.OneToOneField(
        "desk.Ticket", on_delete=models.PROTECT, related_name="major", verbose_name="incident"
    )
    impact = models.TextField("what it means for people", blank=True, default="")
    state = models.CharField(
        max_length=16, choices=list(rules.STATES.items()), default=rules.INVESTIGATING, editable=False
    )
    commander, communications, scribe = _role("commander"), _role("communications"), _role("scribe")
    bridge = models.CharField("where people meet", max_length=300, blank=True, default="")
    stakeholders = models.JSONField("told by mail", default=list, blank=True)
    every = models.PositiveSmallIntegerField("minutes between updates", default=30)
    components = models.ManyToManyField(StatusComponent, blank=True, related_name="majors")
    component_state = models.CharField(
        "how they are", max_length=16, choices=_COMPONENT, default=rules.PARTIAL
    )
    declared_at = models.DateTimeField("declared", default=timezone.now, editable=False)
    next_update_at = models.DateTimeField("next update due", null=True, default=None, editable=False)
    resolved_at = models.DateTimeField("resolved", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "major incident"

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def lasted(self) -> dt.timedelta:
        """From its declaration until it was resolved, or now."""
        return (self.resolved_at or timezone.now()) - self.declared_at


class StatusUpdate(models.Model):
    """What was told of a major incident."""

    major = models.ForeignKey(
        MajorIncident, on_delete=models.CASCADE, related_name="updates", verbose_name="major incident"
    )
    state = models.CharField(max_length=16, choices=list(rules.STATES.items()))
    text = models.TextField()
    public = models.BooleanField("also on status pages", default=True)
    author = models.CharField("by", max_length=150, blank=True, default="", editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = "status update"

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.text[:80]}"
