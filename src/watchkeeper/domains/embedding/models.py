"""The vectors, as rows that another process can follow."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Vector(models.Model):
    """What a record means, after one model: a signed byte a dimension, the largest 127; none where it has no words. One that
    is made anew is another row, so that whoever has read up to an id has missed nothing."""

    kind = models.CharField(max_length=64)  # the path of the kind
    record = models.BigIntegerField()
    model = models.CharField(max_length=16)  # Encoder.identity
    digest = models.CharField(max_length=16)  # of the text
    vector = models.BinaryField()
    waiting = models.BooleanField(default=False)  # the record may say something else by now

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "record"], name="vector_once")]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=models.Q(waiting=True), name="vector_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record}"
