"""Decisions about signing in and about networks. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOCKOUT_SECONDS = 15 * 60
#: So many failures within LOCKOUT_SECONDS lock: of one name from one address; from one address whatever the
#: name; of one name from anywhere. The last is high, so that nobody can lock an administrator out from outside
#: with a handful of requests.
PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME = 5, 30, 100
LOOPBACK = ("127.0.0.0/8", "::1/128")


def locked_out(failures: Iterable[tuple[str, str]], username: str, address: str) -> bool:
    """Whether another attempt is refused, after these recent failures (name, address).

    >>> locked_out([("ann", "10.0.0.1")] * 5, "ann", "10.0.0.1")
    True
    >>> locked_out([("ann", "10.0.0.1")] * 5, "ann", "10.0.0.2")
    False
    """
    both = by_address = by_name = 0
    for name, where in failures:
        by_name += name == username
        by_address += where == address
        both += name == username and where == address
    return both >= PER_NAME_AND_ADDRESS or by_address >= PER_ADDRESS or by_name >= PER_NAME


@lru_cache(maxsize=4096)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """CIDR texts as networks. Raises ValueError naming what is none.

    >>> networks(("10.0.0.0/8", "::1"))
    (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))
    """
    return tuple(ipaddress.ip_network(t.strip(), strict=False) for t in texts)


def within(address: str, allowed: Sequence[str]) -> int:
    """How specific the narrowest of these networks is that contains the address: its prefix length plus one,
    0 when none does. IPv4 addresses inside IPv6 count as IPv4.

    >>> within("::ffff:10.1.2.3", ["10.0.0.0/8", "10.1.0.0/16"])
    17
    """
    try:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return 0
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return max((n.prefixlen + 1 for n in networks(tuple(allowed)) if ip in n), default=0)


#: how browsers and systems name themselves, the more telling before the more general
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
             ("Version/", "Safari"), ("curl/", "curl"), ("python", "Python"))  # fmt: skip
_SYSTEMS = (("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser_of(user_agent: str) -> str:
    """A User-Agent in words people know.

    >>> browser_of("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
    'Firefox 128 on Linux'
    >>> browser_of("curl/8.5.0"), browser_of("")
    ('curl 8', 'unknown')
    """
    agent = user_agent[:500]
    program = ""
    for mark, name in _BROWSERS:
        _, found, rest = agent.partition(mark)
        if found:
            version = rest.split(".")[0]
            program = f"{name} {version}" if version.isdigit() else name
            break
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " on ".join(filter(None, (program or (agent and "another program"), system))) or "unknown"
