"""Every kind of record of the inventory, declared: see `kinds` for what follows from a model. Its page, form, table,
REST and filters come from the declaration."""

from __future__ import annotations

from django.db.models import Q

from watchkeeper.domains.inventory import duplicate_resources, sources  # noqa: F401  (declare the rest)
from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.items import IdentifierSerializer  # noqa: F401  (declares items and relations)
from watchkeeper.domains.inventory.kinds import declare
from watchkeeper.domains.inventory.lifecycle import BOUGHT
from watchkeeper.domains.search import Names, describe
from watchkeeper.kernel.derive import plain

# --- what search cannot see from the declarations: all items have their names in one table, and others beside it ----
describe(
    "items",
    fields=("name",),
    kind_column="declared",
    names=Names(m.Identifier, "item", "value", "identifier", Q(valid_to=None)),
)

# --- places and power ---------------------------------------------------------------------------------------------
declare(m.Region, "region", "parent", related={"sites": lambda r: r.sites.all()})
declare(
    m.Site,
    "site",
    "status region facility",
    search=("facility", "physical_address"),
    related={"locations": lambda s: s.locations.all(), "racks": lambda s: s.racks.all(),
             "devices": lambda s: s.devices.all()},
)  # fmt: skip
declare(m.Location, "location", "site parent status", related={"racks": lambda x: x.racks.all()})
declare(
    m.Rack,
    "rack",
    "site location status u_height",
    search=("serial", "asset_tag"),
    related={"devices": lambda r: r.devices.all(), "power-feeds": lambda r: r.feeds.all()},
)
declare(m.PowerPanel, "power panel", "site location", related={"power-feeds": lambda p: p.feeds.all()})
declare(m.PowerFeed, "power feed", "panel rack leg voltage amperage")

# --- hardware and what connects it --------------------------------------------------------------------------------
plain(m.Manufacturer, "manufacturer", "manufacturers", "name support",
      related={"device-types": lambda x: x.device_types.all()})  # fmt: skip
plain(m.DeviceType, "device type", "device-types", "model manufacturer u_height end_of_support",
      search=("model", "part_number", "manufacturer__name"), ordering=("model", "id"),
      related={"devices": lambda x: x.devices.all()})  # fmt: skip
plain(m.Platform, "platform", "platforms", "name vendor version end_of_support",
      related={"devices": lambda x: x.devices.all(), "virtual-machines": lambda x: x.virtual_machines.all()})  # fmt: skip
declare(
    m.Device,
    "device",
    "role status site rack device_type serial",
    actions=BOUGHT,
    search=("serial", "asset_tag"),
    related={"interfaces": lambda d: m.Interface.objects.filter(owner=d.pk)},
)
declare(
    m.Interface,
    "interface",
    "type enabled speed_mbps mac_address",
    search=("mac_address",),
    related={"addresses": lambda i: m.Address.objects.filter(assigned_to=i.pk)},
)
declare(m.Cable, "cable", "type length_m colour")
plain(m.Provider, "provider", "providers", "name account support",
      related={"circuits": lambda p: p.circuits.all(), "cloud-accounts": lambda p: p.cloud_accounts.all()})  # fmt: skip
declare(m.Circuit, "circuit", "provider circuit_id status site commit_mbps ends_on", search=("circuit_id",),
        actions=BOUGHT)  # fmt: skip

# --- addressing ---------------------------------------------------------------------------------------------------
declare(m.VRF, "VRF", "rd enforce_unique", related={"prefixes": lambda v: v.prefixes.all()})
declare(m.VLAN, "VLAN", "vid site status", related={"prefixes": lambda v: v.prefixes.all()})
declare(
    m.Prefix,
    "prefix",
    "vrf vlan site status",
    related={"prefixes": lambda p: p.within(), "addresses": lambda p: p.addresses()},
)
declare(m.Address, "address", "vrf status role dns_name assigned_to", search=("dns_name",))

# --- where workloads run ------------------------------------------------------------------------------------------
declare(
    m.Cluster,
    "cluster",
    "type site version",
    related={"virtual-machines": lambda c: c.virtual_machines.all(),
             "container-workloads": lambda c: c.workloads.all()},
)  # fmt: skip
declare(
    m.VirtualMachine,
    "virtual machine",
    "status cluster device vcpus memory_mib disk_gib",
    actions=BOUGHT,
    search=("uuid",),
    related={"interfaces": lambda v: m.Interface.objects.filter(owner=v.pk)},
)
declare(m.ContainerWorkload, "container workload", "type cluster namespace image replicas", search=("image",))
declare(m.CloudAccount, "cloud account", "provider account_id budget currency", search=("account_id",),
        related={"cloud-resources": lambda a: a.resources.all()})  # fmt: skip
declare(m.CloudResource, "cloud resource", "type account region status", search=("resource_id", "type"),
        actions=BOUGHT)  # fmt: skip
declare(m.RedundancyGroup, "redundancy group", "needed", related={"group-members": lambda g: g.members.all()})
plain(m.GroupMember, "group member", "group-members", "item group", search=("item__name", "group__name"),
      ordering=("group", "id"))  # fmt: skip

# --- software, services, business ---------------------------------------------------------------------------------
declare(m.SoftwareInstance, "software instance", "product version runs_on port", search=("product",))
declare(m.Database, "database", "engine version runs_on size_gib backed_up", search=("engine",))
declare(m.Certificate, "certificate", "issuer expires_at used_by", search=("subject", "alternative_names"))
declare(m.Domain, "domain", related={"systems": lambda d: d.systems.all()})
declare(m.System, "system", "domain", related={"applications": lambda s: s.applications.all()})
declare(
    m.Application,
    "application",
    "type lifecycle criticality system owner",
    search=("owner",),
    related={"technical-services": lambda a: a.services.all(), "apis": lambda a: a.apis.all()},
)
declare(m.API, "API", "type lifecycle provided_by")
declare(m.TechnicalService, "technical service", "criticality owner application", search=("owner",))
declare(
    m.BusinessService, "business service", "criticality owner availability_target users", search=("owner",)
)
declare(m.Capability, "capability", "parent owner",
        related={"business-services": lambda c: c.services.all()})  # fmt: skip
