"""Saved views, what somebody chose for a list, and export templates."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class Sharing(models.TextChoices):
    """With whom a view is shared."""

    PRIVATE = "private", "nobody"
    TEAM = "team", "a team"
    EVERYONE = "everyone"


class SavedView(models.Model):
    """A list under a name: which records, in which order, with which columns."""

    kind = models.CharField(
        max_length=64, help_text="the list it is of, as its address names it, such as devices"
    )
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="views"
    )
    sharing = models.CharField("shared with", max_length=8, choices=Sharing, default=Sharing.PRIVATE)
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="views"
    )
    filters = models.JSONField(default=dict, blank=True)
    search = models.CharField("words", max_length=200, blank=True, default="")
    ordering = models.CharField(max_length=200, blank=True, default="")
    columns = models.JSONField(default=list, blank=True)

    class Meta:
        ordering: ClassVar = ["kind", "name", "id"]
        verbose_name = "saved view"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "owner", "name"], name="view_of_one_owner"),
            models.UniqueConstraint(fields=["kind", "name"], condition=Q(owner=None), name="view_of_nobody"),
        ]

    def __str__(self) -> str:
        return self.name


class ListSetting(models.Model):
    """What somebody chose for the list of a kind: its columns, and the view that it begins with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lists")
    kind = models.CharField(max_length=64)
    columns = models.JSONField(default=list, blank=True)  # empty: as declared
    view = models.ForeignKey(SavedView, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = "list setting"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_setting_of_a_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user}"


class ExportTemplate(models.Model):
    """How a list is written as text, in Jinja."""

    kind = models.CharField(
        max_length=64, help_text="the list it is for, as its address names it, such as devices"
    )
    name = models.CharField(max_length=100)
    file_name = models.CharField(max_length=100, help_text="of what is written, such as hosts.cfg")
    media_type = models.CharField(max_length=100, default="text/plain")
    text = models.TextField("template")

    class Meta:
        ordering: ClassVar = ["kind", "name"]
        verbose_name = "export template"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "name"], name="template_of_a_kind"),
        ]

    def __str__(self) -> str:
        return self.name
