"""Macros: several changes, a reply and a note under one name."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.domains.desk import rules


class Macro(models.Model):
    """Several changes, a reply and a note in one act, for one ticket or many."""

    class Gives(models.TextChoices):
        """Whose the ticket is after it."""

        AS_IT_IS = "", "as it is"
        ME = "me", "whoever applies it"
        PERSON = "person", "this person"
        NOBODY = "nobody", "nobody"
        RULE = "rule", "as its queue gives tickets"

    class Moves(models.TextChoices):
        """What is done about its state."""

        AS_IT_IS = "", "as it is"
        START = "start", "start work"
        ASK = "ask", "wait for the requester"
        HAND_OVER = "hand-over", "wait for a partner"
        GO_ON = "go-on", "go on"
        RESOLVE = "resolve", "resolve"
        CLOSE = "close", "close"
        CANCEL = "cancel", "cancel"
        REOPEN = "reopen", "open again"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    description = models.CharField(max_length=255, blank=True, default="")
    queue = models.ForeignKey(
        "desk.Queue", null=True, blank=True, on_delete=models.PROTECT, related_name="macros",
        verbose_name="move to queue",
    )  # fmt: skip
    gives = models.CharField("give it to", max_length=8, choices=Gives, blank=True, default="")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    impact = models.PositiveSmallIntegerField(choices=rules.LEVELS, null=True, blank=True, default=None)
    urgency = models.PositiveSmallIntegerField(choices=rules.LEVELS, null=True, blank=True, default=None)
    labels = models.CharField("add tags", max_length=300, blank=True, default="")
    moves = models.CharField("its state", max_length=12, choices=Moves, blank=True, default="")
    resolution = models.TextField(blank=True, default="")
    reply = models.TextField("reply to the requester", blank=True, default="")
    note = models.TextField("note for colleagues", blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
