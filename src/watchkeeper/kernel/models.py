"""Tables that belong to no domain: the audit trail, the outbox with its deliveries, and long work."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One act of a person, a token or the command line. Written once, never changed; `domains.audit` adds its
    place in the hash chain."""

    at = models.DateTimeField(db_index=True)
    actor_kind = models.CharField(max_length=16)
    actor = models.CharField(max_length=200)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    act = models.CharField(max_length=64)  # "situation.acknowledge", "sign-in"
    kind = models.CharField(max_length=64)  # the kind of record
    record = models.CharField(max_length=128, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")
    before = models.JSONField(null=True, default=None)
    after = models.JSONField(null=True, default=None)
    sealed_no = models.PositiveBigIntegerField(
        null=True, default=None, unique=True
    )  # without gaps; ids have some
    seal = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["kind", "record"], name="audit_record"),
            models.Index(fields=["id"], condition=models.Q(sealed_no=None), name="audit_not_sealed"),
        ]

    def __str__(self) -> str:
        return f"{self.act} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an entry that exists stays as it is."""
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Never."""
        raise TypeError("an audit entry is never deleted")


class OutboxState(models.TextChoices):
    """Where an effect stands."""

    DUE = "due"
    DONE = "done"
    FAILED = "failed"  # given up


class OutboxRow(models.Model):
    """An effect that shall happen once. `id` is derived from what causes it, so a replay adds nothing."""

    id = models.CharField(primary_key=True, max_length=200)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=200, blank=True, default="")  # what it is about, for people
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=OutboxState, default=OutboxState.DUE)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=64, blank=True, default="")
    finished_at = models.DateTimeField(null=True, default=None)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="outbox_due"),
            models.Index(fields=["created_at", "id"], name="outbox_created"),
            models.Index(fields=["subject"], name="outbox_subject"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Delivery(models.Model):
    """One attempt at an outbox row: when, what came back."""

    row = models.ForeignKey(OutboxRow, on_delete=models.CASCADE, related_name="deliveries")
    at = models.DateTimeField()
    attempt = models.PositiveIntegerField()
    done = models.BooleanField()
    milliseconds = models.PositiveIntegerField(default=0)
    answer = models.TextField(blank=True, default="")  # status and the beginning of the answer, or the error

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.row.pk} attempt {self.attempt}"


class JobState(models.TextChoices):
    """Where long work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """Long work that was asked for once; see kernel.jobs. `committed` holds the results of the steps whose effects
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
