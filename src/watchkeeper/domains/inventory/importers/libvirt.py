"""libvirt: the XML of its domains (`virsh dumpxml NAME`), alone or within any element (`<domains>…</domains>`).

A virtual machine runs on its host, which a `<host>` element beside the domains names, as `virsh capabilities` has it;
without one it runs on nothing."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from watchkeeper.domains.inventory.describing import Described, Identifier, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import said
from watchkeeper.model.errors import Malformed
from watchkeeper.model.hostnames import host_identifiers

_KIB = {"b": 2**-10, "bytes": 2**-10, "KB": 1000 / 1024, "k": 1.0, "KiB": 1.0, "M": 2.0**10, "MiB": 2.0**10,
        "MB": 1e6 / 1024, "G": 2.0**20, "GiB": 2.0**20, "GB": 1e9 / 1024, "T": 2.0**30, "TiB": 2.0**30}  # fmt: skip


@importer("libvirt", "libvirt domains (XML)", type="libvirt", ends=(".xml",), whole=False)
def read(data: bytes) -> Iterator[Described]:
    """The domains of a file. Raises Malformed when there is none, or the XML is broken or refers to elsewhere."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Malformed(f"the file is not XML of libvirt: {error}") from error
    domains = [root] if root.tag == "domain" else list(root.iter("domain"))
    domains = [d for d in domains if d.findtext("name")]
    if not domains:
        raise Malformed("the file has no <domain> with a <name>")
    return described(domains, host_of(root))


def host_of(root: Element) -> Described | None:
    """The machine that a `<host>` names, if one does."""
    host = root.find(".//host")
    name, uuid = (host.findtext(n, "").strip() if host is not None else "" for n in ("name", "uuid"))
    names = (*host_identifiers(name), *((Identifier("uuid", uuid.lower()),) if uuid else ()))
    return Described("host", f"host/{uuid or name}", name or uuid, identifiers=names) if names else None


def described(domains: list[Element], host: Described | None) -> Iterator[Described]:
    """Domains as described things, after the host that they run on."""
    if host:
        yield host
    on = (Related(RelationKind.RUNS_ON, host.source_key),) if host else ()
    for d in domains:
        name, uuid = d.findtext("name", "").strip(), d.findtext("uuid", "").strip().lower()
        key = f"domain/{uuid or name}"
        values = said(
            uuid=uuid, vcpus=_number(d.find("vcpu")), memory_mib=_mib(d.find("memory")), title=d.findtext("title", ""),
            description=d.findtext("description", ""), hypervisor=d.get("type", ""),
            operating_system=d.findtext("os/type", "").strip(),
        )  # fmt: skip
        yield Described("virtual-machines", key, name, values, relations=on)
        for n, port in enumerate(d.iterfind("devices/interface")):
            yield _interface(key, n, port)


def _interface(machine: str, number: int, port: Element) -> Described:
    mac, target = port.find("mac"), port.find("target")
    label = (target.get("dev", "") if target is not None else "") or f"net{number}"
    source = port.find("source")
    values = said(
        label=label, type="virtual", mac_address=mac.get("address", "") if mac is not None else "",
        network=source.get("network") or source.get("bridge") if source is not None else "",
    )  # fmt: skip
    return Described("interfaces", f"{machine}/interface/{number}", "", values, {"owner": machine})


def _number(element: Element | None) -> float | None:
    text = (element.text or "").strip() if element is not None else ""
    return float(text) if text.isdecimal() else None


def _mib(element: Element | None) -> int | None:
    """Memory with its unit, KiB where none is said."""
    number = _number(element)
    if number is None or element is None:
        return None
    return int(number * _KIB.get(element.get("unit", "KiB"), 1.0) // 1024)
