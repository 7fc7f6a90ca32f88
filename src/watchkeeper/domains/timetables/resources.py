"""Calendar feeds, calendar imports and absences, declared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.timetables import bringing, feeds
from watchkeeper.domains.timetables.models import Absence, Feed, Import
from watchkeeper.domains.timetables.reading import SIZE
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer


class FeedSerializer(RecordSerializer):
    """Its address is shown when it is made, and never again."""

    person = Person(
        required=False, allow_null=True, help_text="a user name; empty, and no schedule: your own shifts"
    )

    class Meta:
        model = Feed
        fields = ("id", "schedule", "person", "prefix", "created_at", "last_read_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "last_read_at", "revoked_at")


def _revoke(_: Actor, feed: Feed, __: dict[str, Any]) -> Done:
    feed.revoked_at = timezone.now()
    feed.save(update_fields=["revoked_at"])
    return Done()


class CalendarImportSerializer(RecordSerializer):
    """Where its events go depends on what they are."""

    url = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, write_only=True, label="Address",
        style={"input": "secret"}, help_text="https://…/calendar.ics, read every hour; empty: files are sent to it",
    )  # fmt: skip

    class Meta:
        model = Import
        fields = (
            "id",
            "name",
            "enabled",
            "what",
            "schedule",
            "calendar",
            "url",
            "read_at",
            "fine",
            "outcome",
        )
        read_only_fields = ("id", "read_at", "fine", "outcome")

    def validate_url(self, value: str) -> str:
        """Raises ValidationError; where it leads is checked whenever it is read."""
        try:
            fit = not value or (
                urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).hostname)
            )
        except ValueError:
            fit = False
        if not fit:
            raise serializers.ValidationError("an address such as https://calendar.example.org/away.ics")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""

        def given(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        what = given("what") or Import.What.ABSENCES
        needed = {Import.What.OVERRIDES: "schedule", Import.What.HOLIDAYS: "calendar"}.get(what, "")
        wrong = {n: "say which" for n in (needed,) if n and given(n) is None}
        wrong |= {
            n: f"not of {what}" for n in ("schedule", "calendar") if n != needed and given(n) is not None
        }
        if wrong:
            raise serializers.ValidationError({name: [text] for name, text in wrong.items()})
        return attrs


class Text(serializers.Serializer[Any]):
    """What is in an .ics file."""

    text = serializers.CharField(max_length=SIZE, trim_whitespace=False, label="Contents of the file",
                                 style={"base_template": "textarea.html"}, help_text="BEGIN:VCALENDAR …")  # fmt: skip


def _read(actor: Actor, source: Import, data: dict[str, Any]) -> Done:
    bringing.bring(actor, source, data["text"].encode(), timezone.now())
    return Done()


_read.journaled = True  # type: ignore[attr-defined]  # reading may take a second: nobody waits for it to write


def _remove(actor: Actor, source: Import) -> None:
    bringing.forget(actor, source, timezone.now())
    source.delete()


plain(
    Feed, "calendar feed", "calendar-feeds", "__str__:Calendar prefix:Begins_with created_at last_read_at revoked_at",
    serializer=FeedSerializer,
    filters={"schedule": ["exact"], "person__username": ["exact"], "revoked_at": ["isnull"]},
    search=("prefix", "schedule__name", "person__username"),
    ordering=("-id",),
    orderable=("created_at", "last_read_at"),
    writable=(),
    create_only=("schedule", "person"),
    allow=frozenset({"create"}),
    create=feeds.make,
    policy_attributes=("schedule__name", "person__username"),
    default_filters={"revoked_at__isnull": "true"},
    prepare=lambda found: found.select_related("schedule", "person"),
    actions=(
        Action("revoke", "Revoke", _revoke, offered=lambda f: f.revoked_at is None, bulk=True,
               confirm="Whoever subscribed to it sees nothing from now on."),
    ),
)  # fmt: skip

plain(
    Import, "calendar import", "calendar-imports", "name enabled:On what schedule calendar read_at fine:All_of_it_taken",
    serializer=CalendarImportSerializer,
    filters={"what": ["exact"], "enabled": ["exact"], "schedule": ["exact"], "calendar": ["exact"], "fine": ["exact"]},
    orderable=("name", "read_at"),
    writable=("enabled", "url"),
    create_only=("name", "what", "schedule", "calendar"),  # what it has brought follows from them
    prepare=lambda found: found.select_related("schedule", "calendar"),
    remove=_remove,
    actions=(Action("read-text", "Paste a calendar…", _read, Text),),
)  # fmt: skip


class AbsenceSerializer(RecordSerializer):
    """Ends after it begins."""

    person = Person()

    class Meta:
        model = Absence
        fields = ("id", "person", "begins_at", "ends_at", "reason")
        read_only_fields = ("id",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        self.in_order(attrs)
        return attrs


plain(
    Absence, "absence", "absences", "person begins_at ends_at reason",
    serializer=AbsenceSerializer,
    filters={"person__username": ["exact", "in"], "begins_at": ["exact", "gte", "lte"], "ends_at": ["gte", "lte"]},
    search=("person__username", "reason"),
    ordering=("begins_at", "id"),
    policy_attributes=("person__username",),
)  # fmt: skip
