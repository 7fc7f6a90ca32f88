"""Heartbeats that go outwards."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models

from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.secrets import Unreadable, unseal


class Heartbeat(models.Model):
    """An address that is called while all is well, and what came of it."""

    class Method(models.TextChoices):
        """How it is called."""

        GET = "get", "GET"
        POST = "post", "POST"

    class State(models.TextChoices):
        """How it stands."""

        WAITING = "waiting", "not sent yet"
        BEATING = "beating", "beating"
        HELD = "held", "held back"
        UNANSWERED = "unanswered", "not answered"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    url = SealedField("address")  # whoever knows it can beat in our name
    method = models.CharField("called by", max_length=4, choices=Method, default=Method.GET)
    interval = models.PositiveIntegerField("every (seconds)", default=30)
    fail_url = SealedField("address for trouble", blank=True, default="")
    patience = models.PositiveIntegerField("may lag (seconds)", default=30)
    least_free = models.PositiveIntegerField("free disk (MiB)", default=512)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.TextField("why", blank=True, default="")
    tried_at = models.DateTimeField("last tried", null=True, blank=True, default=None)
    succeeded_at = models.DateTimeField("last answered", null=True, blank=True, default=None)
    failed_at = models.DateTimeField("last trouble", null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def calls(self) -> str:
        """Whom it calls, without the secret part of the address. In lists `sealed` is that address, as it is kept."""
        sealed = getattr(self, "sealed", "") if "url" in self.get_deferred_fields() else ""
        try:
            url = urlsplit(unseal(sealed, settings.SECRET_KEY) if sealed else self.url)
        except Unreadable as error:
            return error.detail
        return f"{url.scheme}://{url.netloc}/…"
