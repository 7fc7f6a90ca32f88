"""Tags and custom fields, declared; notes, links and files declare themselves where they are described. Every kind of
record gets its tags and custom fields here."""

from __future__ import annotations

from django.db.models import Count
from rest_framework import serializers

from watchkeeper.domains.annotations import files, links, notes, tidying  # noqa: F401  (they declare)
from watchkeeper.domains.annotations.custom_fields import CustomFields
from watchkeeper.domains.annotations.defining import CustomFieldSerializer, change, create
from watchkeeper.domains.annotations.models import CustomField, Tag
from watchkeeper.domains.annotations.rules import COLOUR, TAG
from watchkeeper.domains.annotations.tags import Tags
from watchkeeper.kernel import extras
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

extras.add(Tags())
extras.add(CustomFields())
extras.when_gone.append(tidying.forget)


class TagSerializer(RecordSerializer):
    """With how many records have it."""

    records = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Tag
        fields = ("id", "name", "color", "description", "records")
        extra_kwargs = {"color": {"help_text": "such as #2fb344", "style": {"input": "color"}}}

    def validate_name(self, name: str) -> str:
        """Raises ValidationError."""
        if not TAG.fullmatch(name):
            raise serializers.ValidationError("At most 64 characters, and no commas.")
        others = Tag.objects.exclude(pk=getattr(self.instance, "pk", None)).values_list("name", flat=True)
        if any(name.casefold() == other.casefold() for other in others):
            raise serializers.ValidationError("There is such a tag already.")
        return name

    def validate_color(self, colour: str) -> str:
        """Raises ValidationError."""
        if not COLOUR.fullmatch(colour.lower()):
            raise serializers.ValidationError("Write it as #rrggbb, such as #2fb344.")
        return colour.lower()


registry.add(
    Resource(
        model=Tag,
        path="tags",
        name="tag",
        description="Words that records of every kind can be marked with.",
        fields=TagSerializer.Meta.fields,
        serializer=TagSerializer,
        columns=(
            Column("name", link=True),
            Column("description"),
            Column("records", "Records that have it", Show.COUNT),
        ),
        filters={"name": ["exact", "icontains"]},
        search=("name", "description"),
        ordering=("name", "id"),
        writable=("name", "color", "description"),
        allow=frozenset({"create", "change", "remove"}),
        prepare=lambda found: found.annotate(records=Count("taggings")),
    )
)

registry.add(
    Resource(
        model=CustomField,
        path="custom-fields",
        name="custom field",
        description="Fields that people have added to kinds of record.",
        fields=CustomFieldSerializer.Meta.fields,
        serializer=CustomFieldSerializer,
        columns=(
            Column("called", "Field", link=True),
            Column("kind", "Of"),
            Column("name"),
            Column("type", show=Show.STATE),
            Column("records", "Records that have a value", Show.COUNT),
        ),
        filters={"kind": ["exact", "in"], "name": ["exact"], "type": ["exact", "in"]},
        search=("name", "label", "kind"),
        ordering=("kind", "position", "name"),
        writable=("label", "help", "required", "default", "choices", "minimum", "maximum", "pattern", "position",
                  "in_lists"),
        create_only=("kind", "name", "type", "target"),
        allow=frozenset({"create", "change", "remove"}),
        write_scope=Scope.ADMIN,
        create=create,
        change=change,
        prepare=lambda found: found.annotate(records=Count("values")),
    )
)  # fmt: skip
