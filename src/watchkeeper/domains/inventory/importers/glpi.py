"""The GLPI agent's inventory, JSON, as it writes it with `glpi-agent --json --local=FOLDER` or sends it to a server: one
machine a document, several one a line or in a list. The format is github.com/glpi-project/inventory_format.

Programs are records when they were installed for themselves; the hundreds of packages of an operating system are
counted and left out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described, Identifier, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import at, json_documents, objects, rows, said, word
from watchkeeper.model.errors import Malformed
from watchkeeper.model.hostnames import host_identifiers

Part = dict[str, Any]
_CHASSIS = {
    "laptop": "endpoint", "notebook": "endpoint", "desktop": "endpoint", "tablet": "endpoint", "all in one": "endpoint",
    "convertible": "endpoint", "portable": "endpoint", "mini": "endpoint", "tower": "endpoint",
}  # fmt: skip
_DISTRIBUTION = {"deb", "dpkg", "rpm", "pacman", "apk", "slackware", "gentoo", "nix", "bsd"}
_NOTHING = {
    "",
    "none",
    "not specified",
    "to be filled by o.e.m.",
    "default string",
    "system serial number",
    "0",
    "n/a",
}
_PORTS = {
    "wifi": "wireless",
    "ethernet": "other",
    "bridge": "virtual",
    "loopback": "virtual",
    "aggregate": "lag",
}


@importer("glpi", "GLPI agent inventory (JSON)", type="glpi", whole=False)
def read(data: bytes) -> Iterator[Described]:
    """The machines of a file. Raises Malformed when there is none."""
    found = [o for d in json_documents(data) for o in objects(d, "content") if isinstance(o["content"], dict)]
    if not found:
        raise Malformed("the file has no inventory of the GLPI agent: each of them has a content")
    for o in found:
        yield from _machine(o)


def _true(text: str) -> str:
    """A serial number or the like, unless it is one of the words that firmware has in its place."""
    return "" if text.lower() in _NOTHING else text


def _machine(o: Part) -> Iterator[Described]:
    content = o["content"]
    hardware, bios, system = (content.get(n) or {} for n in ("hardware", "bios", "operatingsystem"))
    name = word(hardware, "name") or word(o, "deviceid")
    key = word(o, "deviceid") or name
    if not key:
        raise Malformed("an inventory has neither a deviceid nor the name of its hardware")
    virtual = word(hardware, "vmsystem").lower() not in ("", "physical")
    uuid = _true(word(hardware, "uuid")).lower()
    names = dict.fromkeys(host_identifiers(word(system, "fqdn")))
    names |= dict.fromkeys([Identifier("uuid", uuid)] if uuid else [])
    platform = word(system, "full_name") or word(system, "name")
    values = said(
        platform={"name": platform} | said(version=word(system, "version")) if platform else "",
        kernel=word(system, "kernel_version"), architecture=word(system, "arch"), installed=word(system, "install_date"),
        last_boot=word(system, "boot_time"), memory_mib=at(hardware, "memory"), agent=word(o, "versionclient"),
        packages=sum(_packaged(s) for s in rows(content, "softwares")) or None,
    )  # fmt: skip
    values |= _virtual(content, uuid) if virtual else _physical(bios, hardware)
    yield Described("virtual-machines" if virtual else "devices", key, name, values, identifiers=tuple(names))
    yield from _interfaces(key, rows(content, "networks"))
    yield from _software(key, rows(content, "softwares"))
    yield from _databases(key, rows(content, "databases_services"))
    yield from _guests(key, rows(content, "virtualmachines"))


def _physical(bios: Part, hardware: Part) -> Part:
    maker = word(bios, "smanufacturer") or word(bios, "mmanufacturer")
    model = word(bios, "smodel") or word(bios, "mmodel")
    chassis = word(hardware, "chassis_type").lower()
    return said(
        role=next((r for c, r in _CHASSIS.items() if c in chassis), "server"), serial=_true(word(bios, "ssn")),
        device_type={"manufacturer": maker, "model": model} if maker and model else "",
        asset_tag=_true(word(bios, "assettag")), firmware=word(bios, "bversion"),
    )  # fmt: skip


def _virtual(content: Part, uuid: str) -> Part:
    cores = sum(c for cpu in rows(content, "cpus") if isinstance(c := cpu.get("core", 1), int))
    return said(uuid=uuid, vcpus=cores or None, hypervisor=word(content, "hardware", "vmsystem"))


def _interfaces(machine: str, networks: list[Part]) -> Iterator[Described]:
    """An interface has one entry for each of its addresses."""
    seen: set[str] = set()
    for n in networks:
        label = word(n, "description")
        addresses = [word(n, a) for a in ("ipaddress", "ipaddress6")]
        if not label or any(a.startswith(("127.", "::1")) for a in addresses):
            continue
        key = f"{machine}/interface/{label}"
        if label not in seen:
            seen.add(label)
            speed = word(n, "speed")
            values = said(
                label=label, type="virtual" if n.get("virtualdev") else _PORTS.get(word(n, "type").lower(), "other"),
                mac_address=word(n, "mac"), enabled=word(n, "status").lower() != "down", mtu=at(n, "mtu"),
                speed_mbps=int(speed) if speed.isdecimal() else None,
            )  # fmt: skip
            yield Described("interfaces", key, "", values, {"owner": machine})
        for address, mask in zip(addresses, (word(n, "ipmask"), word(n, "ipmask6")), strict=True):
            if written := _address(address, mask):
                yield Described(
                    "addresses", f"{key}/{address}", "", {"address": written}, {"assigned_to": key}
                )


def _address(address: str, mask: str) -> str:
    """With the length of its mask; "" for none and for one that is of its link alone.

    >>> _address("10.0.0.5", "255.255.255.0"), _address("2001:db8::5", "ffff:ffff:ffff:ffff::"), _address("fe80::1", "")
    ('10.0.0.5/24', '2001:db8::5/64', '')
    """
    try:
        found = ipaddress.ip_address(address)
        length = int(ipaddress.ip_address(mask)).bit_count() if mask else found.max_prefixlen
        return (
            ""
            if found.is_link_local or found.is_loopback
            else str(ipaddress.ip_interface(f"{found}/{length}"))
        )
    except ValueError:
        return ""


def _packaged(s: Part) -> bool:
    return word(s, "from").lower() in _DISTRIBUTION


def _software(machine: str, found: list[Part]) -> Iterator[Described]:
    seen: set[str] = set()
    for s in found:
        product = word(s, "name")
        key = f"{machine}/software/{product}"
        if product and key not in seen and not _packaged(s):
            seen.add(key)
            values = said(product=product[:100], version=word(s, "version")[:64], publisher=word(s, "publisher"),
                          architecture=word(s, "arch"))  # fmt: skip
            yield Described("software-instances", key, product, values, {"runs_on": machine})


def _databases(machine: str, found: list[Part]) -> Iterator[Described]:
    for service in found:
        engine = word(service, "type").lower() or word(service, "name").lower()
        for n, d in enumerate(rows(service, "databases") or [{}]):
            name = word(d, "name") or word(service, "name") or engine
            mebibytes = d.get("size")
            values = said(engine=engine, version=word(service, "version")[:64], port=word(service, "port"),
                          size_gib=round(mebibytes / 1024, 3) if isinstance(mebibytes, int | float) else None)  # fmt: skip
            if engine:
                yield Described("databases", f"{machine}/database/{engine}/{word(service, 'port')}/{name or n}", name,
                                values, {"runs_on": machine})  # fmt: skip


def _guests(machine: str, found: list[Part]) -> Iterator[Described]:
    for g in found:
        uuid = word(g, "uuid").lower()
        if name := word(g, "name"):
            values = said(uuid=uuid, vcpus=at(g, "vcpu"), memory_mib=at(g, "memory"), hypervisor=word(g, "vmtype"),
                          runs=word(g, "status"))  # fmt: skip
            yield Described("virtual-machines", f"{machine}/guest/{uuid or name}", name, values,
                            relations=(Related(RelationKind.RUNS_ON, machine),))  # fmt: skip
