"""The kinds of item as people look for them: areas with the paths of their kinds."""

from __future__ import annotations

AREAS: dict[str, tuple[str, ...]] = {
    "Places and power": ("regions", "sites", "locations", "racks", "power-panels", "power-feeds"),
    "Hardware": ("devices", "interfaces", "cables", "circuits", "manufacturers", "device-types", "platforms", "providers"),
    "Addressing": ("prefixes", "addresses", "vlans", "vrfs"),
    "Workloads": (
        "clusters", "virtual-machines", "container-workloads", "cloud-accounts", "cloud-resources", "redundancy-groups",
    ),
    "Software": ("applications", "apis", "databases", "software-instances", "certificates", "systems", "domains"),
    "Services": ("business-services", "technical-services", "capabilities"),
}  # fmt: skip
