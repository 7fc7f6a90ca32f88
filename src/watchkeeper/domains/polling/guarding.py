"""Which addresses may be polled: those of the public internet and of WATCHKEEPER_POLL_ALLOW; never what gives a machine
in a cloud its credentials, nor what lies on the link only."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from django.conf import settings

from watchkeeper.domains.outgoing import outbound

#: link-local, where clouds serve credentials; this network and broadcast; multicast
_NEVER = tuple(map(ipaddress.ip_network, (
    "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "255.255.255.255/32", "224.0.0.0/4", "ff00::/8", "::/128",
    "fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
)))  # fmt: skip


def refuses(address: str) -> str:
    """Why an address is not to be polled, "" when it may be. For any thread."""
    if _within(address, _NEVER):
        return "nothing there is ever polled"
    if outbound.public(address) or _within(address, settings.POLL_ALLOW):
        return ""
    return "its network is not in WATCHKEEPER_POLL_ALLOW"


def _within(text: str, networks: Sequence[outbound.Network]) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
