"""Scrape jobs and probes, declared."""

from __future__ import annotations

from watchkeeper.domains.polling.models import Probe, ScrapeJob
from watchkeeper.domains.polling.serializers import ProbeSerializer, ScrapeJobSerializer
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.resource import Column, Resource, Show, registry

_ALLOW = frozenset({"create", "change", "remove"})

registry.add(
    Resource(
        model=ScrapeJob,
        path="scrape-jobs",
        prepare=lambda found: found.defer("password", "bearer"),
        name="scrape job",
        description="Targets whose metrics are fetched as Prometheus does it: written down, or found by files, an address "
        "or the inventory.",
        fields=ScrapeJobSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("targets", show=Show.TAGS),
            Column("item_kind", "Items of kind"),
            Column("interval", "Every (seconds)", Show.COUNT),
            Column("enabled", "On", Show.YES),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"], "item_kind": ["exact"], "item_tag": ["exact"],
                 "scheme": ["exact", "in"]},
        search=("name",),
        ordering=("name",),
        orderable=("interval",),
        writable=tuple(f for f in ScrapeJobSerializer.Meta.fields if f != "id"),
        allow=_ALLOW,
        serializer=ScrapeJobSerializer,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip

registry.add(
    Resource(
        model=Probe,
        path="probes",
        name="probe",
        description="Questions that tell whether something answers as it should: a ping, a connection, a page, a name, a "
        "certificate.",
        fields=ProbeSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("kind", show=Show.STATE),
            Column("targets", show=Show.TAGS),
            Column("item_kind", "Items of kind"),
            Column("interval", "Every (seconds)", Show.COUNT),
            Column("enabled", "On", Show.YES),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"], "kind": ["exact", "in"],
                 "item_kind": ["exact"], "item_tag": ["exact"], "severity": ["exact", "in"]},
        search=("name",),
        ordering=("name",),
        orderable=("interval", "kind"),
        writable=tuple(f for f in ProbeSerializer.Meta.fields if f != "id"),
        allow=_ALLOW,
        serializer=ProbeSerializer,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip
