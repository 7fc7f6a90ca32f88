"""Corrections of log templates."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

_ID = RegexValidator(r"^[1-9]\d{0,19}$", "a template's number, as template: of the log search takes it")


class Kind(models.TextChoices):
    """What is said."""

    MERGE = "merge", "two templates are one"
    SPLIT = "split", "one template is several"


class TemplateCorrection(models.Model):
    """What somebody has said of a template. Removing it takes it back."""

    kind = models.CharField("what is said", max_length=5, choices=Kind)
    template = models.CharField(max_length=20, validators=[_ID])
    other = models.CharField("the other template", max_length=20, blank=True, default="", validators=[_ID])
    place = models.PositiveSmallIntegerField("told apart by value", null=True, blank=True, default=None)
    wording = models.CharField(max_length=500, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField("since", auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = "template correction"

    def __str__(self) -> str:
        what = "one with another" if self.kind == Kind.MERGE else f"several by value {self.place}"
        return f"{self.wording or f'template {self.template}'}: {what}"
