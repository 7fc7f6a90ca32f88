"""Addressing: VRFs, VLANs, prefixes and addresses. What lies in a prefix follows from the addresses themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import QuerySet

from watchkeeper.domains.inventory.models import checks
from watchkeeper.domains.inventory.models.declared import INSIDE, Declared
from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.domains.inventory.models.hardware import Interface
from watchkeeper.domains.inventory.models.places import Site
from watchkeeper.model.hostnames import host_identifiers
from watchkeeper.model.topology import Identifier


class AddressStatus(models.TextChoices):
    """Where a number is in its life."""

    ACTIVE = "active"
    RESERVED = "reserved"
    DEPRECATED = "deprecated"
    CONTAINER = "container", "container (only holds smaller ones)"
    DHCP = "dhcp", "DHCP"


class VRF(Declared):
    """A routing table of its own: within it, addresses are unique."""

    PATH = "vrfs"
    GRAPH_KIND = "vrf"
    rd = models.CharField("route distinguisher", max_length=21, blank=True, default="")
    enforce_unique = models.BooleanField("addresses are unique", default=True)


class VLAN(Declared):
    """A broadcast domain on switches."""

    PATH = "vlans"
    GRAPH_KIND = "vlan"
    vid = models.PositiveSmallIntegerField(
        "VLAN id", validators=[MinValueValidator(1), MaxValueValidator(4094)]
    )
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="vlans")
    status = models.CharField(max_length=12, choices=AddressStatus, default=AddressStatus.ACTIVE)

    class Meta(Declared.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["site", "vid"], name="vlan_once_a_site")]


class Prefix(Declared):
    """A network. `low` and `high` are its first and last address, as text that sorts as addresses do."""

    PATH = "prefixes"
    GRAPH_KIND = "prefix"
    prefix = models.CharField(max_length=43, validators=[checks.check_network])
    vrf = models.ForeignKey(
        VRF, null=True, blank=True, on_delete=models.PROTECT, related_name="prefixes", verbose_name="VRF"
    )
    vlan = models.ForeignKey(
        VLAN, null=True, blank=True, on_delete=models.SET_NULL, related_name="prefixes", verbose_name="VLAN"
    )
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="prefixes")
    status = models.CharField(max_length=12, choices=AddressStatus, default=AddressStatus.ACTIVE)
    low = models.CharField(max_length=34, editable=False)
    high = models.CharField(max_length=34, editable=False)
    length = models.PositiveSmallIntegerField(editable=False)

    class Meta(Declared.Meta):
        indexes: ClassVar = [models.Index(fields=["low", "high"], name="prefix_bounds")]

    def complete(self) -> None:
        """One spelling, and its bounds."""
        found = checks.network(self.prefix)
        self.prefix, self.length = str(found), found.prefixlen
        self.low, self.high = checks.bounds(found)
        super().complete()

    def called(self) -> str:
        """The prefix itself."""
        return self.prefix

    def looks_around(self) -> bool:
        """An address space is one."""
        return True

    def clean(self) -> None:
        """Unique in its VRF where the VRF says so; the table of no VRF always does."""
        if self.vrf is not None and not self.vrf.enforce_unique:
            return
        text = str(checks.network(self.prefix))
        if Prefix.objects.filter(vrf=self.vrf, prefix=text).exclude(pk=self.pk).exists():
            raise ValidationError({"prefix": f"{text} is there already in {self.vrf or 'the global table'}"})

    def within(self) -> QuerySet[Prefix]:
        """The prefixes inside this one."""
        inside = Prefix.objects.filter(vrf=self.vrf_id, low__gte=self.low, high__lte=self.high)
        return inside.exclude(pk=self.pk).filter(length__gt=self.length)

    def addresses(self) -> QuerySet[Address]:
        """The addresses inside this one."""
        return Address.objects.filter(vrf=self.vrf_id, sort_key__gte=self.low, sort_key__lte=self.high)


class Address(Declared):
    """An IP address, perhaps of an interface; then the machine is known by it."""

    class Role(models.TextChoices):
        """Special addresses."""

        LOOPBACK = "loopback"
        SECONDARY = "secondary"
        ANYCAST = "anycast"
        VIRTUAL = "virtual", "virtual (VIP, VRRP, HSRP)"

    PATH = "addresses"
    GRAPH_KIND = "address"
    EDGES: ClassVar = {"assigned_to": INSIDE}
    address = models.CharField(
        max_length=43, validators=[checks.check_interface], help_text="with its mask: 10.0.0.5/24"
    )
    vrf = models.ForeignKey(
        VRF, null=True, blank=True, on_delete=models.PROTECT, related_name="addresses", verbose_name="VRF"
    )
    status = models.CharField(max_length=12, choices=AddressStatus, default=AddressStatus.ACTIVE)
    role = models.CharField(max_length=12, choices=Role, blank=True, default="")
    dns_name = models.CharField("DNS name", max_length=255, blank=True, default="")
    assigned_to = models.ForeignKey(
        Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="assigned_addresses",
        help_text="an interface, a device or a virtual machine",
    )  # fmt: skip
    sort_key = models.CharField(max_length=34, editable=False, db_index=True)

    def complete(self) -> None:
        """One spelling, and the key by which addresses sort."""
        found = checks.interface(self.address)
        self.address, self.sort_key = str(found), checks.sortable(found.ip)
        super().complete()

    def called(self) -> str:
        """The address itself."""
        return self.address

    def looks_around(self) -> bool:
        """An address space is one."""
        return True

    def clean(self) -> None:
        """Unique in its VRF, unless many are meant to have it."""
        if self.role in (self.Role.ANYCAST, self.Role.VIRTUAL) or (
            self.vrf is not None and not self.vrf.enforce_unique
        ):
            return
        key = checks.sortable(checks.interface(self.address).ip)
        same = Address.objects.filter(vrf=self.vrf, sort_key=key).exclude(pk=self.pk)
        if same.exclude(role__in=(self.Role.ANYCAST, self.Role.VIRTUAL)).exists():
            raise ValidationError({"address": f"it is there already in {self.vrf or 'the global table'}"})

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """The machine is known by its address, where the address says which machine is meant."""
        owner = self.assigned_to
        if owner is None or self.role in (self.Role.ANYCAST, self.Role.VIRTUAL):
            return
        port = owner if isinstance(owner, Interface) else getattr(owner, "as_interface", None)
        for x in host_identifiers(str(checks.interface(self.address).ip)):
            yield (port.owner_id if port else owner.pk), x
