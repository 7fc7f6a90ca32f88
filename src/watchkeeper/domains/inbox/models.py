"""Subscriptions, notices, and how each person wants them by mail."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class Subscription(models.Model):
    """Somebody watches a record, or the records of a kind that a query finds: "" finds all."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="subscriptions")
    kind = models.CharField(max_length=64)  # path
    record = models.CharField(max_length=128, blank=True, default="")  # its key; "": of the kind
    query = models.CharField(max_length=1000, blank=True, default="")  # as in a list's address
    title = models.CharField(max_length=200)
    muted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["kind", "title", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "record", "query"], name="subscription_once"),
            models.CheckConstraint(name="subscription_to_one_thing", condition=Q(record="") | Q(query="")),
        ]
        indexes: ClassVar = [models.Index(fields=["kind", "record"], name="subscription_record")]

    def __str__(self) -> str:
        return self.title


class Notice(models.Model):
    """Something that one person was told, once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=200)  # its id
    kind = models.CharField(max_length=64, blank=True, default="")  # path; "": about the platform
    record = models.CharField(max_length=128, blank=True, default="")
    text = models.CharField(max_length=500)
    why = models.CharField(max_length=200, blank=True, default="")  # they are told
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    gone = models.BooleanField(default=False)  # the record was removed
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, default=None)
    mailed_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "event"], name="notice_once")]
        indexes: ClassVar = [
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["user"], condition=Q(mailed_at=None), name="notice_not_mailed"),
        ]

    def __str__(self) -> str:
        return self.text


class ByMail(models.TextChoices):
    """When notices also come by mail."""

    NEVER = "never", "not by mail"
    AT_ONCE = "at_once", "at once"
    DAILY = "daily", "once a day"


class Preference(models.Model):
    """How one person wants to be told."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    by_mail = models.CharField(max_length=8, choices=ByMail, default=ByMail.NEVER)
    hour = models.PositiveSmallIntegerField(default=7)  # UTC, of the daily mail

    def __str__(self) -> str:
        return f"{self.user}: {self.by_mail}"
