"""What was asked of whom, what they answered, and who answers for whom."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.kernel.hanging import Hanging

_PERSON = settings.AUTH_USER_MODEL


class ApprovalRequest(Hanging):
    """A record waits for people to approve it, as it is."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", "waiting for answers"
        APPROVED = "approved", "approved"
        DECLINED = "declined", "declined"
        WITHDRAWN = "withdrawn", "withdrawn"
        OUTDATED = "outdated", "changed since"

    subject = models.CharField(max_length=300)
    text = models.TextField("what is asked", blank=True, default="")  # Markdown
    fingerprint = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    requester = models.ForeignKey(
        _PERSON, null=True, on_delete=models.SET_NULL, related_name="asked_approvals"
    )
    requested_by = models.CharField("asked by", max_length=200)
    altered_by = models.ManyToManyField(
        _PERSON, related_name="+"
    )  # since it was asked for or approved before
    own = models.BooleanField("who asks may approve", default=False)
    asked_at = models.DateTimeField("asked", default=timezone.now)
    decided_at = models.DateTimeField("decided", null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "approval request"
        indexes: ClassVar = [models.Index(fields=["kind", "record"], name="approval_of_record")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "record"], condition=models.Q(state="waiting"), name="approval_waits_once"
            )
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def barred(self) -> set[int]:
        """The keys of those who may not answer: who asked for it and who has altered it."""
        if self.own:
            return set()
        return {
            k for k in (self.requester_id, *self.altered_by.values_list("pk", flat=True)) if k is not None
        }


class Step(models.Model):
    """A part of a request: so many of these have to approve before the next are asked."""

    class State(models.TextChoices):
        """Where it stands."""

        COMING = "coming", "not asked yet"
        OPEN = "open", "asked"
        APPROVED = "approved", "approved"
        DECLINED = "declined", "declined"
        NOT_NEEDED = "not_needed", "not needed"

    request = models.ForeignKey(ApprovalRequest, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    people = models.ManyToManyField(_PERSON, blank=True, related_name="+")
    teams = models.ManyToManyField("access.Team", blank=True, related_name="+")
    quorum = models.PositiveSmallIntegerField(default=1)  # 0: all
    hours = models.PositiveSmallIntegerField(null=True, default=None)
    then_people = models.ManyToManyField(_PERSON, blank=True, related_name="+")
    then_teams = models.ManyToManyField("access.Team", blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.COMING)
    due_at = models.DateTimeField("due", null=True, default=None)

    class Meta:
        ordering: ClassVar = ["request", "position"]

    def __str__(self) -> str:
        return self.name


class Answer(models.TextChoices):
    """What somebody said."""

    OPEN = "open", "not answered yet"
    APPROVED = "approved", "approved"
    DECLINED = "declined", "declined"
    NOT_NEEDED = "not_needed", "not needed any more"


class Vote(models.Model):
    """Somebody is asked; a delegate may answer for them."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="votes")
    approver = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="approval_votes")
    delegate = models.ForeignKey(
        _PERSON, null=True, default=None, on_delete=models.SET_NULL, related_name="delegated_votes"
    )
    answer = models.CharField(max_length=10, choices=Answer, default=Answer.OPEN)
    note = models.TextField(blank=True, default="")
    answered_by = models.CharField(max_length=150, blank=True, default="")
    asked_at = models.DateTimeField("asked", default=timezone.now)
    decided_at = models.DateTimeField("answered", null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["step", "approver"], name="vote_once")]
        indexes: ClassVar = [models.Index(fields=["approver", "answer"], name="vote_of_approver")]

    def __str__(self) -> str:
        return self.step.request.subject

    @property
    def due_at(self) -> dt.datetime | None:
        """When the answer is due; None: whenever."""
        return self.step.due_at


class Delegation(models.Model):
    """Somebody answers for another for a while."""

    person = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey(_PERSON, on_delete=models.CASCADE, related_name="delegated")
    begins_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-begins_at", "-id"]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.person}"
