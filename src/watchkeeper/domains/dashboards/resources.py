"""Dashboards, declared. Those that are ready are only copied."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from watchkeeper.domains.dashboards import definition
from watchkeeper.domains.dashboards.checking import check
from watchkeeper.domains.dashboards.models import Dashboard
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


@extend_schema_field(OpenApiTypes.OBJECT)
class DefinitionField(serializers.JSONField):
    """A definition as JSON, or as a text of YAML."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError naming the panel or variable and its field."""
        try:
            found = definition.read(data)
            check(found)
        except definition.BadDefinition as error:
            raise serializers.ValidationError(error.detail) from error
        return definition.plain(found)


class DashboardSerializer(RecordSerializer):
    """The definition has to be one."""

    definition = DefinitionField(
        default=dict, style={"input": "yaml", "rows": 24},
        help_text="variables and panels, as YAML; the panels can also be put together by clicking, on its page",
    )  # fmt: skip

    class Meta:
        model = Dashboard
        fields = ("id", "name", "folder", "description", "definition", "ready", "changed_at")
        read_only_fields = ("id", "ready", "changed_at")


def _refuse_ready(dashboard: Dashboard) -> None:
    if dashboard.ready:
        raise Refused("this dashboard comes with Watchkeeper; make a copy and change that")


def _change(_: Actor, dashboard: Dashboard, data: dict[str, Any]) -> Dashboard:
    _refuse_ready(dashboard)
    for name, value in data.items():
        setattr(dashboard, name, value)
    dashboard.save()
    return dashboard


def _remove(_: Actor, dashboard: Dashboard) -> None:
    _refuse_ready(dashboard)
    dashboard.delete()


registry.add(
    Resource(
        model=Dashboard,
        path="dashboards",
        name="dashboard",
        description="Pictures of what is measured, logged and wrong: put together by clicking, or as YAML.",
        fields=DashboardSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("folder"),
            Column("description"),
            Column("changed_at", "Changed", Show.TIME),
        ),
        filters={
            "name": ["exact", "icontains"],
            "folder": ["exact", "icontains"],
            "ready": ["exact"],
            "changed_at": ["gte", "lt"],
        },
        search=("name", "folder", "description"),
        ordering=("folder", "name", "id"),
        orderable=("changed_at",),
        writable=("name", "folder", "description", "definition"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=DashboardSerializer,
        change=_change,
        remove=_remove,
        policy_attributes=("folder", "ready"),
    )
)
