"""Hardware and what connects it: manufacturers, device types, devices, interfaces, cables, circuits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from watchkeeper.domains.inventory.models import checks
from watchkeeper.domains.inventory.models.declared import INSIDE, Declared, Edge
from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.domains.inventory.models.places import Location, Rack, Site
from watchkeeper.model.hostnames import hardware_identifier, host_identifiers
from watchkeeper.model.topology import Identifier, RelationKind, part


class Lifecycle(models.TextChoices):
    """From purchase to disposal."""

    PLANNED = "planned"
    ORDERED = "ordered"
    IN_STOCK = "in_stock", "in stock"
    STAGED = "staged"
    ACTIVE = "active"
    FAILED = "failed"
    DECOMMISSIONING = "decommissioning"
    DISPOSED = "disposed"


class Manufacturer(models.Model):
    """Who makes hardware."""

    name = models.CharField(max_length=100, unique=True)
    url = models.URLField(blank=True, default="")
    support = models.CharField(max_length=200, blank=True, default="", help_text="how to reach their support")

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class DeviceType(models.Model):
    """A model of hardware that can be bought."""

    manufacturer = models.ForeignKey(Manufacturer, on_delete=models.PROTECT, related_name="device_types")
    model = models.CharField(max_length=100)
    part_number = models.CharField(max_length=100, blank=True, default="")
    u_height = models.PositiveSmallIntegerField("height in rack units", default=1)
    power_w = models.PositiveIntegerField("power in W", null=True, blank=True)
    end_of_sale = models.DateField(null=True, blank=True)
    end_of_support = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["manufacturer__name", "model", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["manufacturer", "model"], name="device_type_once")
        ]

    def __str__(self) -> str:
        return f"{self.manufacturer.name} {self.model}"


class Platform(models.Model):
    """An operating system or firmware, with the dates that matter for upgrades."""

    name = models.CharField(max_length=100, unique=True)
    vendor = models.CharField(max_length=100, blank=True, default="")
    version = models.CharField(max_length=64, blank=True, default="")
    end_of_support = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Device(Declared):
    """A piece of hardware with a name."""

    class Role(models.TextChoices):
        """What it is for."""

        SERVER = "server"
        ROUTER = "router"
        SWITCH = "switch"
        FIREWALL = "firewall"
        LOAD_BALANCER = "load_balancer", "load balancer"
        ACCESS_POINT = "access_point", "access point"
        STORAGE = "storage"
        PRINTER = "printer"
        ENDPOINT = "endpoint", "endpoint (desktop, laptop, phone)"
        UPS = "ups", "UPS"
        PDU = "pdu", "PDU"
        SENSOR = "sensor"
        OTHER = "other"

    class Face(models.TextChoices):
        """The side of the rack it is mounted at."""

        FRONT = "front"
        REAR = "rear"

    PATH = "devices"
    GRAPH_KIND = "host"
    EDGES: ClassVar = {"site": INSIDE, "location": INSIDE, "rack": INSIDE}
    role = models.CharField(max_length=16, choices=Role, default=Role.SERVER)
    status = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.ACTIVE)
    device_type = models.ForeignKey(
        DeviceType, null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    platform = models.ForeignKey(
        Platform, null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    serial = models.CharField(max_length=100, blank=True, default="")
    asset_tag = models.CharField(max_length=100, blank=True, default="")
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="devices")
    location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="devices"
    )
    rack = models.ForeignKey(Rack, null=True, blank=True, on_delete=models.PROTECT, related_name="devices")
    position = models.PositiveSmallIntegerField(
        "lowest rack unit", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    face = models.CharField(max_length=8, choices=Face, blank=True, default="")
    purchased_on = models.DateField(null=True, blank=True)
    warranty_until = models.DateField(null=True, blank=True)

    class Meta(Declared.Meta):
        indexes: ClassVar = [
            models.Index(fields=["serial"], name="device_serial"),
            models.Index(fields=["warranty_until", "status", "device_type"], name="device_warranty"),
        ]

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """Its host name and serial number."""
        yield from ((self.pk, x) for x in host_identifiers(self.name))
        if (serial := hardware_identifier("serial", self.serial)) is not None:
            yield self.pk, serial

    def looks_around(self) -> bool:
        """Two things may want one place in a rack."""
        return self.position is not None and self.rack_id is not None

    def clean(self) -> None:
        """A rack holds it only where it is high enough, and no two things stand in one place."""
        if self.position is None or self.rack is None:
            return
        height = self.device_type.u_height if self.device_type else 1
        top = self.position + max(height, 1) - 1
        if top > self.rack.u_height:
            raise ValidationError({"position": f"{self.rack.name} ends at unit {self.rack.u_height}"})
        others = self.rack.devices.exclude(pk=self.pk).filter(face=self.face, position__isnull=False)
        for other in others.select_related("device_type"):
            assert other.position is not None
            upper = other.position + max(other.device_type.u_height if other.device_type else 1, 1) - 1
            if other.position <= top and self.position <= upper:
                raise ValidationError(
                    {"position": f"{other.name} stands at units {other.position} to {upper}"}
                )


class Interface(Declared):
    """A port of a device or virtual machine."""

    class Type(models.TextChoices):
        """Physical kind."""

        VIRTUAL = "virtual"
        LAG = "lag", "link aggregation"
        COPPER_1G = "1000base-t", "1000BASE-T"
        SFP = "sfp", "SFP (1 Gbit/s)"
        SFP_PLUS = "sfp+", "SFP+ (10 Gbit/s)"
        SFP28 = "sfp28", "SFP28 (25 Gbit/s)"
        QSFP28 = "qsfp28", "QSFP28 (100 Gbit/s)"
        WIRELESS = "wireless"
        OTHER = "other"

    PATH = "interfaces"
    GRAPH_KIND = "interface"
    EDGES: ClassVar = {"owner": INSIDE}
    owner = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="ports", help_text="the device or virtual machine"
    )
    label = models.CharField(max_length=64, help_text="as the device calls it, such as eth0 or Gi1/0/1")
    type = models.CharField(max_length=16, choices=Type, default=Type.OTHER)
    enabled = models.BooleanField(default=True)
    mtu = models.PositiveIntegerField("MTU in bytes", null=True, blank=True)
    speed_mbps = models.PositiveIntegerField("speed in Mbit/s", null=True, blank=True)
    mac_address = models.CharField(max_length=17, blank=True, default="", validators=[checks.check_mac])

    class Meta(Declared.Meta):
        indexes: ClassVar = [models.Index(fields=["mac_address"], name="interface_mac")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "label"], name="interface_once")]

    def complete(self) -> None:
        """A MAC address has one spelling."""
        self.mac_address = checks.mac(self.mac_address) if self.mac_address else ""
        super().complete()

    def called(self) -> str:
        """Label and owner."""
        return f"{self.label} on {self.owner.name}"

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """Its label on its device, and its MAC address."""
        yield self.pk, part(self.owner_id, "interface", self.label)
        if self.mac_address:
            yield self.pk, Identifier("mac", self.mac_address)


class Cable(Declared):
    """A cable between two interfaces, which it connects."""

    class Type(models.TextChoices):
        """Material."""

        CAT5E = "cat5e", "Cat 5e"
        CAT6 = "cat6", "Cat 6"
        CAT6A = "cat6a", "Cat 6A"
        DAC = "dac", "direct attach copper"
        MULTI_MODE = "mmf", "multi-mode fibre"
        SINGLE_MODE = "smf", "single-mode fibre"
        POWER = "power"
        OTHER = "other"

    PATH = "cables"
    GRAPH_KIND = "cable"
    a_end = models.ForeignKey(Interface, on_delete=models.CASCADE, related_name="cables_a")
    b_end = models.ForeignKey(Interface, on_delete=models.CASCADE, related_name="cables_b")
    type = models.CharField(max_length=8, choices=Type, default=Type.OTHER)
    colour = models.CharField(max_length=32, blank=True, default="")
    length_m = models.FloatField("length in m", null=True, blank=True, validators=[MinValueValidator(0)])

    def clean(self) -> None:
        """Two ends."""
        if self.a_end_id == self.b_end_id:
            raise ValidationError({"b_end": "a cable has two ends"})

    def called(self) -> str:
        """Its ends."""
        return f"{self.a_end.name} – {self.b_end.name}"[:255]

    def edges(self) -> Iterator[tuple[str, str, RelationKind]]:
        """It connects its ends."""
        yield self.a_end_id, self.b_end_id, RelationKind.CONNECTS_TO


class Provider(models.Model):
    """Who sells circuits or cloud."""

    name = models.CharField(max_length=100, unique=True)
    account = models.CharField(max_length=100, blank=True, default="", help_text="our customer number there")
    portal = models.URLField(blank=True, default="")
    support = models.CharField(max_length=200, blank=True, default="", help_text="how to reach their support")

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Circuit(Declared):
    """A line rented from a provider, ending at a site."""

    PATH = "circuits"
    GRAPH_KIND = "circuit"
    EDGES: ClassVar = {"site": Edge(RelationKind.CONNECTS_TO), "far_site": Edge(RelationKind.CONNECTS_TO)}
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="circuits")
    circuit_id = models.CharField(max_length=100, help_text="the provider's name for it")
    status = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.ACTIVE)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="circuits")
    far_site = models.ForeignKey(
        Site, null=True, blank=True, on_delete=models.PROTECT, related_name="far_circuits"
    )
    commit_mbps = models.PositiveIntegerField("committed rate in Mbit/s", null=True, blank=True)
    installed_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    def called(self) -> str:
        """The provider and its name for the line."""
        return f"{self.provider.name} {self.circuit_id}"
