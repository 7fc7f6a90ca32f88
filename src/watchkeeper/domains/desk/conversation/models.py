"""What was said on tickets."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.kernel.fields import StructField


class TicketMessage(models.Model):
    """A reply or an internal note on a ticket, in Markdown. `sender` is who has no account: "Name <address>", or the name of
    a program. Files hang on it; `left_out` says which did not get in."""

    class Sort(models.TextChoices):
        """Who is to read it."""

        REPLY = "reply", "reply"
        NOTE = "note", "internal note"

    class Source(models.TextChoices):
        """The way it came."""

        CONSOLE = "console", "console"
        PORTAL = "portal", "portal"
        MAIL = "mail", "e-mail"
        API = "api", "API"

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="messages")
    sort = models.CharField("for", max_length=5, choices=Sort, default=Sort.REPLY)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="ticket_messages",
        editable=False,
    )  # fmt: skip
    sender = models.CharField(max_length=400, blank=True, default="", editable=False)
    body = models.TextField("text")
    quoted = models.TextField("quoted history", blank=True, default="", editable=False)
    source = models.CharField("came by", max_length=7, choices=Source, default=Source.API, editable=False)
    created_at = models.DateTimeField("written", default=timezone.now, editable=False)
    message_id = models.CharField("Message-ID", max_length=255, blank=True, default="", editable=False)
    left_out = StructField(list[str], blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        verbose_name = "ticket message"
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at", "id"], name="message_of_ticket"),
            models.Index(
                fields=["message_id"], name="message_by_id", condition=models.Q(("message_id__gt", ""))
            ),
        ]

    def __str__(self) -> str:
        first = self.body.strip().partition("\n")[0]
        return first if len(first) <= 60 else f"{first[:59]}…"

    @property
    def by(self) -> str:
        """Who has written it, for people."""
        return str(self.author) if self.author_id else self.sender

    @property
    def outside(self) -> bool:
        """Whether it is by somebody who has no account: they are known by an address, or wrote a mail that has none."""
        mailed = self.source == self.Source.MAIL and self.sort == self.Sort.REPLY
        return self.author_id is None and ("@" in self.sender or (mailed and self.sender != ""))
