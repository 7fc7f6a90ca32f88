"""Validators and normal forms of what inventory records hold: networks, addresses, MAC addresses. Errors are
Django's ValidationError, which names the value."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(text: str) -> Network:
    """A prefix such as 10.0.0.0/8 or 2001:db8::/32. Raises ValidationError."""
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ValidationError(f"{text!r} is not a prefix such as 10.0.0.0/24: {error}") from error


def check_network(text: str) -> None:
    """Validator."""
    network(text)


def interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """An address with or without its mask: 10.0.0.5/24. Raises ValidationError."""
    try:
        return ipaddress.ip_interface(text.strip())
    except ValueError as error:
        raise ValidationError(f"{text!r} is not an address such as 10.0.0.5/24: {error}") from error


def check_interface(text: str) -> None:
    """Validator."""
    interface(text)


def bounds(found: Network) -> tuple[str, str]:
    """The first and last address as text that sorts as addresses do, IPv4 before IPv6.

    >>> bounds(ipaddress.ip_network("10.0.0.0/8"))
    ('4:0a000000', '4:0affffff')
    """
    return sortable(found.network_address), sortable(found.broadcast_address)


def sortable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as text that sorts as addresses do."""
    return f"{address.version}:{address.packed.hex()}"


def mac(text: str) -> str:
    """A MAC address in lower case with colons, however it was written. Raises ValidationError.

    >>> mac("0011.2233.AABB")
    '00:11:22:33:aa:bb'
    """
    digits = re.sub(r"[\s:.\-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValidationError(f"{text!r} is not a MAC address such as 00:11:22:33:aa:bb")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def check_mac(text: str) -> None:
    """Validator."""
    mac(text)
