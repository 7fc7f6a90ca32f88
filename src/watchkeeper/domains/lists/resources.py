"""Saved views and export templates, declared."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from watchkeeper.domains.lists import columns
from watchkeeper.domains.lists.asking import given
from watchkeeper.domains.lists.models import ExportTemplate, SavedView, Sharing
from watchkeeper.exchange import rendering
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.lists import narrow
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import BadQuery, Invalid
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; *charset=[a-z0-9-]+)?")
_FILE_NAME = re.compile(r"[\w][\w .()+-]*")


@extend_schema_field(OpenApiTypes.STR)
class ListField(serializers.ChoiceField):
    """The path of a kind, any of those that are declared."""

    def __init__(self, **options: Any) -> None:
        kinds = sorted(registry, key=lambda r: r.plural.lower())
        super().__init__(
            [(r.path, r.plural[:1].upper() + r.plural[1:]) for r in kinds], label="List", **options
        )


def _now(serializer: Any, data: dict[str, Any], name: str) -> Any:
    return data.get(name, getattr(serializer.instance, name, serializer.fields[name].initial))


class SavedViewSerializer(RecordSerializer):
    """What a view asks for has to be what its list can answer."""

    filters = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=500), required=False, default=dict,
        help_text="the parameters of the list and their values, as the API has them",
    )  # fmt: skip
    columns = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, default=list, max_length=columns.MOST,
        help_text="fields of the record, such as serial, or of one it refers to, such as rack__name; none: as usual",
    )  # fmt: skip
    owner: Any = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = SavedView
        fields = (
            "id",
            "kind",
            "name",
            "owner",
            "sharing",
            "team",
            "filters",
            "search",
            "ordering",
            "columns",
        )
        read_only_fields = ("id", "owner")

    def get_fields(self) -> dict[str, Any]:
        """The kinds are known once all are declared."""
        return {**super().get_fields(), "kind": ListField(help_text="which list it is of")}

    def validate_name(self, value: str) -> str:
        """Raises ValidationError for what would be taken for an id."""
        if value.isdigit():
            raise serializers.ValidationError("A number is taken for an id; begin with a letter.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        kind = registry[_now(self, attrs, "kind")]
        if _now(self, attrs, "sharing") == Sharing.TEAM and _now(self, attrs, "team") is None:
            raise serializers.ValidationError({"team": ["Say with which team."]})
        for name in ("filters", "search", "ordering"):
            if name in attrs:
                _answers(kind, name, attrs[name])
        if attrs.get("columns") and (request := self.context.get("request")):
            try:
                columns.checked(kind, actor_of(request), attrs["columns"])
            except Invalid as error:
                raise serializers.ValidationError({"columns": [error.detail.partition(": ")[2]]}) from error
        return attrs


def _answers(kind: Resource, field: str, value: Any) -> None:
    """Raises ValidationError when the list does not understand it."""
    asked = value if field == "filters" else {field: value}
    try:
        narrow(kind, kind.model._default_manager.none(), given(asked))
    except BadQuery as error:
        raise serializers.ValidationError({field: [error.detail]}) from error


def _make_view(actor: Actor, data: dict[str, Any]) -> SavedView:
    require(actor, "read", registry[data["kind"]])
    _free(actor.person, data["kind"], data["name"])
    view: SavedView = SavedView.objects.create(owner=actor.person, **data)
    return view


def _change_view(_: Actor, view: SavedView, data: dict[str, Any]) -> SavedView:
    if data.get("name", view.name) != view.name:
        _free(view.owner, view.kind, data["name"])
    for name, value in data.items():
        setattr(view, name, value)
    view.save()
    return view


def _free(owner: Any, kind: str, name: str) -> None:
    if SavedView.objects.filter(owner=owner, kind=kind, name=name).exists():
        raise serializers.ValidationError({"name": [f"There is a view {name!r} of this list already."]})


def _with_names(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.select_related("owner", "team")


registry.add(
    Resource(
        model=SavedView,
        path="saved-views",
        name="saved view",
        description="Lists under a name: filters, words, order and columns, for oneself or shared.",
        fields=SavedViewSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("kind", "List"),
            Column("owner"),
            Column("sharing", "Shared with", Show.STATE),
            Column("team"),
        ),
        filters={
            "kind": ["exact"],
            "name": ["exact", "icontains"],
            "owner": ["exact"],
            "sharing": ["exact"],
            "team": ["exact", "isnull"],
        },
        search=("name", "kind"),
        ordering=("kind", "name", "id"),
        orderable=("sharing",),
        writable=("name", "sharing", "team", "filters", "search", "ordering", "columns"),
        create_only=("kind",),
        allow=frozenset({"create", "change", "remove"}),
        serializer=SavedViewSerializer,
        prepare=_with_names,
        create=_make_view,
        change=_change_view,
        policy_attributes=("kind", "sharing", "owner__username", "team__name"),
    )
)


class ExportTemplateSerializer(RecordSerializer):
    """A template has to be Jinja, and what it writes a file."""

    text = serializers.CharField(
        label="Template", max_length=200_000, trim_whitespace=False, style={"base_template": "textarea.html", "rows": 16},
        help_text="Jinja: {% for r in records %}{{ r.name }}{% endfor %}; a record has the fields of the API, and the "
        "name of what it refers to, such as r.rack_name",
    )  # fmt: skip

    class Meta:
        model = ExportTemplate
        fields = ("id", "kind", "name", "file_name", "media_type", "text")
        read_only_fields = ("id",)

    def get_fields(self) -> dict[str, Any]:
        """The kinds are known once all are declared."""
        return {**super().get_fields(), "kind": ListField(help_text="which list it is for")}

    def validate_file_name(self, value: str) -> str:
        """Raises ValidationError for what no file should be called."""
        if not _FILE_NAME.fullmatch(value):
            raise serializers.ValidationError("Write a name such as hosts.cfg, without folders.")
        return value

    def validate_media_type(self, value: str) -> str:
        """Raises ValidationError."""
        if not _MEDIA_TYPE.fullmatch(value.lower()):
            raise serializers.ValidationError("Write a media type such as text/plain or text/html.")
        return value.lower()

    def validate_text(self, value: str) -> str:
        """Raises ValidationError naming the line."""
        try:
            rendering.check(rendering.Template(value))
        except rendering.BadTemplate as error:
            raise serializers.ValidationError(error.detail) from error
        return value


registry.add(
    Resource(
        model=ExportTemplate,
        path="export-templates",
        name="export template",
        description="How a list is exported as text of any form, written in Jinja.",
        fields=ExportTemplateSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("kind", "List"),
            Column("file_name"),
            Column("media_type"),
        ),
        filters={"kind": ["exact"], "name": ["exact", "icontains"], "media_type": ["exact"]},
        search=("name", "kind"),
        ordering=("kind", "name"),
        writable=("kind", "name", "file_name", "media_type", "text"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=ExportTemplateSerializer,
        policy_attributes=("kind",),
    )
)
