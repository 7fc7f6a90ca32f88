"""The table of long work."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class JobState(models.TextChoices):
    """Where long work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """Long work that was asked for once; see port. `committed` holds the results of the steps whose effects
    are in these records: they are in the same transaction, and so such a step is never done twice."""

    id = models.CharField(primary_key=True, max_length=200)
    kind = models.CharField(max_length=64)
    label = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True, default=None)
    unit = models.CharField(max_length=32, blank=True, default="")
    message = models.CharField(max_length=300, blank=True, default="")
    log = models.JSONField(default=list)  # the last lines, each [when, what]
    result = models.JSONField(null=True, default=None)
    error = models.TextField(blank=True, default="")
    attempt = models.PositiveIntegerField(default=1)
    committed = models.JSONField(default=dict)
    cancel_asked = models.BooleanField(default=False)
    runner = models.CharField(max_length=64, blank=True, default="")  # the data folder whose process has it
    seen_at = models.DateTimeField(null=True, default=None)  # when that process last said that it is there
    actor_kind = models.CharField(max_length=16)
    actor = models.CharField("started by", max_length=200)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    scope = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=64, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, default=None, on_delete=models.CASCADE, related_name="+"
    )  # whose rights bound it; gone with them, so that it never runs with more
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, default=None)
    finished_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=("waiting", "running")), name="job_due"
            ),
            models.Index(fields=["created_at", "id"], name="job_created"),
        ]

    def __str__(self) -> str:
        return str(self.label)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state not in (JobState.WAITING, JobState.RUNNING)

    @property
    def percent(self) -> int | None:
        """How far it is, 0 to 100; None where nobody knows how much there is."""
        if self.state == JobState.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else None
