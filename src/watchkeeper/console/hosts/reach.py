"""Where another machine reaches this platform, from its settings and from how a browser has reached it; and what has to
be set while it cannot."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from cryptography import x509

Where = tuple[str, int] | None


@dataclass(frozen=True)
class Reach:
    """`url` of the HTTP doors, `host` for those with ports of their own, which are 0 when they are off. `missing` are
    settings, as lines, without which only this machine gets there."""

    url: str
    host: str
    syslog: int
    syslog_tls: int
    missing: tuple[str, ...] = ()
    peer: str = ""  # by which rsyslog knows our certificate: it compares with names, never with addresses

    @property
    def scheme(self) -> str:
        """Of the URL: http or https."""
        return urlsplit(self.url).scheme

    @property
    def authority(self) -> str:
        """Host and port of the URL, the port also where it is the usual one."""
        usual = "" if urlsplit(self.url).port else ":443" if self.secure else ":80"
        return urlsplit(self.url).netloc + usual

    @property
    def secure(self) -> bool:
        """Whether keys are sent by TLS."""
        return self.url.startswith("https://")


def reach(config: Any, asked: str, machine: str = "") -> Reach:
    """Of a platform with this configuration that a browser has reached at the URL `asked`; `machine` is what this machine
    is called on the network, found out when it is not given."""
    listeners = config.listeners
    url = _url(config, asked, machine)
    plain, secured = listeners["syslog"], listeners["syslog_tls"]
    missing = []
    if is_local(urlsplit(url).hostname or ""):
        name, where = ("WATCHKEEPER_HTTPS", listeners["https"]) if listeners["https"] else (
            "WATCHKEEPER_LISTEN", config.listen)  # fmt: skip
        missing.append(f"{name}=0.0.0.0:{where[1] or urlsplit(asked).port}")
    if (secured or plain) and is_local((secured or plain)[0]):
        name = "WATCHKEEPER_SYSLOG_TLS" if secured else "WATCHKEEPER_SYSLOG"
        missing.append(f"{name}=0.0.0.0:{(secured or plain)[1]}")
    host = urlsplit(url).hostname or ""
    return Reach(
        url,
        host,
        plain[1] if plain else 0,
        secured[1] if secured else 0,
        tuple(missing),
        _peer(host, config.certificate[0]) if secured and config.certificate else "",
    )


def _peer(host: str, certificate: Path) -> str:
    """The host where it is a name; else one that our certificate has, if it has one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    try:
        ours = x509.load_pem_x509_certificate(certificate.read_bytes())
        others = ours.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = others.get_values_for_type(x509.DNSName)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return host
    return next((n for n in names if not is_local(n)), names[0] if names else host)


def _url(config: Any, asked: str, machine: str) -> str:
    """The address that was set, else the one that a browser came by, else this machine's own: what is not loopback first."""
    asked = asked.rstrip("/")
    for url in (config.public_url, asked):
        host = urlsplit(url).hostname or ""
        if not (is_local(host) or _is_any(host)):
            return url
    where: Where = config.listeners["https"] or config.listen
    if where is None or is_local(where[0]):
        return asked
    scheme = "https" if config.listeners["https"] else "http"
    host = machine or _own_address() if _is_any(where[0]) else where[0]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{where[1] or urlsplit(asked).port}"


def is_local(host: str) -> bool:
    """Whether a host is this machine's loopback, or no address that anybody could go to.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("10.0.0.1"), is_local("")
    (True, True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _own_address() -> str:
    """The first address of this machine that is not loopback; its name when it has none."""
    found: Iterable[Any] = (a for addresses in psutil.net_if_addrs().values() for a in addresses)
    own = (a.address for a in found if a.family == socket.AF_INET and not is_local(a.address))
    return next(own, socket.gethostname())
