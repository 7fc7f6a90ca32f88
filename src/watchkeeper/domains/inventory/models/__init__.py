"""The inventory's records. `graph` has what all items share, `declared` what the kinds with a record of their own
share; the others have the kinds."""

from watchkeeper.domains.inventory.models.addressing import VLAN, VRF, Address, Prefix
from watchkeeper.domains.inventory.models.compute import (
    CloudAccount,
    CloudResource,
    Cluster,
    ContainerWorkload,
    GroupMember,
    RedundancyGroup,
    VirtualMachine,
)
from watchkeeper.domains.inventory.models.connections import Connection
from watchkeeper.domains.inventory.models.declared import Declared
from watchkeeper.domains.inventory.models.duplicates import Duplicate, MatchRule, Merge
from watchkeeper.domains.inventory.models.graph import Identifier, Item, Relation
from watchkeeper.domains.inventory.models.hardware import (
    Cable,
    Circuit,
    Device,
    DeviceType,
    Interface,
    Manufacturer,
    Platform,
    Provider,
)
from watchkeeper.domains.inventory.models.places import Location, PowerFeed, PowerPanel, Rack, Region, Site
from watchkeeper.domains.inventory.models.software import (
    API,
    Application,
    BusinessService,
    Capability,
    Certificate,
    Database,
    Domain,
    SoftwareInstance,
    System,
    TechnicalService,
)
from watchkeeper.domains.inventory.models.sources import Precedence, Source, Statement

__all__ = [
    "API", "VLAN", "VRF", "Address", "Application", "BusinessService", "Cable", "Capability", "Certificate",
    "Circuit", "CloudAccount", "CloudResource", "Cluster", "Connection", "ContainerWorkload", "Database", "Declared",
    "Device", "DeviceType", "Domain", "Duplicate", "GroupMember", "Identifier", "Interface", "Item",
    "Location", "Manufacturer", "MatchRule", "Merge", "Platform", "PowerFeed", "PowerPanel", "Precedence",
    "Prefix", "Provider", "Rack", "RedundancyGroup", "Region",
    "Relation", "Site", "SoftwareInstance", "Source", "Statement", "System", "TechnicalService", "VirtualMachine",
]  # fmt: skip
