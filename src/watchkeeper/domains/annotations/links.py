"""Links between two records, or from a record to a page of the web. Kept once, shown at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from rest_framework import serializers

from watchkeeper.domains.annotations.attaching import held_by, settle
from watchkeeper.domains.annotations.models import Link
from watchkeeper.domains.annotations.rules import web_address
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import family, on, subject
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Column, Resource, registry
from watchkeeper.kernel.rest import RecordSerializer

#: how a link reads from the other end
BACK = {
    "relates_to": "relates to", "caused_by": "caused", "blocks": "is blocked by",
    "duplicates": "is duplicated by", "follows": "is followed by", "replaces": "is replaced by",
    "documented_in": "documents",
}  # fmt: skip
MOST = 200  # shown of a record


@dataclass(frozen=True)
class Shown:
    """A link as it reads from one of its ends."""

    link: Link
    phrase: str
    title: str
    url: str
    kind: str = ""  # of the record at the other end, in words
    web: bool = False


def links_of(actor: Actor, resource: Resource, record: Any) -> list[Shown]:
    """The links of a record, from either side; without those whose other end the actor may not see."""
    out = [s for link in on(Link, resource, [record.pk])[:MOST] if (s := _there(actor, link))]
    back = Link.objects.filter(to_kind__in=family(resource), to_record=str(record.pk))[:MOST]
    for link in back:
        if end := _end(actor, link.kind, link.record):
            out.append(Shown(link, BACK[link.sort], *end))
    return sorted(out, key=lambda s: (s.phrase, s.title.casefold()))


def _there(actor: Actor, link: Link) -> Shown | None:
    phrase = str(link.get_sort_display())
    if link.url:
        return Shown(link, phrase, link.label or link.url, link.url, web=True)
    end = _end(actor, link.to_kind, link.to_record)
    return Shown(link, phrase, *end) if end else None


def _end(actor: Actor, kind: str, key: str) -> tuple[str, str, str] | None:
    """Title, address and kind of a record, if the actor may see it."""
    try:
        resource, record = subject(kind, key)
    except NotThere:
        return None
    if not may(actor, "read", resource, record):
        return None
    return resource.title(record), f"/{resource.path}/{record.pk}/", resource.name


class LinkSerializer(RecordSerializer):
    """One end is the record, the other a record or a web address."""

    class Meta:
        model = Link
        fields = (
            "id",
            "kind",
            "record",
            "sort",
            "to_kind",
            "to_record",
            "url",
            "label",
            "made_by",
            "made_at",
        )
        read_only_fields = ("made_by", "made_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        now = {n: attrs.get(n, getattr(self.instance, n, "")) for n in ("to_kind", "to_record", "url")}
        if now["url"] and (now["to_kind"] or now["to_record"]):
            raise serializers.ValidationError(
                {"url": ["A link leads to a record or to the web, not to both."]}
            )
        if not now["url"] and not (now["to_kind"] and now["to_record"]):
            raise serializers.ValidationError({"to_record": ["Say which record it leads to, or a url."]})
        if now["url"] and not web_address(now["url"]):
            raise serializers.ValidationError({"url": ["It has to begin with http:// or https://."]})
        return attrs


def _create(actor: Actor, data: dict[str, Any]) -> Link:
    settle(actor, data)
    if data.get("to_record"):
        ends = held_by(actor, data["to_kind"], data["to_record"], ("to_kind", "to_record"))
        data["to_kind"], data["to_record"] = ends
        if ends == (data["kind"], data["record"]):
            raise serializers.ValidationError({"to_record": ["A record has no link to itself."]})
        same = Q(kind=data["kind"], record=data["record"], sort=data.get("sort", Link.Sort.RELATES))
        if Link.objects.filter(same, to_kind=ends[0], to_record=ends[1]).exists():
            raise serializers.ValidationError({"to_record": ["This link is there already."]})
    return Link.objects.create(made_by=actor.name, **data)


registry.add(
    Resource(
        model=Link,
        path="links",
        name="link",
        description="How records have to do with one another and with pages of the web: each is shown at both ends.",
        fields=LinkSerializer.Meta.fields,
        serializer=LinkSerializer,
        columns=(
            Column("__str__", "Link", link=True),
            Column("kind", "From a record of"),
            Column("made_by", "Made by"),
        ),
        filters={
            "kind": ["exact"],
            "record": ["exact"],
            "sort": ["exact", "in"],
            "to_kind": ["exact"],
            "to_record": ["exact"],
        },
        search=("label", "url"),
        ordering=("-id",),
        writable=("label",),
        create_only=("kind", "record", "sort", "to_kind", "to_record", "url"),
        allow=frozenset({"create", "change", "remove"}),
        create=_create,
    )
)
