"""The steps of a ticket's checklist."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ChecklistItem(models.Model):
    """A step that has to be done for a ticket."""

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="steps")
    text = models.CharField("step", max_length=300)
    position = models.PositiveSmallIntegerField(default=100)
    done_at = models.DateTimeField("done", null=True, default=None, editable=False)
    done_by = models.CharField("by", max_length=150, blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        verbose_name = "checklist item"

    def __str__(self) -> str:
        return self.text
