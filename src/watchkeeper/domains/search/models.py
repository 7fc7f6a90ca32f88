"""The index: what records are called, and which of them have changed since."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """A text by which a record can be found. The upper bits of `id` stand for the kind, so that a kind's entries lie
    together, the newest last; the full-text index has the same ids."""

    id = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=64)  # the table it comes from
    kind = models.CharField(max_length=64)  # the path of the kind
    key = models.CharField(max_length=128)  # of the record
    field = models.CharField(max_length=64)
    place = models.PositiveSmallIntegerField()  # 0: what the record is called by; more: less telling
    folded = models.CharField(max_length=600)  # in lower case

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["key", "kind"], name="search_key"),
            models.Index(
                fields=["kind", "folded"],
                name="search_folded",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.folded}"


class Due(models.Model):
    """A record that has come, changed or gone, noted by the database in the transaction that did it. With an empty
    `key`: all of the source, of which those up to `after` are done."""

    source = models.CharField(max_length=64)
    key = models.CharField(max_length=128, blank=True, default="")
    after = models.CharField(max_length=128, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.source} {self.key or 'all of it'}"
