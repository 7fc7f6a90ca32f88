"""Silences, declared, and the two acts that make and end them."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.situations.acts import act
from watchkeeper.domains.situations.models import Silence
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.problems import Invalid, NotThere
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.act import ActKind
from watchkeeper.model.reach import Reach

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:/-]{0,255}")
_MATCHERS = 64
_EXPRESSION = 1024  # characters


@dataclass(frozen=True, slots=True)
class About:
    """Which alerts a silence holds back: those that satisfy all matchers, those of the items as far as `reach` goes, or
    where there are both those of the items that satisfy the matchers."""

    matchers: list[dict[str, Any]] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    reach: str = Reach.CARRIED.value

    def checked(self) -> About:
        """With matchers that analysis can take. Raises Invalid."""
        if self.items and not self.matchers:
            return self
        if not self.matchers:
            raise Invalid(
                "name at least one label or item; a silence about everything is not possible", "matchers"
            )
        return replace(self, matchers=checked(self.matchers, narrow=bool(self.items)))


def silence(actor: Actor, about: About, starts_at: dt.datetime, ends_at: dt.datetime,
            comment: str, silence_id: str = "") -> Silence:  # fmt: skip
    """Make a silence, or change the one with this id; return the record, not yet saved when analysis has not
    applied it in time. Raises Invalid, NotReady, JournalFull or DiskFull."""
    about = about.checked()
    if ends_at <= starts_at:
        raise Invalid("a silence ends after it starts", "ends_at")
    if ends_at <= timezone.now():
        raise Invalid("this is past", "ends_at")
    made = Silence(
        id=silence_id or str(uuid.uuid4()), matchers=about.matchers, starts_at=starts_at, ends_at=ends_at,
        created_by=actor.name, comment=comment, created_at=timezone.now(), updated_at=timezone.now(),
        of_items=bool(about.items), reach=about.reach,
    )  # fmt: skip
    data = {
        "matchers": made.matchers,
        "starts_ms": milliseconds(starts_at),
        "ends_ms": milliseconds(ends_at),
        "comment": comment,
        "items": about.items,
        "reach": about.reach,
    }
    if act(actor, ActKind.SILENCE, made.pk, data, made).pending:
        return made
    return Silence.objects.get(pk=made.pk)


def unsilence(actor: Actor, silence_id: str) -> bool:
    """End a silence now; whether that has been applied already. Raises NotThere."""
    found = Silence.objects.filter(pk=silence_id).first()
    if found is None:
        raise NotThere(f"there is no silence {silence_id}")
    return not act(actor, ActKind.UNSILENCE, silence_id, {}, found).pending


def checked(matchers: list[dict[str, Any]], *, narrow: bool = False) -> list[dict[str, Any]]:
    """Matchers that analysis can take. Raises Invalid: none, too many, a name or an expression that is none, or
    a set that would match every alert, unless they only `narrow` the alerts of items."""
    if not matchers or len(matchers) > _MATCHERS:
        raise Invalid(f"one to {_MATCHERS} are needed", "matchers")
    out = []
    for m in matchers:
        name, value = m["name"], m["value"]
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} is not the name of a label", "matchers")
        regex, equal = bool(m.get("isRegex", False)), bool(m.get("isEqual", True))
        if regex and (len(value) > _EXPRESSION or not _compiles(value)):
            raise Invalid(f"{value!r} is not an expression that RE2 can run", "matchers")
        out.append({"name": name, "value": value, "isRegex": regex, "isEqual": equal})
    if not narrow and all(_matches_empty(m) for m in out):
        raise Invalid("these would silence every alert; one must ask for a value", "matchers")
    return out


def _compiles(expression: str) -> bool:
    try:
        _full_match(expression, "")
    except ValueError:  # of which Arrow's error is one
        return False
    return True


def _full_match(expression: str, text: str) -> bool:
    """With the engine that the analysis matches with."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array([text]), pattern=f"^(?:{expression})$")
    return bool(found[0].as_py())


def _matches_empty(m: dict[str, Any]) -> bool:
    same = _full_match(m["value"], "") if m["isRegex"] else m["value"] == ""
    return same is m["isEqual"]


class MatcherSerializer(serializers.Serializer[Any]):
    """A condition on a label, as Alertmanager writes it."""

    name = serializers.CharField(max_length=256)
    value = serializers.CharField(max_length=1024, allow_blank=True, trim_whitespace=False)
    isRegex = serializers.BooleanField(default=False)
    isEqual = serializers.BooleanField(default=True)


class SilenceSerializer(RecordSerializer):
    """`state`: pending, active or expired."""

    matchers = MatcherSerializer(
        many=True, required=False, label="Labels",
        help_text="what an alert has to have, all of it; not needed where there are items",
    )  # fmt: skip
    starts_at = serializers.DateTimeField(required=False, label="From", help_text="empty: now")
    state = serializers.SerializerMethodField()

    class Meta:
        model = Silence
        fields = ("id", "items", "reach", "matchers", "starts_at", "ends_at", "comment", "state", "created_by", "created_at",
                  "updated_at")  # fmt: skip
        extra_kwargs: ClassVar = {
            "items": {
                "help_text": "whose alerts are held back; with labels, those of their alerts that have these"
            }
        }
        read_only_fields = ("id", "created_by", "created_at", "updated_at")

    def get_state(self, found: Silence) -> str:
        """As of now."""
        return state_of(found)


def state_of(found: Silence) -> str:
    """pending, active or expired, now."""
    now = timezone.now()
    if found.ends_at <= now:
        return "expired"
    return "active" if found.starts_at <= now else "pending"


def _make(actor: Actor, data: dict[str, Any]) -> Silence:
    starts = data.get("starts_at") or timezone.now()
    return silence(actor, about_of(data), starts, data["ends_at"], data.get("comment", ""))


def about_of(data: dict[str, Any]) -> About:
    """Which alerts, as the serializer has read it."""
    matchers = [dict(m) for m in data.get("matchers", ())]
    return About(
        matchers, sorted(str(i.pk) for i in data.get("items", ())), data.get("reach", Reach.CARRIED.value)
    )


def _end(actor: Actor, found: Silence) -> None:
    unsilence(actor, found.pk)


# These write through the journal: they audit themselves, and run in no transaction.
_make.journaled = True  # type: ignore[attr-defined]
_end.journaled = True  # type: ignore[attr-defined]

registry.add(
    Resource(
        model=Silence,
        path="silences",
        policy_attributes=("created_by",),
        name="silence",
        description="Alerts with these labels, or of these items, are recorded, and nobody is told.",
        fields=SilenceSerializer.Meta.fields,
        title=lambda s: (
            s.comment or ", ".join([*(i.name for i in s.items.all()), *map(matcher_text, s.matchers)])
        ),
        columns=(
            Column("comment", link=True),
            Column("created_by", "By"),
            Column("starts_at", "From", Show.TIME),
            Column("ends_at", "Until", Show.TIME),
        ),
        filters={
            "items": ["exact"],
            "created_by": ["exact"],
            "ends_at": ["gt", "lte"],
            "starts_at": ["gte", "lte"],
        },
        search=("comment",),
        ordering=("-created_at", "-id"),
        orderable=("ends_at", "starts_at"),
        writable=("items", "reach", "matchers", "starts_at", "ends_at", "comment"),
        allow=frozenset({"create", "remove"}),
        serializer=SilenceSerializer,
        prepare=lambda found: found.prefetch_related("items"),
        create=_make,
        remove=_end,
    )
)


def matcher_text(m: dict[str, Any]) -> str:
    """A matcher as people write it.

    >>> matcher_text({"name": "job", "value": "db.*", "isRegex": True, "isEqual": False})
    'job!~"db.*"'
    """
    sign = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    return f'{m["name"]}{sign[m["isRegex"], m["isEqual"]]}"{m["value"]}"'
