"""What is behind situations, by name, for lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.utils.html import format_html

from watchkeeper.console.tables import Row
from watchkeeper.domains import inventory
from watchkeeper.domains.situations.models import Situation


def with_cause(found: Iterable[Situation]) -> list[dict[str, Any]]:
    """Situations with the names of their first cause, read in one query."""
    records = list(found)
    names = inventory.names_of(s.causes[0].item for s in records if s.causes)
    return [
        {"s": s, "cause": names.get(s.causes[0].item, s.causes[0].item) if s.causes else ""} for s in records
    ]


def below_titles(rows: Sequence[Row]) -> list[Row]:
    """Rows of a list of situations with the probable cause below the title."""
    known = {found["s"].pk: found["cause"] for found in with_cause(row.record for row in rows)}
    told = '<div>{}<div class="text-secondary small">Probable cause: {}</div></div>'
    return [
        replace(
            row,
            cells=[
                (c, format_html(told, cell, cause) if c.name == "title" and cause else cell)
                for c, cell in row.cells
            ],
        )
        for row, cause in ((row, known[row.record.pk]) for row in rows)
    ]
