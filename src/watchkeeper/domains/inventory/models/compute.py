"""Where workloads run: clusters, virtual machines, container workloads, cloud accounts and resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.db import models

from watchkeeper.domains.inventory.models.declared import INSIDE, MEMBER_OF, RUNS_ON, Declared
from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.domains.inventory.models.hardware import Device, Lifecycle, Platform, Provider
from watchkeeper.domains.inventory.models.places import Site
from watchkeeper.model.hostnames import hardware_identifier, host_identifiers
from watchkeeper.model.topology import Identifier


class Cluster(Declared):
    """Machines that carry workloads together."""

    class Type(models.TextChoices):
        """What holds it together."""

        KUBERNETES = "kubernetes", "Kubernetes"
        VSPHERE = "vsphere", "vSphere"
        PROXMOX = "proxmox", "Proxmox VE"
        HYPER_V = "hyper-v", "Hyper-V"
        LIBVIRT = "libvirt", "libvirt"
        OTHER = "other"

    PATH = "clusters"
    GRAPH_KIND = "cluster"
    EDGES: ClassVar = {"site": INSIDE}
    type = models.CharField(max_length=12, choices=Type, default=Type.OTHER)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.PROTECT, related_name="clusters")
    version = models.CharField(max_length=64, blank=True, default="")


class VirtualMachine(Declared):
    """A virtual machine, on a cluster or on one device."""

    PATH = "virtual-machines"
    GRAPH_KIND = "host"
    EDGES: ClassVar = {"cluster": RUNS_ON, "device": RUNS_ON}
    status = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.ACTIVE)
    cluster = models.ForeignKey(
        Cluster, null=True, blank=True, on_delete=models.PROTECT, related_name="virtual_machines"
    )
    device = models.ForeignKey(
        Device, null=True, blank=True, on_delete=models.PROTECT, related_name="virtual_machines"
    )
    platform = models.ForeignKey(
        Platform, null=True, blank=True, on_delete=models.PROTECT, related_name="virtual_machines"
    )
    vcpus = models.FloatField("virtual CPUs", null=True, blank=True)
    memory_mib = models.PositiveBigIntegerField("memory in MiB", null=True, blank=True)
    disk_gib = models.PositiveBigIntegerField("disk in GiB", null=True, blank=True)
    uuid = models.CharField("UUID", max_length=36, blank=True, default="")

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """Its host name and UUID."""
        yield from ((self.pk, x) for x in host_identifiers(self.name))
        if (uuid := hardware_identifier("uuid", self.uuid)) is not None:
            yield self.pk, uuid


class ContainerWorkload(Declared):
    """A deployment, stateful set or the like of a container cluster."""

    class Type(models.TextChoices):
        """As Kubernetes calls it."""

        DEPLOYMENT = "deployment"
        STATEFULSET = "statefulset", "stateful set"
        DAEMONSET = "daemonset", "daemon set"
        CRONJOB = "cronjob", "cron job"

    PATH = "container-workloads"
    GRAPH_KIND = "workload"
    EDGES: ClassVar = {"cluster": RUNS_ON}
    type = models.CharField(max_length=12, choices=Type, default=Type.DEPLOYMENT)
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="workloads")
    namespace = models.CharField(max_length=63, default="default")
    image = models.CharField(max_length=255, blank=True, default="")
    replicas = models.PositiveSmallIntegerField(default=1)

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """Its name as Kubernetes has it: cluster, namespace, name."""
        name = f"{self.cluster.name}/{self.namespace}/{self.name}".lower()
        yield self.pk, Identifier(f"k8s.{self.type}", name)


class CloudAccount(Declared):
    """An account, subscription or project at a cloud provider."""

    PATH = "cloud-accounts"
    GRAPH_KIND = "cloud_account"
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="cloud_accounts")
    account_id = models.CharField("account id", max_length=100)
    budget = models.DecimalField("monthly budget", max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217, such as EUR")


class CloudResource(Declared):
    """A resource in a cloud account: an instance, a bucket, a managed database."""

    PATH = "cloud-resources"
    GRAPH_KIND = "cloud_resource"
    EDGES: ClassVar = {"account": INSIDE}
    account = models.ForeignKey(CloudAccount, on_delete=models.PROTECT, related_name="resources")
    type = models.CharField(max_length=100, help_text="as the provider calls it, such as ec2:instance")
    region = models.CharField(max_length=64, blank=True, default="")
    resource_id = models.CharField("resource id", max_length=255)
    status = models.CharField(max_length=16, choices=Lifecycle, default=Lifecycle.ACTIVE)

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """The provider's id for it."""
        yield self.pk, Identifier("cloud.id", self.resource_id.lower())


class RedundancyGroup(Declared):
    """Items of which some have to work: the group is well while `needed` of its members are."""

    PATH = "redundancy-groups"
    GRAPH_KIND = "redundancy_group"
    needed = models.PositiveSmallIntegerField("how many have to work", default=1)


class GroupMember(models.Model):
    """An item in a redundancy group."""

    group = models.ForeignKey(RedundancyGroup, on_delete=models.CASCADE, related_name="members")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="redundancy")
    EDGES: ClassVar = {"group": MEMBER_OF}

    class Meta:
        ordering: ClassVar = ["group", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["group", "item"], name="group_member_once")]

    def __str__(self) -> str:
        return f"{self.item.name} in {self.group.name}"
