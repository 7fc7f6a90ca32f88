"""Dashboards as records."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Dashboard(models.Model):
    """Panels on a grid, with variables and a time. `ready`: the file it comes from; "" for people's own."""

    name = models.CharField(max_length=150, unique=True)
    folder = models.CharField(max_length=100, blank=True, default="")
    description = models.CharField(max_length=500, blank=True, default="")
    definition = models.JSONField(default=dict, blank=True)  # definition.Definition
    ready = models.CharField(max_length=64, blank=True, default="", editable=False)
    changed_at = models.DateTimeField("changed", auto_now=True)

    class Meta:
        ordering: ClassVar = ["folder", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["ready"], condition=~models.Q(ready=""), name="ready_dashboard_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
