"""The proof of the kernel: a kind is a model and a declaration, and all that every kind promises follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.db import connection, models
from django.urls import include, path

from tests.kernel.kind_checks import KindChecks
from watchkeeper.api.records.bulk import Router
from watchkeeper.api.records.views import view_of
from watchkeeper.app.urls import urlpatterns as platform
from watchkeeper.kernel.fields import SeverityField
from watchkeeper.kernel.resource import Column, Resource, Show, registry


class Extinguisher(models.Model):
    """A device that puts out fires."""

    code = models.CharField(max_length=20, unique=True)
    agent = models.CharField(max_length=10, choices=[("foam", "Foam"), ("co2", "CO2")], default="foam")
    kilograms = models.PositiveIntegerField()
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    urgency = SeverityField(default="info")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "tests_kernel"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return str(self.code)


EXTINGUISHERS = Resource(
    model=Extinguisher,
    path="extinguishers",
    name="extinguisher",
    fields=("id", "code", "agent", "kilograms", "replaces", "tested_at", "urgency", "made_at"),
    columns=(Column("code", link=True), Column("urgency", show=Show.SEVERITY)),
    filters={
        "code": ["exact", "icontains"],
        "agent": ["exact", "in"],
        "kilograms": ["exact", "gte"],
        "replaces": ["exact", "isnull"],
        "tested_at": ["isnull", "lt"],
        "urgency": ["exact", "gte"],
    },
    search=("code",),
    ordering=("code",),
    orderable=("kilograms", "tested_at", "urgency"),
    writable=("agent", "kilograms", "replaces", "tested_at", "urgency"),
    create_only=("code",),
    allow=frozenset({"create", "change", "remove"}),
)

router = Router()
router.register(EXTINGUISHERS.path, view_of(EXTINGUISHERS), basename=EXTINGUISHERS.path)
urlpatterns = [path("api/", include(router.urls)), *platform]


@pytest.mark.urls(__name__)
class TestExtinguishers(KindChecks):
    path = "extinguishers"
    invalid = {
        "agent": "water",
        "kilograms": -1,
        "replaces": 77,
        "tested_at": "soon",
        "urgency": 3,
        "code": [],
    }
    changes = {"agent": "co2", "kilograms": 12, "tested_at": "2026-01-02T03:04:05Z", "urgency": "error"}

    def valid(self, n: int) -> dict[str, Any]:
        tested = None if n % 2 else f"2025-01-0{n % 9 + 1}T00:00:00Z"
        return {"code": f"E{n:03}", "kilograms": 6 + n // 2, "tested_at": tested}

    @pytest.fixture
    def declared(self, db: None) -> Iterator[None]:  # type: ignore[override]  # noqa: ARG002
        """The kind and its table, as long as a test runs."""
        editor = connection.schema_editor()
        editor.deferred_sql = []
        with connection.cursor() as cursor:  # inside the test's transaction, which takes it back
            cursor.execute(editor.table_sql(Extinguisher)[0])
        registry.add(EXTINGUISHERS)
        yield
        del registry._kinds[EXTINGUISHERS.path]
