"""Mail accounts, the mails that came, who else is in a conversation by mail, and addresses that nothing reaches."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from watchkeeper.kernel.fields import SealedField

SEALED = ("password", "smtp_password")


class MailAccount(models.Model):
    """An address whose mails become tickets, and from which their answers go out."""

    class Way(models.TextChoices):
        """How its mails get here."""

        IMAP = "imap", "fetched by IMAP"
        DOOR = "door", "handed to the SMTP door"

    class Security(models.TextChoices):
        """Of a connection."""

        TLS = "tls", "TLS"
        STARTTLS = "starttls", "STARTTLS"
        NONE = "none", "none"

    class Then(models.TextChoices):
        """What becomes of a mail at the server once it is kept here."""

        SEEN = "seen", "marked as read"
        MOVED = "moved", "moved to a folder"
        DELETED = "deleted", "deleted"

    class State(models.TextChoices):
        """How fetching stands."""

        WAITING = "waiting", "not asked yet"
        WORKING = "working", "working"
        FAILING = "failing", "failing"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    address = models.EmailField("address", unique=True)
    sender_name = models.CharField("sender's name", max_length=100, blank=True, default="")
    queue = models.ForeignKey(
        "desk.Queue", null=True, blank=True, on_delete=models.PROTECT, related_name="mail_accounts"
    )
    type = models.CharField(
        "makes", max_length=8, choices=[("incident", "incidents"), ("request", "service requests")],
        default="incident",
    )  # fmt: skip
    way = models.CharField("mails are", max_length=4, choices=Way, default=Way.IMAP)
    host = models.CharField("IMAP server", max_length=200, blank=True, default="")
    port = models.PositiveIntegerField("IMAP port", default=993)
    security = models.CharField(max_length=8, choices=Security, default=Security.TLS)
    user = models.CharField(max_length=200, blank=True, default="")
    password = SealedField(blank=True, default="")
    folder = models.CharField(max_length=200, blank=True, default="INBOX")
    old_mails = models.BooleanField("also mails that are there already", default=False)
    then = models.CharField("afterwards", max_length=7, choices=Then, default=Then.SEEN)
    move_to = models.CharField("moved to", max_length=200, blank=True, default="")
    interval = models.PositiveIntegerField("asked every (seconds)", default=60)
    acknowledges = models.BooleanField("acknowledges new tickets", default=True)
    smtp_host = models.CharField("SMTP server", max_length=200, blank=True, default="")
    smtp_port = models.PositiveIntegerField("SMTP port", default=587)
    smtp_security = models.CharField(max_length=8, choices=Security, default=Security.STARTTLS)
    smtp_user = models.CharField("SMTP user", max_length=200, blank=True, default="")
    smtp_password = SealedField("SMTP password", blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, editable=False)
    reason = models.TextField("why", blank=True, default="", editable=False)
    asked_at = models.DateTimeField("last asked", null=True, default=None, editable=False)
    uid_validity = models.PositiveBigIntegerField(default=0, editable=False)
    last_uid = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "mail account"

    def __str__(self) -> str:
        return self.name

    @property
    def mailbox(self) -> dict[str, str]:
        """The fields that say which folder is fetched."""
        return {"host": self.host, "user": self.user, "folder": self.folder}


class IncomingMail(models.Model):
    """A mail that came, once, and what it became."""

    class Outcome(models.TextChoices):
        """What it became."""

        TICKET = "ticket", "new ticket"
        MESSAGE = "message", "message on a ticket"
        BOUNCE = "bounce", "report of a mail that did not arrive"
        IGNORED = "ignored", "nothing"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="mails")
    place = models.CharField("place at the server", max_length=80)
    identity = models.CharField(max_length=64)
    message_id = models.CharField("Message-ID", max_length=255, blank=True, default="")
    sender = models.CharField("from", max_length=400, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")
    received_at = models.DateTimeField("received", default=timezone.now)
    outcome = models.CharField("became", max_length=8, choices=Outcome)
    why = models.CharField(max_length=300, blank=True, default="")
    ticket = models.ForeignKey("desk.Ticket", null=True, on_delete=models.SET_NULL, related_name="mails")
    filed = models.BooleanField("marked at the server", default=False)

    class Meta:
        ordering: ClassVar = ["-received_at", "-id"]
        verbose_name = "incoming mail"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "place"], name="mail_once_a_place"),
            models.UniqueConstraint(fields=["account", "identity"], name="mail_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["message_id"], name="mail_by_message_id"),
            models.Index(fields=["sender", "received_at"], name="mail_by_sender"),
            models.Index(fields=["account"], name="mail_to_file", condition=models.Q(filed=False)),
        ]

    def __str__(self) -> str:
        return self.subject or self.message_id or self.place


class Participant(models.Model):
    """Somebody who is in the conversation on a ticket by mail, beside who asked: they were in copy."""

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="participants")
    address = models.EmailField()
    name = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["address"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket", "address"], name="participant_once"),
        ]

    def __str__(self) -> str:
        return self.address


class UnreachableAddress(models.Model):
    """An address to which mails do not arrive. Nothing is sent there until it is removed from this list."""

    address = models.EmailField(unique=True)
    why = models.CharField(max_length=500, blank=True, default="")
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["address"]
        verbose_name = "unreachable address"

    def __str__(self) -> str:
        return self.address


class MailTemplate(models.Model):
    """What a mail to a requester says; words such as $number stand for what is known of the ticket."""

    class Sort(models.TextChoices):
        """When it is sent."""

        ACKNOWLEDGEMENT = "acknowledgement", "a ticket was opened"
        REPLY = "reply", "somebody has replied"
        RESOLUTION = "resolution", "a ticket was resolved"

    sort = models.CharField("sent when", max_length=15, choices=Sort)
    queue = models.ForeignKey(
        "desk.Queue", null=True, blank=True, on_delete=models.CASCADE, related_name="mail_templates"
    )
    subject = models.CharField(max_length=200)
    text = models.TextField(max_length=10_000)

    class Meta:
        ordering: ClassVar = ["sort", "id"]
        verbose_name = "mail template"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sort", "queue"], name="template_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.get_sort_display()}{f' ({self.queue})' if self.queue_id else ''}"
