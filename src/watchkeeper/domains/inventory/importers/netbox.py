"""NetBox: what its REST API answers, of versions 3 and 4. A file holds any of its lists, one after the other, in an
object or alone (`curl …/api/dcim/devices/?limit=0`); each object says by its `url` what it is.

What inventory has no kind for (tenants, contacts, wireless …) is left out; a device's tenant, tags and own fields are
kept as attributes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import at, json_documents, objects, rows, said, word
from watchkeeper.model.errors import Malformed

Record = dict[str, Any]
_URL = re.compile(r"/api/([a-z-]+/[a-z-]+)/\d+/?$")
_METRES = {"km": 1000.0, "m": 1.0, "cm": 0.01, "mi": 1609.344, "ft": 0.3048, "in": 0.0254}
_ROLES = (
    ("firewall", "firewall"), ("router", "router"), ("load", "load_balancer"), ("access-point", "access_point"),
    ("wireless", "access_point"), ("switch", "switch"), ("core", "switch"), ("leaf", "switch"), ("spine", "switch"),
    ("storage", "storage"), ("nas", "storage"), ("printer", "printer"), ("ups", "ups"), ("pdu", "pdu"),
    ("sensor", "sensor"), ("server", "server"), ("hypervisor", "server"), ("workstation", "endpoint"),
    ("laptop", "endpoint"), ("phone", "endpoint"),
)  # fmt: skip
_DEVICE = {
    "offline": "staged", "active": "active", "planned": "planned", "staged": "staged", "failed": "failed",
    "inventory": "in_stock", "decommissioning": "decommissioning", "paused": "staged",
}  # fmt: skip
_PLACE = {"reserved": "planned", "available": "staging", "deprecated": "decommissioning"}
_NUMBER = {"slaac": "active"}
_SHARED = {"vip": "virtual", "vrrp": "virtual", "hsrp": "virtual", "glbp": "virtual", "carp": "virtual"}
_CLUSTERS = ("kubernetes", "vsphere", "proxmox", "hyper-v", "libvirt")
_PORTS = (
    (r"1000base-t$", "1000base-t"), (r"1000base-x-sfp", "sfp"), (r"10gbase-x-sfpp", "sfp+"),
    (r"25gbase-x-sfp28", "sfp28"), (r"100gbase-x-qsfp28", "qsfp28"), (r"ieee802\.11", "wireless"),
    (r"virtual|bridge", "virtual"), (r"lag", "lag"),
)  # fmt: skip
_CABLES = (
    (r"cat5e", "cat5e"), (r"cat6a", "cat6a"), (r"cat6", "cat6"), (r"dac", "dac"), (r"mmf|aoc", "mmf"), (r"smf", "smf"),
    (r"power", "power"),
)  # fmt: skip


@importer("netbox", "NetBox (answers of its API, JSON)", type="netbox")
def read(data: bytes) -> Iterator[Described]:
    """The objects of a file. Raises Malformed when it is no JSON, or holds none of NetBox's objects."""
    found = [o for document in json_documents(data) for o in objects(document, "url")]
    if not found:
        raise Malformed("the file has no objects of NetBox: each of them has a url")
    return described(found)


def described(found: list[Record]) -> Iterator[Described]:
    """Objects of NetBox's API as described things."""
    heights = {o["id"]: o.get("u_height") for o in found if _kind(o) == "dcim/device-types"}
    ends = _circuit_ends(found)
    for o in found:
        kind = _kind(o)
        if kind == "dcim/devices":
            yield _device(o, heights)
        elif kind == "circuits/circuits":
            yield _circuit(o, ends)
        elif (make := _MAKERS.get(kind)) and (made := make(o)):
            yield made


def _kind(o: Record) -> str:
    match = _URL.search(word(o, "url"))
    return match[1] if match else ""


def _key(kind: str, other: Any) -> str:
    number = other if isinstance(other, int) else at(other, "id")
    return f"{kind}/{number}" if number else ""


def _refs(**references: str) -> dict[str, str]:
    return {name: key for name, key in references.items() if key}


def _value(o: Record, name: str) -> str:
    """A choice, which is an object in most places and a word in some."""
    return word(o, name, "value") or word(o, name)


def _site(o: Record) -> str:
    """Of what lies at a site: its own field, or since NetBox 4.2 its scope."""
    scope = o.get("scope") if word(o, "scope_type") == "dcim.site" else None
    return _key("dcim/sites", o.get("site") or scope)


def _more(o: Record) -> Record:
    """What has no field here."""
    tags = [word(t, "name") or word(t, "display") for t in rows(o, "tags")]
    own = o.get("custom_fields")
    values = said(tenant=word(o, "tenant", "name"), description=word(o, "description"), tags=tags)
    return values | (said(**own) if isinstance(own, dict) else {})


def _whole(number: Any) -> int | None:
    return math.floor(number) if isinstance(number, int | float) and not isinstance(number, bool) else None


def _first(table: tuple[tuple[str, str], ...], text: str, otherwise: str) -> str:
    return next((to for pattern, to in table if re.search(pattern, text)), otherwise)


def _place(o: Record) -> str:
    status = _value(o, "status")
    return _PLACE.get(status, status)


def _mac(o: Record) -> str:
    return word(o, "mac_address") or word(o, "primary_mac_address", "mac_address")


# --- kinds ----------------------------------------------------------------------------------------------------------
def _region(o: Record) -> Described:
    return Described("regions", _key("dcim/regions", o), word(o, "name"), _more(o),
                     _refs(parent=_key("dcim/regions", o.get("parent"))))  # fmt: skip


def _a_site(o: Record) -> Described:
    values = said(
        status=_place(o), facility=word(o, "facility"), time_zone=word(o, "time_zone"),
        physical_address=" ".join(word(o, "physical_address").split()), latitude=o.get("latitude"),
        longitude=o.get("longitude"),
    )  # fmt: skip
    return Described("sites", _key("dcim/sites", o), word(o, "name"), values | _more(o),
                     _refs(region=_key("dcim/regions", o.get("region"))))  # fmt: skip


def _location(o: Record) -> Described:
    return Described("locations", _key("dcim/locations", o), word(o, "name"), said(status=_place(o)) | _more(o),
                     _refs(site=_site(o), parent=_key("dcim/locations", o.get("parent"))))  # fmt: skip


def _rack(o: Record) -> Described:
    kilograms = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "oz": 0.0283495}.get(_value(o, "weight_unit"), 0.0)
    heaviest = (o.get("max_weight") or 0) * kilograms
    values = said(
        status=_place(o), serial=word(o, "serial"), asset_tag=word(o, "asset_tag"), u_height=_whole(o.get("u_height")),
        max_weight_kg=round(heaviest) or None,
    )  # fmt: skip
    return Described("racks", _key("dcim/racks", o), word(o, "name"), values | _more(o),
                     _refs(site=_site(o), location=_key("dcim/locations", o.get("location"))))  # fmt: skip


def _device(o: Record, heights: dict[int, Any]) -> Described:
    model = o.get("device_type") or {}
    role = word(o, "role", "slug") or word(o, "device_role", "slug")
    height = _whole(heights.get(model.get("id"), model.get("u_height")))
    values = said(
        role=_first(_ROLES, role, "other"), status=_DEVICE.get(_value(o, "status")),
        device_type=said(manufacturer=word(model, "manufacturer", "name"), model=word(model, "model"), u_height=height),
        platform=word(o, "platform", "name"), serial=word(o, "serial"), asset_tag=word(o, "asset_tag"),
        position=_whole(o.get("position")), face=_value(o, "face"), netbox_role=word(o, "role", "name"),
    )  # fmt: skip
    references = _refs(
        site=_site(o),
        location=_key("dcim/locations", o.get("location")),
        rack=_key("dcim/racks", o.get("rack")),
    )
    return Described(
        "devices",
        _key("dcim/devices", o),
        word(o, "name") or word(o, "display"),
        values | _more(o),
        references,
    )


def _interface(o: Record) -> Described:
    speed = o.get("speed")
    values = said(
        label=word(o, "name"), type=_first(_PORTS, _value(o, "type"), "other"), enabled=o.get("enabled"),
        mtu=o.get("mtu"), speed_mbps=speed // 1000 if isinstance(speed, int) else None, mac_address=_mac(o),
    )  # fmt: skip
    return Described("interfaces", _key("dcim/interfaces", o), "", values | _more(o),
                     _refs(owner=_key("dcim/devices", o.get("device"))))  # fmt: skip


def _vm_interface(o: Record) -> Described:
    values = said(
        label=word(o, "name"), type="virtual", enabled=o.get("enabled"), mtu=o.get("mtu"), mac_address=_mac(o)
    )
    return Described("interfaces", _key("virtualization/interfaces", o), "", values | _more(o),
                     _refs(owner=_key("virtualization/virtual-machines", o.get("virtual_machine"))))  # fmt: skip


def _cable(o: Record) -> Described | None:
    """Of two interfaces; what connects several ports, consoles or power is left out."""
    ends = [rows(o, f"{side}_terminations") for side in "ab"]
    if any(len(e) != 1 or word(e[0], "object_type") != "dcim.interface" for e in ends):
        return None
    a, b = (_key("dcim/interfaces", e[0].get("object_id")) for e in ends)
    length = o.get("length")
    metres = _METRES.get(_value(o, "length_unit"))
    values = said(
        type=_first(_CABLES, _value(o, "type"), "other"), colour=f"#{word(o, 'color')}" if word(o, "color") else "",
        length_m=round(length * metres, 3) if isinstance(length, int | float) and metres else None,
    )  # fmt: skip
    return Described(
        "cables", _key("dcim/cables", o), word(o, "label"), values | _more(o), _refs(a_end=a, b_end=b)
    )


def _panel(o: Record) -> Described:
    return Described("power-panels", _key("dcim/power-panels", o), word(o, "name"), _more(o),
                     _refs(site=_site(o), location=_key("dcim/locations", o.get("location"))))  # fmt: skip


def _feed(o: Record) -> Described:
    values = said(
        leg=_value(o, "type"), supply=_value(o, "supply"), voltage=o.get("voltage"), amperage=o.get("amperage"),
        max_utilization=o.get("max_utilization"),
    )  # fmt: skip
    return Described("power-feeds", _key("dcim/power-feeds", o), word(o, "name"), values | _more(o), _refs(
        panel=_key("dcim/power-panels", o.get("power_panel")), rack=_key("dcim/racks", o.get("rack"))))  # fmt: skip


def _vrf(o: Record) -> Described:
    return Described("vrfs", _key("ipam/vrfs", o), word(o, "name"),
                     said(rd=word(o, "rd"), enforce_unique=o.get("enforce_unique")) | _more(o))  # fmt: skip


def _vlan(o: Record) -> Described:
    return Described("vlans", _key("ipam/vlans", o), word(o, "name"),
                     said(vid=o.get("vid"), status=_value(o, "status")) | _more(o), _refs(site=_site(o)))  # fmt: skip


def _prefix(o: Record) -> Described:
    references = _refs(
        vrf=_key("ipam/vrfs", o.get("vrf")), vlan=_key("ipam/vlans", o.get("vlan")), site=_site(o)
    )
    return Described("prefixes", _key("ipam/prefixes", o), "",
                     said(prefix=word(o, "prefix"), status=_value(o, "status")) | _more(o), references)  # fmt: skip


def _address(o: Record) -> Described:
    status, role = _value(o, "status"), _value(o, "role")
    values = said(
        address=word(o, "address"), status=_NUMBER.get(status, status), role=_SHARED.get(role, role),
        dns_name=word(o, "dns_name"),
    )  # fmt: skip
    at_kind = {"dcim.interface": "dcim/interfaces", "virtualization.vminterface": "virtualization/interfaces"}
    owner = at_kind.get(word(o, "assigned_object_type"))
    assigned = _key(owner, o.get("assigned_object_id")) if owner else ""
    return Described("addresses", _key("ipam/ip-addresses", o), "", values | _more(o),
                     _refs(vrf=_key("ipam/vrfs", o.get("vrf")), assigned_to=assigned))  # fmt: skip


def _cluster(o: Record) -> Described:
    named = f"{word(o, 'type', 'slug')} {word(o, 'type', 'name').lower()}"
    kind = next((c for c in _CLUSTERS if c in named), "vsphere" if "vmware" in named else "other")
    return Described("clusters", _key("virtualization/clusters", o), word(o, "name"), {"type": kind} | _more(o),
                     _refs(site=_site(o)))  # fmt: skip


def _machine(o: Record) -> Described:
    disk = o.get("disk")  # in MB since NetBox 4.1, in GB before: a machine with less than 1 GB is none
    values = said(
        status=_DEVICE.get(_value(o, "status")), platform=word(o, "platform", "name"), vcpus=o.get("vcpus"),
        memory_mib=o.get("memory"), disk_gib=disk // 1000 if isinstance(disk, int) and disk >= 1000 else disk,
    )  # fmt: skip
    references = _refs(
        cluster=_key("virtualization/clusters", o.get("cluster")),
        device=_key("dcim/devices", o.get("device")),
    )
    return Described(
        "virtual-machines",
        _key("virtualization/virtual-machines", o),
        word(o, "name"),
        values | _more(o),
        references,
    )


def _circuit_ends(found: list[Record]) -> dict[tuple[Any, str], str]:
    """Circuit and side → the site where it ends."""
    out = {}
    for o in found:
        if _kind(o) == "circuits/circuit-terminations":
            there = o.get("termination") if word(o, "termination_type") == "dcim.site" else None
            out[at(o, "circuit", "id"), word(o, "term_side")] = _key("dcim/sites", o.get("site") or there)
    return out


def _circuit(o: Record, ends: dict[tuple[Any, str], str]) -> Described:
    rate = o.get("commit_rate")
    values = said(
        provider=word(o, "provider", "name"), circuit_id=word(o, "cid"), installed_on=word(o, "install_date"),
        status={"active": "active", "planned": "planned", "provisioning": "ordered", "offline": "failed",
                "deprovisioning": "decommissioning", "decommissioned": "disposed"}.get(_value(o, "status")),
        ends_on=word(o, "termination_date"), commit_mbps=rate // 1000 if isinstance(rate, int) else None,
    )  # fmt: skip
    near, far = (ends.get((o.get("id"), side), "") for side in "AZ")
    return Described(
        "circuits", _key("circuits/circuits", o), "", values | _more(o), _refs(site=near, far_site=far)
    )


_MAKERS: dict[str, Callable[[Record], Described | None]] = {
    "dcim/regions": _region, "dcim/sites": _a_site, "dcim/locations": _location, "dcim/racks": _rack,
    "dcim/interfaces": _interface, "dcim/cables": _cable, "dcim/power-panels": _panel, "dcim/power-feeds": _feed,
    "ipam/vrfs": _vrf, "ipam/vlans": _vlan, "ipam/prefixes": _prefix, "ipam/ip-addresses": _address,
    "virtualization/clusters": _cluster, "virtualization/virtual-machines": _machine,
    "virtualization/interfaces": _vm_interface,
}  # fmt: skip
#: lists of NetBox's API that are read, in an order in which references come first
ENDPOINTS = (
    "dcim/regions", "dcim/sites", "dcim/locations", "dcim/racks", "dcim/device-types", "dcim/devices",
    "dcim/interfaces", "dcim/cables", "dcim/power-panels", "dcim/power-feeds", "ipam/vrfs", "ipam/vlans",
    "ipam/prefixes", "virtualization/clusters", "virtualization/virtual-machines", "virtualization/interfaces",
    "ipam/ip-addresses", "circuits/circuits", "circuits/circuit-terminations",
)  # fmt: skip
