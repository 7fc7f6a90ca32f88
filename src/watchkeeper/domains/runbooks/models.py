"""Runbooks with their steps, and runs of them with what was done at each step."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from watchkeeper.domains.runbooks import rules
from watchkeeper.kernel.hanging import Hanging


class Runbook(models.Model):
    """What to do when something is wrong, step by step."""

    name = models.CharField(max_length=200, unique=True)
    description = models.TextField("when it helps", blank=True, default="")
    status = models.CharField(
        max_length=10, choices=list(rules.STATES.items()), default=rules.DRAFT, editable=False
    )
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="runbooks"
    )
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="runbooks", db_constraint=False)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Step(models.Model):
    """A step of a runbook: an instruction, a question whose answers lead on, an action, or the end."""

    runbook = models.ForeignKey(Runbook, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    sort = models.CharField(
        "what it is", max_length=12, choices=list(rules.SORTS.items()), default=rules.TELLING
    )
    text = models.TextField()
    then = models.PositiveSmallIntegerField("next step", null=True, blank=True, default=None)
    answers = models.JSONField(default=list, blank=True)  # [{answer, step}]
    does = models.CharField(
        "what is carried out", max_length=120, blank=True, default=""
    )  # "job.name", "tickets.start"
    values = models.JSONField("with", default=dict, blank=True)
    approval = models.BooleanField("somebody else has to approve", default=False)

    class Meta:
        ordering: ClassVar = ["runbook", "number"]
        verbose_name = "runbook step"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["runbook", "number"], name="runbook_step_once")
        ]

    def __str__(self) -> str:
        first = self.text.strip().partition("\n")[0]
        return f"{self.number}. {first if len(first) <= 80 else f'{first[:79]}…'}"

    @property
    def rule(self) -> rules.Step:
        """As the rules see it."""
        return rules.Step(
            self.number, self.sort, {a["answer"]: a["step"] for a in self.answers}, self.then, self.does
        )

    def kept(self) -> dict[str, Any]:
        """As a run keeps it."""
        names = ("number", "sort", "text", "then", "answers", "does", "values", "approval")
        return {name: getattr(self, name) for name in names}


class Run(Hanging):
    """A runbook that is gone through for a ticket or a situation, with the steps as they were when it began."""

    runbook = models.ForeignKey(
        Runbook, null=True, on_delete=models.SET_NULL, related_name="runs", editable=False
    )
    name = models.CharField("runbook", max_length=200, editable=False)
    status = models.CharField(
        max_length=10, choices=list(rules.RUN_STATES.items()), default=rules.UNDER_WAY, editable=False
    )
    step = models.PositiveSmallIntegerField("at step", editable=False)
    steps = models.JSONField(default=list, editable=False)
    approved_by = models.CharField(max_length=200, blank=True, default="", editable=False)
    started_by = models.CharField(max_length=200, editable=False)
    started_by_id = models.CharField(
        max_length=64, blank=True, default="", editable=False
    )  # the person behind it
    started_at = models.DateTimeField("began", default=timezone.now, editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-started_at", "-id"]
        verbose_name = "runbook run"
        indexes: ClassVar = [models.Index(fields=["record", "kind"], name="run_on_record")]

    def __str__(self) -> str:
        return self.name

    @property
    def now(self) -> dict[str, Any]:
        """The step that it is at."""
        return next((s for s in self.steps if s["number"] == self.step), {})

    @property
    def said(self) -> str:
        """The text of the step that it is at."""
        return str(self.now.get("text", ""))


class RunStep(models.Model):
    """What was done at a step of a run: by whom, the answer, what came of an action."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="done")
    number = models.PositiveSmallIntegerField("step")
    text = models.TextField("what it says")
    answer = models.CharField(max_length=200, blank=True, default="")
    note = models.TextField(blank=True, default="")
    result = models.TextField("what came of it", blank=True, default="")
    failed = models.BooleanField(default=False)
    by = models.CharField(max_length=200)
    at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        ordering: ClassVar = ["run", "id"]
        verbose_name = "runbook run step"

    def __str__(self) -> str:
        first = self.text.strip().partition("\n")[0][:80]
        return f"{self.number}. {first}{f': {self.answer}' if self.answer else ''}"
