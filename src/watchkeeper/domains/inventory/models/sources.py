"""Where the inventory's facts come from: sources, how much each is believed, and what each says of an item."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.kernel.fields import StructField

#: those that are there from the first start; what discovers calls itself by these names
PEOPLE = "people"


class Source(models.Model):
    """Something that tells what there is: a poller, a file, another system, people."""

    class Type(models.TextChoices):
        """What it is."""

        PEOPLE = "people"
        POLLER = "poller"
        SIGNALS = "signals", "signals (traces, logs, metrics, alerts)"
        FILE = "file"
        NETBOX = "netbox", "NetBox"
        GLPI = "glpi", "GLPI"
        BACKSTAGE = "backstage", "Backstage"
        AWS = "aws", "AWS"
        KUBERNETES = "kubernetes", "Kubernetes"
        LIBVIRT = "libvirt", "libvirt"
        OTHER = "other"

    class Orphans(models.TextChoices):
        """What becomes of an item that no source names any more."""

        ASK = "ask", "keep it and list it, for its owner to decide"
        RETIRE = "retire", "retire it (decommissioning, deprecated)"
        REMOVE = "remove", "remove it"

    name = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=12, choices=Type, default=Type.OTHER)
    rank = models.PositiveSmallIntegerField(
        default=50, help_text="whose word counts when sources differ: the lowest rank; people have 10"
    )
    stale_after_hours = models.PositiveIntegerField(
        "stale after hours", default=0,
        help_text="what a whole reading no longer names is stale after so long; 0: at once",
    )  # fmt: skip
    orphans = models.CharField(max_length=8, choices=Orphans, default=Orphans.ASK)
    orphan_after_days = models.PositiveIntegerField("orphaned after days", default=30)
    least_percent = models.PositiveSmallIntegerField(
        "least share in %", default=50, validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="a whole reading that names less than this share of what it named is done only when confirmed",
    )  # fmt: skip
    last_read_at = models.DateTimeField(null=True, default=None, editable=False)
    named = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering: ClassVar = ["rank", "name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def people(cls) -> Source:
        """The source that stands for what people enter."""
        return cls.objects.get_or_create(name=PEOPLE, defaults={"type": cls.Type.PEOPLE, "rank": 10})[0]


class Precedence(models.Model):
    """An exception: for one kind, one attribute or one attribute of one kind, a source has another rank."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="precedence")
    kind = models.CharField(
        max_length=64, blank=True, default="", help_text="such as devices; empty: every kind"
    )
    attribute = models.CharField(
        max_length=64, blank=True, default="", help_text="such as site; empty: every one"
    )
    rank = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["kind", "attribute", "rank", "id"]
        verbose_name = "precedence"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "kind", "attribute"], name="precedence_once")
        ]

    def __str__(self) -> str:
        return f"{self.source.name}: {self.kind or 'every kind'}, {self.attribute or 'every attribute'}"


class Statement(models.Model):
    """What a source says of an item, kept beside what is shown. `key` is the source's own key for it."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="statements")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="statements")
    key = models.CharField(max_length=255)
    values = StructField(dict[str, Any])
    identifiers = StructField(list[tuple[str, str]])
    relations = StructField(list[tuple[str, str, str]])  # source, kind, target
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    stale_since = models.DateTimeField(null=True, default=None)

    class Meta:
        ordering: ClassVar = ["source__rank", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "key"], name="statement_once")]
        indexes: ClassVar = [
            models.Index(fields=["source", "stale_since", "last_seen_at"], name="statement_seen")
        ]

    def __str__(self) -> str:
        return f"{self.source.name} on {self.item.name}"
