"""Where things stand: sites, locations, racks, and the power that feeds them. Terms are NetBox's."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.inventory.models.declared import INSIDE, Declared


class PlaceStatus(models.TextChoices):
    """Where a place is in its life."""

    PLANNED = "planned"
    STAGING = "staging"
    ACTIVE = "active"
    DECOMMISSIONING = "decommissioning"
    RETIRED = "retired"


class Region(Declared):
    """A part of the world or of the organisation's territory."""

    PATH = "regions"
    GRAPH_KIND = "region"
    EDGES: ClassVar = {"parent": INSIDE}
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )


class Site(Declared):
    """A building or campus."""

    PATH = "sites"
    GRAPH_KIND = "site"
    EDGES: ClassVar = {"region": INSIDE}
    status = models.CharField(max_length=16, choices=PlaceStatus, default=PlaceStatus.ACTIVE)
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="sites")
    facility = models.CharField(
        max_length=100, blank=True, default="", help_text="the provider's name for it"
    )
    time_zone = models.CharField(max_length=63, blank=True, default="", help_text="such as Europe/Zurich")
    physical_address = models.CharField(max_length=300, blank=True, default="")
    latitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )

    def clean(self) -> None:
        """Its time zone is one that there is."""
        try:
            ZoneInfo(self.time_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # none, a path, a folder
            raise ValidationError({"time_zone": f"there is no time zone {self.time_zone!r}"}) from error


class Location(Declared):
    """A part of a site: a floor, a room, a cage."""

    PATH = "locations"
    GRAPH_KIND = "location"
    EDGES: ClassVar = {"site": INSIDE, "parent": INSIDE}
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="locations")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    status = models.CharField(max_length=16, choices=PlaceStatus, default=PlaceStatus.ACTIVE)


class Rack(Declared):
    """A rack or cabinet."""

    PATH = "racks"
    GRAPH_KIND = "rack"
    EDGES: ClassVar = {"site": INSIDE, "location": INSIDE}
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="racks")
    location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="racks"
    )
    status = models.CharField(max_length=16, choices=PlaceStatus, default=PlaceStatus.ACTIVE)
    serial = models.CharField(max_length=100, blank=True, default="")
    asset_tag = models.CharField(max_length=100, blank=True, default="")
    u_height = models.PositiveSmallIntegerField(
        "height in rack units", default=42, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    max_weight_kg = models.PositiveIntegerField("maximum weight in kg", null=True, blank=True)


class PowerPanel(Declared):
    """A distribution board."""

    PATH = "power-panels"
    GRAPH_KIND = "power_panel"
    EDGES: ClassVar = {"site": INSIDE, "location": INSIDE}
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="power_panels")
    location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="power_panels"
    )


class PowerFeed(Declared):
    """A circuit from a panel to a rack; the rack depends on it."""

    class Supply(models.TextChoices):
        """Alternating or direct current."""

        AC = "ac"
        DC = "dc"

    class Leg(models.TextChoices):
        """Of two feeds that back each other up, which this is."""

        PRIMARY = "primary"
        REDUNDANT = "redundant"

    PATH = "power-feeds"
    GRAPH_KIND = "power_feed"
    EDGES: ClassVar = {"panel": INSIDE}
    panel = models.ForeignKey(PowerPanel, on_delete=models.PROTECT, related_name="feeds")
    rack = models.ForeignKey(Rack, null=True, blank=True, on_delete=models.PROTECT, related_name="feeds")
    leg = models.CharField(max_length=12, choices=Leg, default=Leg.PRIMARY)
    supply = models.CharField(max_length=2, choices=Supply, default=Supply.AC)
    voltage = models.SmallIntegerField("voltage in V", default=230)
    amperage = models.PositiveSmallIntegerField("amperage in A", default=16)
    max_utilization = models.PositiveSmallIntegerField(
        "highest use in %", default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
