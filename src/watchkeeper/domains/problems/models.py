"""Problems with their causes, evidence and actions."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.domains.knowledge.models import Version
from watchkeeper.domains.problems import rules
from watchkeeper.kernel.fields import StructField
from watchkeeper.kernel.hanging import Hanging

__all__ = [
    "Cause",
    "Evidence",
    "Problem",
    "ProblemAction",
    "Recurring",
    "Report",
    "ReportVersion",
    "TimelineLine",
]


class Problem(Numbered):
    """What is behind incidents, until it is gone."""

    letters = "PRB"
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True, default="")
    status = models.CharField(
        max_length=16, choices=list(rules.STATES.items()), default=rules.NEW, editable=False
    )
    priority = models.PositiveSmallIntegerField(choices=rules.PRIORITIES, default=3)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="problems"
    )
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="problems"
    )
    incidents = models.ManyToManyField("desk.Ticket", blank=True, related_name="problems")
    situations = models.ManyToManyField(
        "situations.Situation", blank=True, related_name="problems", db_constraint=False
    )
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="problems", db_constraint=False)
    known_error = models.TextField(blank=True, default="")
    workaround = models.TextField(blank=True, default="")
    resolution = models.TextField(blank=True, default="")
    left_open = models.TextField("why actions stay open", blank=True, default="", editable=False)
    made_in = models.CharField(max_length=300, unique=True, null=True, default=None, editable=False)
    opened_at = models.DateTimeField("opened", default=timezone.now, editable=False)
    known_at = models.DateTimeField("known error since", null=True, default=None, editable=False)
    resolved_at = models.DateTimeField("resolved", null=True, default=None, editable=False)
    closed_at = models.DateTimeField("closed", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["priority", "-id"]
        indexes: ClassVar = [models.Index(fields=["status", "priority"], name="problem_status")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class Cause(models.Model):
    """Something that may be behind a problem, or behind another cause of it: the next why."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="causes")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="whys", verbose_name="is why"
    )
    what = models.CharField("because", max_length=500)
    verdict = models.CharField(
        max_length=12, choices=list(rules.VERDICTS.items()), default=rules.SUSPECTED, editable=False
    )
    why = models.TextField("what shows it", blank=True, default="", editable=False)
    item = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )  # fmt: skip
    by = models.CharField("said by", max_length=200, editable=False)
    at = models.DateTimeField("said", default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["problem", "id"]
        verbose_name = "problem cause"

    def __str__(self) -> str:
        return self.what


class Evidence(models.Model):
    """What speaks for a cause or against it: an alert, what analysis found in a situation, a metric, or text."""

    cause = models.ForeignKey(Cause, on_delete=models.CASCADE, related_name="evidence")
    against = models.BooleanField("speaks against it", default=False)
    text = models.TextField("what it shows", blank=True, default="")
    alert = models.ForeignKey(
        "situations.Alert", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )  # fmt: skip
    situation = models.ForeignKey(
        "situations.Situation", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False,
        related_name="+",
    )  # fmt: skip
    query = models.CharField("metric, as PromQL", max_length=1000, blank=True, default="")
    seen_at = models.DateTimeField("when", null=True, blank=True, default=None)
    by = models.CharField("added by", max_length=200, editable=False)
    at = models.DateTimeField("added", default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["cause", "id"]
        verbose_name = "problem evidence"

    def __str__(self) -> str:
        return (self.text or self.query or str(self.alert or self.situation or "")).partition("\n")[0][:100]


class ProblemAction(models.Model):
    """Something that has to be done so that a problem goes, or does not come back."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="actions")
    what = models.CharField(max_length=500)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="problem_actions"
    )  # fmt: skip
    due_on = models.DateField("due", null=True, blank=True, default=None)
    done_at = models.DateTimeField("done", null=True, default=None, editable=False)
    outcome = models.TextField("what came of it", blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["due_on", "id"]
        verbose_name = "problem action"
        indexes: ClassVar = [models.Index(fields=["done_at", "due_on"], name="problem_action_due")]

    def __str__(self) -> str:
        return self.what

    @property
    def state(self) -> str:
        """Done, open, or overdue."""
        if self.done_at is not None:
            return "done"
        return "overdue" if self.due_on is not None and self.due_on < timezone.now().date() else "open"


class Recurring(models.Model):
    """Situations that were found to be alike: perhaps one problem is behind them."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "open"
        TAKEN = "taken", "a problem"
        DISMISSED = "dismissed", "dismissed"

    title = models.CharField(max_length=500)
    situations = models.ManyToManyField(
        "situations.Situation", related_name="recurrences", db_constraint=False
    )
    count = models.PositiveIntegerField("situations in 30 days", default=0)
    likeness = models.FloatField(default=0.0)
    because = StructField(tuple[str, ...])
    status = models.CharField("state", max_length=10, choices=State, default=State.OPEN)
    problem = models.ForeignKey(
        Problem, null=True, blank=True, on_delete=models.SET_NULL, related_name="recurrences"
    )
    found_at = models.DateTimeField("found", default=timezone.now)
    last_at = models.DateTimeField("last one", null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-count", "-id"]
        verbose_name = "recurring situation"

    def __str__(self) -> str:
        return f"{self.count} times: {self.title}"


class TimelineLine(Hanging):
    """A line that somebody has added to what happened."""

    at = models.DateTimeField("when")
    text = models.TextField("what happened", max_length=2000)
    by = models.CharField("added by", max_length=200, editable=False)

    class Meta:
        ordering: ClassVar = ["at", "id"]
        verbose_name = "timeline line"
        indexes: ClassVar = [models.Index(fields=["record", "kind", "at"], name="timeline_on_record")]

    def __str__(self) -> str:
        return self.text.strip().partition("\n")[0][:100]


class Report(Hanging):
    """What is told after an incident, in Markdown: what happened, why, and what is done about it."""

    title = models.CharField(max_length=300)
    body = models.TextField("text", blank=True, default="")
    version = models.PositiveIntegerField(default=0, editable=False)
    made_by = models.CharField("written by", max_length=200, editable=False)
    made_at = models.DateTimeField("written", default=timezone.now, editable=False)
    changed_at = models.DateTimeField("changed", default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        verbose_name = "post-incident report"
        indexes: ClassVar = [models.Index(fields=["record", "kind"], name="report_on_record")]

    def __str__(self) -> str:
        return self.title


class ReportVersion(Version):
    """What a report said at one time."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="versions")

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = "report version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="report_version_once")
        ]
