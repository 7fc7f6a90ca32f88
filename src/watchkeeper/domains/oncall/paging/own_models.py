"""What each person says of how they can be reached, and the providers of telephony and push that do it."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.db import models

from watchkeeper.domains.oncall.paging.models import Urgency
from watchkeeper.kernel.fields import SealedField

#: what of a contact method is sealed: read when it is used and not before, so that one that cannot be read, as it was sealed
#: with another key, keeps nobody else from being told
SEALED = ("sealed_address", "secret")


class ContactMethod(models.Model):
    """A way to reach one person."""

    class Channel(models.TextChoices):
        """By what."""

        EMAIL = "email", "e-mail"
        SMS = "sms", "text message"
        VOICE = "voice", "telephone call"
        PUSH = "push", "this browser"
        WEBHOOK = "webhook", "webhook"
        SLACK = "slack", "Slack"
        MATTERMOST = "mattermost", "Mattermost"
        TEAMS = "teams", "Microsoft Teams"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact_methods"
    )
    name = models.CharField(max_length=100)
    channel = models.CharField("by", max_length=12, choices=Channel, default=Channel.EMAIL)
    sealed_address = SealedField()  # it is theirs, and often all that is needed to write there
    secret = SealedField(blank=True, default="")  # a webhook's signing secret, a browser's keys
    verified_at = models.DateTimeField("confirmed", null=True, default=None, editable=False)
    code_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    code_expires_at = models.DateTimeField(null=True, default=None, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, default=None, editable=False)
    last_answer = models.CharField(max_length=300, blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["person__username", "name", "id"]
        verbose_name = "contact method"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "name"], name="contact_method_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.person}"

    @property
    def address(self) -> str:
        """Where it leads: sealed, and so not in the audit trail."""
        return self.sealed_address

    @address.setter
    def address(self, value: str) -> None:
        self.sealed_address = value

    @property
    def needs_code(self) -> bool:
        """Whether a code has to show that it is really theirs."""
        return self.channel in CONFIRMED

    @property
    def usable(self) -> bool:
        """Whether it is used."""
        return self.verified_at is not None or not self.needs_code


#: channels on which a code goes out before they are used
CONFIRMED = (ContactMethod.Channel.EMAIL, ContactMethod.Channel.SMS, ContactMethod.Channel.VOICE)


class NotificationPreference(models.Model):
    """That somebody is told by one of their ways, so many minutes after a page, if they have not answered by then."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences"
    )
    urgency = models.CharField(max_length=4, choices=Urgency, default=Urgency.HIGH)
    method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE, related_name="preferences")
    minutes = models.PositiveSmallIntegerField("after (minutes)", default=0)

    class Meta:
        ordering: ClassVar = ["person__username", "urgency", "minutes", "id"]
        verbose_name = "notification preference"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["urgency", "method"], name="preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.urgency}: {self.method} after {self.minutes} min"


class QuietHours(models.Model):
    """When somebody is not told of what has low urgency: it waits for the end of these hours."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiet_hours"
    )
    zone = models.CharField("time zone", max_length=64, default="UTC")
    begins = models.TimeField("from", default=dt.time(22))
    ends = models.TimeField("until", default=dt.time(7))

    class Meta:
        ordering: ClassVar = ["person__username"]
        verbose_name = "quiet hours"
        verbose_name_plural = "quiet hours"

    def __str__(self) -> str:
        return f"quiet hours of {self.person}"


class TelephoneProvider(models.Model):
    """Who sends text messages and makes calls for this installation."""

    class Kind(models.TextChoices):
        """Whose interface it has."""

        TWILIO = "twilio", "Twilio"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    kind = models.CharField("interface", max_length=12, choices=Kind, default=Kind.TWILIO)
    url = models.CharField("address", max_length=500, default="https://api.twilio.com")
    account = models.CharField(max_length=100)
    token = SealedField()
    sender = models.CharField("telephone number", max_length=20)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "telephone provider"

    def __str__(self) -> str:
        return self.name


class PushKey(models.Model):
    """The key by which push services of browsers know this installation: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    private = SealedField()

    def __str__(self) -> str:
        return "key of push messages"
