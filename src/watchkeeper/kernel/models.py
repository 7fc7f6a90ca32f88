"""Tables that belong to no domain: the audit trail, and the outbox with its deliveries."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

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
