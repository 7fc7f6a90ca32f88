"""Mail accounts, incoming mails, participants, unreachable addresses and templates, declared."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from watchkeeper.domains.desk.mail import texts
from watchkeeper.domains.desk.mail.models import (
    SEALED,
    IncomingMail,
    MailAccount,
    MailTemplate,
    Participant,
    UnreachableAddress,
)
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import visible, within
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_SET = (
    "name", "enabled", "address", "sender_name", "queue", "type", "way", "host", "port", "security", "user", "password",
    "folder", "old_mails", "then", "move_to", "interval", "acknowledges", "smtp_host", "smtp_port", "smtp_security",
    "smtp_user", "smtp_password",
)  # fmt: skip
_TOLD = ("state", "reason", "asked_at")


class MailAccountSerializer(RecordSerializer):
    """Passwords can be sent and are never shown."""

    port = serializers.IntegerField(label="IMAP port", default=993, min_value=1, max_value=65_535)
    smtp_port = serializers.IntegerField(label="SMTP port", default=587, min_value=1, max_value=65_535)
    interval = serializers.IntegerField(
        label="Asked every (seconds)", default=60, min_value=5, max_value=86_400
    )

    class Meta:
        model = MailAccount
        fields = ("id", *_SET, *_TOLD)
        read_only_fields = ("id", *_TOLD)
        extra_kwargs = {
            "address": {
                "help_text": "to which people write, such as desk@example.org; answers go out from it"
            },
            "queue": {"help_text": "where its tickets go"},
            "host": {
                "help_text": "such as imap.example.org; one inside has to be in WATCHKEEPER_OUTBOUND_ALLOW"
            },
            "old_mails": {"help_text": "off: only mails that arrive from now on become tickets"},
            "move_to": {"help_text": "the folder, where mails are moved; it has to be there"},
            "smtp_host": {
                "help_text": "empty: mails go out by the platform's own mail server, WATCHKEEPER_SMTP"
            },
            "smtp_user": {"help_text": "empty: user and password are those of IMAP"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for an account by IMAP without a server or user, and for moving to nowhere."""
        needed: tuple[str, ...] = ()
        if self.now(attrs, "way") == MailAccount.Way.IMAP:
            needed = ("host", "user")
            if self.now(attrs, "then") == MailAccount.Then.MOVED:
                needed += ("move_to",)
        if missing := [name for name in needed if not self.now(attrs, name)]:
            raise serializers.ValidationError({name: ["This is needed to fetch mails."] for name in missing})
        return attrs

    def validate_address(self, value: str) -> str:
        """Addresses are compared in lower case."""
        return value.lower()


def _ask(_: Actor, account: MailAccount, __: dict[str, Any]) -> Done:
    account.asked_at = None
    account.save(update_fields=["asked_at"])
    return Done()


def _changed(_: Actor, account: MailAccount, data: dict[str, Any]) -> MailAccount:
    """Another mailbox numbers its mails in its own way: it is begun as that of a new account is."""
    before = account.mailbox
    for name, value in data.items():
        setattr(account, name, value)
    if account.mailbox != before:
        account.uid_validity = account.last_uid = 0
    account.save()
    return account


registry.add(
    Resource(
        model=MailAccount,
        path="mail-accounts",
        name="mail account",
        description="Addresses whose mails become tickets, and from which answers go out.",
        fields=MailAccountSerializer.Meta.fields,
        serializer=MailAccountSerializer,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("address"),
            Column("queue"),
            Column("state", show=Show.STATE),
            Column("reason", "Why"),
            Column("asked_at", "Last asked", Show.TIME),
        ),
        filters={
            "name": ["exact", "icontains"],
            "address": ["exact", "icontains"],
            "enabled": ["exact"],
            "way": ["exact"],
            "queue": ["exact", "isnull"],
            "state": ["exact", "in"],
        },
        search=("name", "address"),
        ordering=("name",),
        orderable=("name", "address", "asked_at"),
        writable=_SET,
        allow=frozenset({"create", "change", "remove"}),
        change=_changed,
        prepare=lambda found: found.defer(*SEALED).select_related("queue"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action(
                "ask", "Fetch now", _ask, scope=Scope.ADMIN, offered=lambda a: a.enabled and a.way == "imap"
            ),
        ),
        related={"incoming-mails": lambda account: account.mails.all()},
    )
)
registry.add(
    Resource(
        model=IncomingMail,
        path="incoming-mails",
        name="incoming mail",
        description="Every mail that came to an account, once, and what it became.",
        fields=(
            "id",
            "account",
            "message_id",
            "sender",
            "subject",
            "received_at",
            "outcome",
            "why",
            "ticket",
        ),
        columns=(
            Column("subject", link=True),
            Column("sender", "From"),
            Column("outcome", "Became", Show.STATE),
            Column("ticket"),
            Column("why"),
            Column("received_at", "Received", Show.TIME),
        ),
        filters={
            "account": ["exact", "in"],
            "outcome": ["exact", "in"],
            "sender": ["exact", "icontains"],
            "message_id": ["exact"],
            "ticket": ["exact", "isnull"],
            "received_at": ["gte", "lt"],
        },
        search=("subject", "sender"),
        ordering=("-received_at", "-id"),
        orderable=("received_at",),
        prepare=lambda found: found.select_related("account", "ticket"),
    )
)


class ParticipantSerializer(RecordSerializer):
    """Its address in lower case."""

    class Meta:
        model = Participant
        fields = ("id", "ticket", "address", "name")

    def validate_address(self, value: str) -> str:
        """Addresses are compared in lower case."""
        return value.lower()


def _participant(actor: Actor, data: dict[str, Any]) -> Participant:
    if not visible(actor, "tickets").filter(pk=data["ticket"].pk).exists():
        raise serializers.ValidationError({"ticket": ["There is no such ticket."]})
    made, new = Participant.objects.get_or_create(
        ticket=data["ticket"], address=data["address"], defaults=data
    )
    if not new:
        raise serializers.ValidationError({"address": ["They are in copy already."]})
    return made


plain(
    Participant, "participant", "ticket-participants", "address name ticket",
    description="Who is in copy of the conversation on a ticket by mail: replies go to them, and theirs are taken.",
    search=("address", "name"), serializer=ParticipantSerializer, create=_participant, create_only=("ticket",),
    writable=("address", "name"),
    policy_attributes=("ticket__queue__name", "ticket__requester__username"),
)  # fmt: skip
within["ticket-participants"] = lambda actor, found: found.filter(
    ticket__in=visible(actor, "tickets").values("pk")
)
within["incoming-mails"] = lambda actor, found: found.filter(
    Q(ticket__in=visible(actor, "tickets").values("pk"))
    | Q(ticket=None, account__in=visible(actor, "mail-accounts").values("pk"))
)
plain(
    UnreachableAddress, "unreachable address", "unreachable-addresses", "address why since",
    shown_only=("since",), allow=frozenset({"create", "remove"}), writable=(), create_only=("address", "why"),
)  # fmt: skip


class MailTemplateSerializer(RecordSerializer):
    """Its words are known."""

    class Meta:
        model = MailTemplate
        fields = ("id", "sort", "queue", "subject", "text")
        extra_kwargs = {
            "queue": {"help_text": "empty: for every queue that has none of its own"},
            "subject": {"help_text": "keep [$number] in it: answers without references are found by it"},
            "text": {"help_text": "; ".join(f"${name}: {what}" for name, what in texts.WORDS.items())},
        }

    def validate_subject(self, value: str) -> str:
        """Raises ValidationError."""
        if reason := texts.wrong(value):
            raise serializers.ValidationError(reason)
        return value

    def validate_text(self, value: str) -> str:
        """Raises ValidationError."""
        return self.validate_subject(value)


plain(
    MailTemplate, "mail template", "mail-templates", "sort queue subject",
    serializer=MailTemplateSerializer, search=("subject", "text"), read_scope=Scope.READ, write_scope=Scope.ADMIN,
)  # fmt: skip
