"""Changes, the models of standard ones, freezes, and who approves what."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.changes import rules
from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.kernel.fields import StructField

_TEAM: dict[str, Any] = {"null": True, "blank": True, "default": None, "on_delete": models.PROTECT}
_RISKS = [(r.value, r.value) for r in rules.Risk]


class Plans(models.Model):
    """What is done, how it is seen to work, and how it is taken back: Markdown."""

    implementation = models.TextField("implementation plan", blank=True, default="")
    test = models.TextField("test plan", blank=True, default="")
    back_out = models.TextField("back-out plan", blank=True, default="")
    job = models.CharField("job that does it", max_length=100, blank=True, default="")

    class Meta:
        abstract = True


class ChangeModel(Plans):
    """A change that is done often and in one way: approved in advance."""

    name = models.CharField(max_length=150, unique=True)
    enabled = models.BooleanField("in use", default=True)
    description = models.TextField(blank=True, default="")
    team = models.ForeignKey("access.Team", related_name="change_models", **_TEAM)
    minutes = models.PositiveIntegerField("minutes that it takes", default=60)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "change model"

    def __str__(self) -> str:
        return self.name


class Change(Numbered, Plans):
    """Something that is added, altered or removed, from the plan to what came of it."""

    class Type(models.TextChoices):
        """In ITIL's terms."""

        STANDARD = "standard", "standard (approved in advance)"
        NORMAL = "normal", "normal"
        EMERGENCY = "emergency", "emergency"

    class Outcome(models.TextChoices):
        """What the review says."""

        SUCCESS = "success", "it did what it should"
        PARTLY = "partly", "in part"
        FAILURE = "failure", "it did not"

    letters = "CHG"
    type = models.CharField(max_length=9, choices=Type, default=Type.NORMAL)
    model = models.ForeignKey(
        ChangeModel, null=True, blank=True, default=None, on_delete=models.PROTECT, related_name="changes"
    )
    title = models.CharField(max_length=300)
    reason = models.TextField(blank=True, default="")
    status = models.CharField(max_length=12, choices=list(rules.STATES.items()), default=rules.DRAFT)
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="changes")
    starts_at = models.DateTimeField("window begins", null=True, blank=True, default=None)
    ends_at = models.DateTimeField("window ends", null=True, blank=True, default=None)
    team = models.ForeignKey("access.Team", related_name="changes", **_TEAM)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="owned_changes",
    )
    automatic = models.BooleanField("starts by itself", default=False)
    holds_back = models.BooleanField("holds back alerts of its items", default=True)
    exception = models.TextField("why also in a freeze", blank=True, default="")
    about_kind = models.CharField("comes from a", max_length=64, blank=True, default="")
    about = models.CharField("which", max_length=128, blank=True, default="")
    risk = models.CharField(max_length=6, choices=_RISKS, blank=True, default="", editable=False)
    points = models.PositiveSmallIntegerField("risk in points", null=True, default=None, editable=False)
    because = StructField(tuple[rules.Weighed, ...], editable=False)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True, default="", editable=False)
    review = models.TextField(blank=True, default="", editable=False)
    opened_at = models.DateTimeField("opened", default=timezone.now, editable=False)
    started_at = models.DateTimeField("started", null=True, default=None, editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)
    window = models.ForeignKey(
        "maintenance.MaintenanceWindow", null=True, default=None, on_delete=models.SET_NULL, editable=False,
        related_name="changes",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["status", "starts_at"], name="change_status"),
            models.Index(fields=["about_kind", "about"], name="change_about"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def standard(self) -> bool:
        """Whether it was approved in advance, as its model describes it."""
        return self.type == self.Type.STANDARD and self.model_id is not None


class Freeze(models.Model):
    """When nothing may be changed, or little should be."""

    name = models.CharField(max_length=150, unique=True)
    strict = models.BooleanField("nothing may be changed", default=True)
    begins_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, default=None, on_delete=models.PROTECT, related_name="+",
        verbose_name="only in the hours of",
    )  # fmt: skip
    item_kinds = models.CharField("only items of the kinds", max_length=300, blank=True, default="")
    item_tags = models.CharField("only items with a tag of", max_length=300, blank=True, default="")
    teams = models.ManyToManyField("access.Team", blank=True, related_name="freezes")
    reason = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-begins_at", "-id"]

    def __str__(self) -> str:
        return self.name


class ApprovalRule(models.Model):
    """Who has to approve changes of a risk; rules of one risk are steps, in their order."""

    name = models.CharField(max_length=100, unique=True)
    risk = models.CharField(max_length=6, choices=_RISKS)
    position = models.PositiveSmallIntegerField("step", default=1)
    peers = models.BooleanField("the change's team", default=False)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    teams = models.ManyToManyField("access.Team", blank=True, related_name="+")
    quorum = models.PositiveSmallIntegerField("how many of them", default=1)
    hours = models.PositiveSmallIntegerField("within hours", null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["risk", "position", "id"]
        verbose_name = "change approval rule"

    def __str__(self) -> str:
        return self.name
