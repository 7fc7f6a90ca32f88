"""What the console keeps between two pages: a file that was previewed and not yet imported, a host that is being added."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.kernel.fields import SealedField


class HeldImport(models.Model):
    """A file as it was uploaded, sealed because it may carry passwords; for the session that uploaded it."""

    id = models.CharField(primary_key=True, max_length=32)  # random
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    session = models.CharField(max_length=40, db_index=True)
    path = models.CharField(max_length=64)  # of the kind
    written = models.CharField(max_length=8)
    match = models.CharField(max_length=64, blank=True, default="")
    name = models.CharField(max_length=255, blank=True, default="")
    content = SealedField()
    summary = SealedField(default="")  # of the plan that was shown, or of what was done: an importing.Summary
    digest = models.CharField(max_length=64, default="")  # of the content and of the plan that was shown
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.name or self.path} of {self.created_at:%Y-%m-%d %H:%M}"


class AddedHost(models.Model):
    """A machine that somebody has been given files for: how it is to send, with which key, and, when it is we who ask,
    by which scrape job."""

    name = models.CharField(max_length=253, blank=True, default="")
    address = models.CharField(max_length=253, blank=True, default="")
    port = models.CharField("port of its node exporter", max_length=5, default="9100")
    ways = models.JSONField(default=list)
    key = models.ForeignKey("identity.IntakeKey", null=True, on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey("polling.ScrapeJob", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name or self.address or "a new host"
