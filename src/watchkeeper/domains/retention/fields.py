"""Days by table, as REST and jobs take them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.telemetry.kept import MOST, TABLES


class RetentionFields(serializers.Serializer[Any]):
    """A table that is left out stays as it is."""

    def get_fields(self) -> dict[str, Any]:
        """One a table."""
        return {
            table: serializers.IntegerField(
                min_value=0, max_value=MOST, required=False, help_text=f"{kept.label}: days, 0 for ever"
            )
            for table, kept in TABLES.items()
        }
