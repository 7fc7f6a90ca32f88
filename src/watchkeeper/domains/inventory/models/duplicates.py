"""Items that may be the same thing, the rules that find them, and what was merged."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.kernel.fields import StructField


class MatchRule(models.Model):
    """A reason to take two items for the same thing: what it weighs, and whether it merges without asking."""

    name = models.CharField(max_length=32, unique=True, editable=False)
    weight = models.FloatField(
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="how likely two items of which this is true are the same, from 0 to 1",
    )  # fmt: skip
    enabled = models.BooleanField(default=True)
    automatic = models.BooleanField(
        "merge without asking", default=False, help_text="only for what proves it"
    )
    description = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering: ClassVar = ["-weight", "name"]
        verbose_name = "match rule"

    def __str__(self) -> str:
        return self.name


class Duplicate(models.Model):
    """Two items that may be the same, and why. What people have decided is remembered."""

    class State(models.TextChoices):
        """What was decided."""

        PROPOSED = "proposed"
        NOT_THE_SAME = "not_the_same", "not the same"

    first = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="duplicates_first")
    second = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="duplicates_second")
    score = models.FloatField()  # 0 to 1
    because = StructField(list[tuple[str, str]])  # rule, sentence
    state = models.CharField(max_length=16, choices=State, default=State.PROPOSED)
    found_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-score", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="duplicate_in_order"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-score", "id"], name="duplicate_state")]

    def __str__(self) -> str:
        return f"{self.first.name} and {self.second.name}"


class Merge(models.Model):
    """An item that has become part of another. `kept` has what it was, and every row that was moved: what undoing it
    needs. Its id leads to the other for as long as it is not undone."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="merges")
    gone = models.CharField(max_length=36, db_index=True)  # the id of the item that is no more
    name = models.CharField(max_length=255)  # and its name
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    because = StructField(list[tuple[str, str]])
    kept = StructField(dict[str, Any])
    undone_at = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} into {self.item.name}"
