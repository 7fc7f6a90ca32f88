"""A running libvirt, by libvirt-python of the extra `[libvirt]`: `address` is its URI, such as qemu:///system or
qemu+tls://hv1.example.org/system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from defusedxml.ElementTree import fromstring

from watchkeeper.domains.inventory.asking import Access, Unreadable, asks, library
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.importers.libvirt import described, host_of
from watchkeeper.domains.outgoing import outbound

_URI = re.compile(
    r"[a-z]+(\+tls)?://(?P<host>[A-Za-z0-9.-]*)(:\d+)?/[\w/.-]*"
)  # what follows ? may name programs


@asks("libvirt")
def ask(access: Access) -> Iterator[Described]:
    """Its host and virtual machines. Raises Unreadable."""
    uri = _URI.fullmatch(access.address)
    if uri is None:
        raise Unreadable(f"{access.address!r} is not a URI such as qemu:///system or qemu+tls://host/system")
    if uri["host"]:
        outbound.check(uri["host"], 16514)
    libvirt: Any = library("libvirt", "libvirt")
    libvirt.registerErrorHandler(lambda *_: None, None)  # it prints what it raises
    try:
        connection = libvirt.openReadOnly(access.address)
        try:
            root = Element("domains")
            host = SubElement(root, "host")
            SubElement(host, "name").text = connection.getHostname()
            SubElement(host, "uuid").text = fromstring(connection.getCapabilities()).findtext("host/uuid")
            domains = [fromstring(d.XMLDesc()) for d in connection.listAllDomains()]
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        raise Unreadable(f"{access.address}: {error}") from error
    return described(domains, host_of(root))
