"""Names of machines, tamed: what a sender wrote where a host belongs becomes identifiers, or nothing when it
says nothing (localhost, 127.0.0.1, the default name of an installation image), so that no two machines are
taken for one. Spelling only: nothing is looked up in the network.
"""

from __future__ import annotations

import ipaddress
import re

from watchkeeper.model.topology import Identifier

MAX_NAME = 253  # RFC 1035

#: what installers, images and programs write when nobody has named the machine
GENERIC = frozenset(
    {"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback", "loopback",
     "local", "host", "hostname", "ubuntu", "debian", "raspberrypi", "raspberry", "centos",
     "fedora", "rhel", "rocky", "rocky9", "almalinux", "alma", "opensuse", "suse", "arch",
     "archlinux", "kali", "alpine", "linux", "gentoo", "void", "nixos", "manjaro", "freebsd",
     "openwrt", "mikrotik", "android", "macbook", "macbook-pro", "template", "default", "unknown",
     "none", "null", "nil", "undefined", "n/a", "na", "(none)", "-", "_", "?", "*", "any", "all"}
)  # fmt: skip
_NO_SERIAL = frozenset(
    {"to be filled by o.e.m.", "default string", "system serial number", "not specified", "not applicable", "unknown",
     "none", "n/a", "na", "null", "123456789", "0123456789", "chassis serial number"}
)  # fmt: skip
_NO_DOMAIN = ("", "local", "localdomain", "localdomain4", "localdomain6", "lan", "home")
_NAME = re.compile(r"[^\W_](?:[\w-]*\w)?(?:\.[^\W_](?:[\w-]*\w)?)*")
_MACHINE_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def host_identifiers(text: str) -> tuple[Identifier, ...]:
    """The identifiers of the machine that is called this, best first; () when the text names none.

    >>> host_identifiers("DB1.Example.org.")
    (Identifier(scheme='fqdn', value='db1.example.org'),)
    >>> host_identifiers("::ffff:10.0.0.7"), host_identifiers("localhost")
    ((Identifier(scheme='address', value='10.0.0.7'),), ())
    """
    word = text.strip().lower().rstrip(".")
    if not word or len(word) > MAX_NAME or is_generic(word):
        return ()
    if _looks_numeric(word):
        found = address(word)
        return (Identifier("address", found),) if found else ()
    if _MACHINE_ID.fullmatch(word):
        return (Identifier("host.id", word),)
    if not _NAME.fullmatch(word) or word.isdigit():
        return ()
    return (Identifier("fqdn" if "." in word else "hostname", word),)


def hardware_identifier(scheme: str, text: str) -> Identifier | None:
    """A serial number, hardware UUID or MAC address (`serial`, `uuid`, `mac`) in its one form; None when it is none, or
    what makers write into every machine.

    >>> hardware_identifier("mac", "0011.2233.AABB").value, hardware_identifier("serial", "Default string")
    ('00:11:22:33:aa:bb', None)
    """
    word = text.strip().lower()
    if scheme == "mac":
        digits = re.sub(r"[\s:.\-]", "", word)
        if not re.fullmatch(r"[0-9a-f]{12}", digits) or len(set(digits)) == 1:
            return None
        word = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    elif (
        len(set(word) - set("-: .")) < 2
        or word in _NO_SERIAL
        or len(word) > MAX_NAME
        or (scheme == "uuid" and not _MACHINE_ID.fullmatch(word))
    ):
        return None
    return Identifier(scheme, word)


def is_generic(name: str) -> bool:
    """Whether many machines are called this, so that it tells none of them apart.

    >>> is_generic("localhost.localdomain"), is_generic("db1")
    (True, False)
    """
    first, _, domain = name.strip().lower().rstrip(".").partition(".")
    return first in GENERIC and domain in _NO_DOMAIN


def address(text: str) -> str | None:
    """An IP address in its one canonical form, IPv4 in IPv6 as IPv4; None for what is no address, and for
    one that means a different machine to everyone: loopback, unspecified, link-local, multicast.

    >>> address("[2001:DB8:0::1]"), address("127.0.0.1"), address("fe80::1%eth0")
    ('2001:db8::1', None, None)
    """
    try:
        found = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast:
        return None
    return str(found)


def is_here(text: str) -> bool:
    """Whether a name or address means the machine that says it: localhost or a loopback address.

    >>> is_here("127.0.0.53"), is_here("localhost"), is_here("db1")
    (True, True, False)
    """
    word = text.strip().lower().rstrip(".").strip("[]")
    try:
        found = ipaddress.ip_address(word)
    except ValueError:
        return word.partition(".")[0] in (
            "localhost",
            "localhost4",
            "localhost6",
            "ip6-localhost",
            "ip6-loopback",
        )
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return found.is_loopback


def host_and_port(text: str) -> tuple[str, int]:
    """A host with an optional port, as `instance` labels and peers have it, also out of a URL; port 0 when
    there is none.

    >>> host_and_port("[2001:db8::1]:9100"), host_and_port("https://example.org/health"), host_and_port("::1")
    (('2001:db8::1', 9100), ('example.org', 443), ('::1', 0))
    """
    text = text.strip()
    scheme, separator, rest = text.partition("://")
    default = 0
    if separator:
        default = {"http": 80, "https": 443}.get(scheme.lower(), 0)
        text = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        return host, 0
    return host, int(port) if port else default


def _looks_numeric(word: str) -> bool:
    """Whether only an address can be meant: it has a colon, or is made of digits and dots."""
    return ":" in word or word.startswith("[") or ("." in word and word.replace(".", "").isdigit())
