"""Numbers as people say them: the letters of the kind and the key of the record."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any

from django.db import models


class Numbered(models.Model):
    """Base of what has a number: INC-7."""

    letters: str  # of its number: a kind says its own
    number = models.CharField(max_length=20, unique=True, null=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new one is numbered."""
        super().save(*args, **kwargs)
        if not self.number:
            self.number = f"{self.letters}-{self.pk}"
            super().save(update_fields=["number"])
