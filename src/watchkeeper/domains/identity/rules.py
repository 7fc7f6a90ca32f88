"""Decisions about signing in and about networks. Pure."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOCKOUT_SECONDS = 15 * 60
#: So many failures within LOCKOUT_SECONDS lock: of one name from one address; from one address whatever the
#: name; of one name from anywhere. The last is high, so that nobody can lock an administrator out from outside
#: with a handful of requests.
PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME = 5, 30, 100
LOOPBACK = ("127.0.0.0/8", "::1/128")


def counted_name(username: str) -> str:
    """What failures of a name, as typed, are counted under: the same for all that find the same account, here (NFKC) or
    in a directory, which minds neither case nor how many spaces there are.

    >>> counted_name("\uff21nn  Lee "), counted_name("ann lee")
    ('ann lee', 'ann lee')
    """
    return " ".join(unicodedata.normalize("NFKC", username).casefold().split())[:150]


def counted_address(address: str) -> str:
    """What failures from an address are counted under: of IPv6 its /64, all of which one machine may have.

    >>> counted_address("2001:db8::7"), counted_address("::ffff:10.1.2.3"), counted_address("10.1.2.3")
    ('2001:db8::/64', '10.1.2.3', '10.1.2.3')
    """
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip) if ip else address


def locked_out(failures: Iterable[tuple[str, str]], username: str, address: str) -> bool:
    """Whether another attempt is refused, after these recent failures (name, address), all as they are counted.

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
    ip = _ip(address)
    return max((n.prefixlen + 1 for n in networks(tuple(allowed)) if ip in n), default=0) if ip else 0


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


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
