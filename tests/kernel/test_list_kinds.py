"""Saved views and export templates keep what every kind promises."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks


class TestSavedViews(KindChecks):
    path = "saved-views"
    invalid = {
        "kind": "dragons",
        "sharing": "all",
        "filters": {"colour": "red"},
        "ordering": "weight",
        "columns": ["weight"],
        "name": "17",
    }
    changes = {"search": "rack", "filters": {"status": "failed"}, "columns": ["name", "rack__name"]}

    def valid(self, n: int) -> dict[str, Any]:
        return {"kind": "devices", "name": f"view {n}", "sharing": "everyone", "ordering": "-last_seen_at"}


class TestExportTemplates(KindChecks):
    path = "export-templates"
    invalid = {"kind": "dragons", "text": "{% for x in %}", "file_name": "../x", "media_type": "text"}
    changes = {"text": "{{ records|length }}\n", "media_type": "text/csv"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"kind": "devices", "name": f"template {n}", "file_name": "hosts.cfg", "text": "{{ kind }}"}
