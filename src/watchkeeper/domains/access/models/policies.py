"""Policies: their rules, what these were, drafts of what they may become, and tests that they have to pass."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.domains.access.models.organising import Role


class Policy(models.Model):
    """Rules in Cedar. `version` counts the changes, each of which is a PolicyVersion. `released` is what Watchkeeper
    itself last brought for this policy, empty for one's own."""

    name = models.CharField(max_length=150, unique=True)
    text = models.TextField()
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    released = models.TextField(blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """What a policy was from one moment to the next change. Written once; it outlives its policy."""

    policy = models.ForeignKey(Policy, null=True, on_delete=models.SET_NULL, related_name="versions")
    name = models.CharField(max_length=150)
    number = models.PositiveIntegerField()
    text = models.TextField()
    enabled = models.BooleanField()
    by = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "policy version"

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class PolicyDraft(models.Model):
    """What a policy may become: looked at, tried out, and then put into effect or thrown away."""

    policy = models.ForeignKey(
        Policy,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="drafts",
        help_text="empty: a new one",
    )
    name = models.CharField(max_length=150)
    text = models.TextField()
    enabled = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True, default="", help_text="what it changes, and why")
    made_by = models.CharField(max_length=200, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "policy draft"

    def __str__(self) -> str:
        return f"draft of {self.name}"


class PolicyTest(models.Model):
    """What must hold after every change of a policy: somebody may, or may not, do something."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="tests")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="policy_tests"
    )
    role = models.ForeignKey(
        Role, null=True, blank=True, on_delete=models.CASCADE, related_name="policy_tests",
        help_text="instead of a user: anybody with this role and no other",
    )  # fmt: skip
    may = models.BooleanField("may do it", default=True)
    action = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    attributes = models.JSONField(
        "record", default=dict, blank=True,
        help_text="of the record that is asked about; empty: of any record of the kind",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["policy", "id"]
        verbose_name = "policy test"

    def __str__(self) -> str:
        who = self.user or f"the role {self.role}"
        where = ", ".join(f"{k} {v}" for k, v in self.attributes.items())
        return (
            f"{who} may {'' if self.may else 'not '}{self.action} {self.kind}{f' ({where})' if where else ''}"
        )
