"""Which version of a part of analysis decides."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.model.versions import PARTS


class MethodVersion(models.Model):
    """For one part: the version that decides, and the one in its shade. Of several for a part the newest counts."""

    name = models.CharField(max_length=100, unique=True)
    part = models.CharField(max_length=32, choices=[(p, PARTS[p].words) for p in PARTS])
    decides = models.CharField(max_length=32)
    shade = models.CharField("in the shade", max_length=32, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "method version"

    def __str__(self) -> str:
        return self.name

    @property
    def counts(self) -> bool:
        """Whether none for the same part is newer."""
        return not MethodVersion.objects.filter(part=self.part, pk__gt=self.pk).exists()
