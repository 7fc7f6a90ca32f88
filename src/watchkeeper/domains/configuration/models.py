"""Which records are managed by code."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.kernel.hanging import Hanging


class Managed(Hanging):
    """A record that is declared in a set of files. `fingerprints` are keyed hashes of the secrets that were set: they
    tell whether a secret is the same without keeping it."""

    set_name = models.CharField("set", max_length=100, db_index=True)
    applied_at = models.DateTimeField()  # when applying last changed something in it
    applied_by = models.CharField(max_length=200)
    fingerprints = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "kind"], name="managed_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record} in {self.set_name}"
