"""How people are reached, declared: each person keeps their own, administrators everybody's; and telephone providers."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.oncall.paging import confirming
from watchkeeper.domains.oncall.paging.own_models import (
    ContactMethod,
    NotificationPreference,
    QuietHours,
    TelephoneProvider,
)
from watchkeeper.domains.outgoing import addresses, webhooks
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer, time_zone

Channel = ContactMethod.Channel
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class _Own(RecordSerializer):
    """Whoever names nobody means themselves."""

    def whose(self, attrs: dict[str, Any]) -> Any:
        """The person of it. Raises ValidationError."""
        actor = self.context.get("actor")
        named = (
            attrs.get("person") or getattr(self.instance, "person", None) or (actor.person if actor else None)
        )
        if named is None:
            raise serializers.ValidationError({"person": ["Say whose it is."]})
        return named

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        attrs["person"] = self.whose(attrs)
        return attrs


class MethodSerializer(_Own):
    """An address that suits its channel. A browser is added on the page My on-call, which asks it for permission."""

    person = Person(required=False, help_text="a user name; empty: yourself")
    address = serializers.CharField(
        max_length=2000, help_text="name@example.org; +491701234567; the address of an incoming webhook"
    )

    class Meta:
        model = ContactMethod
        fields = ("id", "person", "name", "channel", "address", "verified_at", "usable", "last_used_at",
                  "last_answer")  # fmt: skip
        read_only_fields = ("id", "verified_at", "usable", "last_used_at", "last_answer")
        extra_kwargs = {"name": {"help_text": "such as: mobile, work mail"}}
        validators: list[Any] = []  # see _free: the person need not be named

    usable = serializers.BooleanField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        super().validate(attrs)
        channel = attrs.get("channel", getattr(self.instance, "channel", Channel.EMAIL))
        address = attrs.get("address", getattr(self.instance, "address", ""))
        try:
            if channel == Channel.EMAIL:
                addresses.check_mail(address)
                if "," in address:
                    raise Invalid("one address; add another contact method for another")
            elif channel in (Channel.SMS, Channel.VOICE):
                attrs["address"] = _number(address)
            else:
                addresses.check_web(address)
        except Invalid as error:
            raise serializers.ValidationError({"address": [error.detail]}) from error
        if channel == Channel.PUSH and getattr(self.instance, "channel", "") != Channel.PUSH:
            raise serializers.ValidationError(
                {"channel": ["A browser is added on its own page: My on-call."]}
            )
        _free(self, attrs)
        return attrs


def _number(text: str) -> str:
    """Raises Invalid."""
    found = re.sub(r"[\s()/.-]", "", text)
    if not _NUMBER.fullmatch(found):
        raise Invalid("write the number with its country code, such as +491701234567")
    return found


def _free(serializer: _Own, attrs: dict[str, Any]) -> None:
    """Two of somebody's ways have two names. Raises ValidationError."""
    held = serializer.instance
    name = attrs.get("name", getattr(held, "name", ""))
    taken = ContactMethod.objects.filter(person=attrs["person"], name=name)
    if taken.exclude(pk=getattr(held, "pk", None)).exists():
        raise serializers.ValidationError({"name": [f"There is {name!r} already."]})


class NotificationPreferenceSerializer(_Own):
    """By one of their own ways."""

    person = Person(required=False, help_text="a user name; empty: yourself")

    class Meta:
        model = NotificationPreference
        fields = ("id", "person", "urgency", "method", "minutes")
        read_only_fields = ("id",)
        extra_kwargs = {
            "minutes": {
                "max_value": 1440,
                "help_text": "after the page, if nobody has answered by then; 0: at once",
            },
            "urgency": {"help_text": "high: errors and worse, unless a rule says otherwise"},
        }
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        super().validate(attrs)
        held = self.instance
        method = attrs.get("method", getattr(held, "method", None))
        if method is not None and method.person_id != attrs["person"].pk:
            raise serializers.ValidationError({"method": ["It is somebody else's."]})
        urgency = attrs.get("urgency", getattr(held, "urgency", "high"))
        same = NotificationPreference.objects.filter(urgency=urgency, method=method)
        if same.exclude(pk=getattr(held, "pk", None)).exists():
            raise serializers.ValidationError({"method": [f"It is used for {urgency} urgency already."]})
        return attrs


class QuietSerializer(_Own):
    """By the clocks of a time zone."""

    person = Person(required=False, help_text="a user name; empty: yourself")
    zone = serializers.CharField(max_length=64, default="UTC", label="Time zone", validators=[time_zone])

    class Meta:
        model = QuietHours
        fields = ("id", "person", "zone", "begins", "ends")
        read_only_fields = ("id",)
        extra_kwargs = {
            "begins": {"style": {"input": "clock"}},
            "ends": {"style": {"input": "clock"}, "help_text": "may be on the next morning"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        super().validate(attrs)
        others = QuietHours.objects.filter(person=attrs["person"])
        if others.exclude(pk=getattr(self.instance, "pk", None)).exists():
            raise serializers.ValidationError({"person": ["They have quiet hours already: change those."]})
        return attrs


def _make_method(_: Actor, data: dict[str, Any]) -> ContactMethod:
    if data.get("channel") == Channel.WEBHOOK:
        data["secret"] = webhooks.new_secret()
    made = ContactMethod.objects.create(**data)
    confirming.begin(made)
    if made.channel == Channel.WEBHOOK:
        made.shown_once = {"secret": made.secret}  # type: ignore[attr-defined]
    return made


def _change_method(_: Actor, method: ContactMethod, data: dict[str, Any]) -> ContactMethod:
    elsewhere = data.get("address", method.address) != method.address or (
        data.get("channel", method.channel) != method.channel
    )
    for name, value in data.items():
        setattr(method, name, value)
    if elsewhere:
        method.verified_at = None
    method.save()
    if elsewhere:
        confirming.begin(method)
    return method


def _with_person(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.select_related("person")


_OWN = {"read_scope": Scope.ADMIN, "write_scope": Scope.ADMIN, "policy_attributes": ("person__username",)}
registry.add(
    Resource(
        model=ContactMethod,
        path="contact-methods",
        name="contact method",
        description="How people are reached when they are paged.",
        fields=MethodSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("person"),
            Column("channel", "By", Show.STATE),
            Column("address"),
            Column("verified_at", "Confirmed", Show.TIME),
            Column("last_used_at", "Last used", Show.TIME),
        ),
        filters={"person__username": ["exact"], "channel": ["exact", "in"],
                 "name": ["exact", "icontains"], "verified_at": ["isnull"]},
        search=("name", "person__username"),
        ordering=("person__username", "name", "id"),
        orderable=("channel", "last_used_at"),
        writable=("name", "channel", "address"),
        create_only=("person",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=MethodSerializer,
        prepare=_with_person,
        create=_make_method,
        change=_change_method,
        actions=(
            Action("test", "Send a test", confirming.test, scope=Scope.ADMIN, offered=lambda m: m.usable),
            Action("verify", "Enter the code…", confirming.verify, confirming.Code, scope=Scope.ADMIN,
                   offered=lambda m: not m.usable, audited=False),
            Action("send-code", "Send another code", confirming.send_code, scope=Scope.ADMIN,
                   offered=lambda m: not m.usable),
        ),
        related={"notification-preferences": lambda m: m.preferences.all()},
        **_OWN,
    )
)  # fmt: skip
plain(
    NotificationPreference, "notification preference", "notification-preferences", "method person urgency minutes:After",
    description="By which of their ways people are told first, and by which later.",
    fields=NotificationPreferenceSerializer.Meta.fields, serializer=NotificationPreferenceSerializer,
    writable=("urgency", "method", "minutes"),
    create_only=("person",), search=("method__name", "person__username"),
    ordering=("person__username", "urgency", "minutes", "id"),
    orderable=("urgency", "minutes"),
    filters={"person__username": ["exact"], "urgency": ["exact"], "method": ["exact"]},
    prepare=lambda found: found.select_related("person", "method__person"), **_OWN,
)  # fmt: skip
plain(
    QuietHours, "quiet hours", "quiet-hours", "person zone:Time_zone begins ends",
    fields=QuietSerializer.Meta.fields, serializer=QuietSerializer, writable=("zone", "begins", "ends"),
    create_only=("person",), search=("person__username",), ordering=("person__username",), orderable=("zone",),
    filters={"person__username": ["exact"]}, prepare=_with_person, **_OWN,
)  # fmt: skip


class ProviderSerializer(RecordSerializer):
    """The token is sealed, and never shown."""

    class Meta:
        model = TelephoneProvider
        fields = ("id", "name", "enabled", "kind", "url", "account", "token", "sender")
        read_only_fields = ("id",)
        extra_kwargs = {
            "account": {"help_text": "the account's SID"},
            "token": {"required": False, "help_text": "the account's auth token"},
            "sender": {"help_text": "which the messages come from, such as +15005550006"},
            "url": {"help_text": "change it only for another provider with the same interface"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A new one has a token. Raises ValidationError."""
        if self.instance is None and not attrs.get("token"):
            raise serializers.ValidationError({"token": ["It cannot send anything without one."]})
        return attrs

    def validate_url(self, value: str) -> str:
        """Raises ValidationError."""
        try:
            addresses.check_web(value)
        except Invalid as error:
            raise serializers.ValidationError(error.detail) from error
        return value

    def validate_sender(self, value: str) -> str:
        """Raises ValidationError."""
        try:
            return _number(value)
        except Invalid as error:
            raise serializers.ValidationError(error.detail) from error


plain(
    TelephoneProvider, "telephone provider", "telephone-providers", "name enabled:On kind sender",
    description="Who sends text messages and makes calls.", fields=ProviderSerializer.Meta.fields,
    serializer=ProviderSerializer, read_scope=Scope.ADMIN, write_scope=Scope.ADMIN,
)  # fmt: skip
