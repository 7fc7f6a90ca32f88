"""What the environment decides, read once at start: where data lies, where doors listen, which engines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

FILE_TYPES = (
    "pdf,png,jpg,jpeg,gif,webp,txt,log,md,csv,json,yaml,yml,conf,cfg,ini,pcap,pcapng,zip,gz,tgz,xz,zst,eml,har,drawio,"
    "docx,xlsx,pptx,vsdx,odt,ods,odp"
)


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True)
class Listener:
    """Where a door listens that has a port of its own: its setting, and over what. One that is `secured` listens only
    when there is a certificate."""

    setting: str
    default: str
    tcp: bool = False
    udp: bool = False
    secured: bool = False


LISTENERS = {
    "https": Listener("WATCHKEEPER_HTTPS", "127.0.0.1:8443", tcp=True, secured=True),
    "syslog": Listener("WATCHKEEPER_SYSLOG", "127.0.0.1:5514", tcp=True, udp=True),
    "otlp_grpc": Listener("WATCHKEEPER_OTLP_GRPC", "127.0.0.1:4317", tcp=True),
    "otlp_grpc_tls": Listener("WATCHKEEPER_OTLP_GRPC_TLS", "127.0.0.1:4319", tcp=True, secured=True),
    "syslog_tls": Listener("WATCHKEEPER_SYSLOG_TLS", "127.0.0.1:6514", tcp=True, secured=True),
    "snmp": Listener("WATCHKEEPER_SNMP", "127.0.0.1:1162", udp=True),
    "netflow": Listener("WATCHKEEPER_NETFLOW", "127.0.0.1:2055", udp=True),
    "smtp": Listener("WATCHKEEPER_SMTP_LISTEN", "off", tcp=True),
}


@dataclass(frozen=True)
class Config:
    """Settings of one installation. Addresses are (host, port), or None for `off`; port 0 binds a free one."""

    data: Path
    listen: tuple[str, int]
    listeners: Mapping[str, tuple[str, int] | None]  # by the name in LISTENERS
    certificate: tuple[Path, Path] | None  # PEM files: the certificate with its chain, and its key
    syslog_clients: Path | None  # PEM file: authorities of the certificates that syslog's senders then need
    database_url: str
    journal_url: str  # "" for the SQLite file, nats://… for JetStream
    telemetry_url: str  # "" for the embedded endpoint, https://user:secret@host/db for a cluster
    proxies: tuple[str, ...]  # networks of reverse proxies that are believed about whom they speak for
    public_url: str  # how people reach the console, for links in notifications
    allow_hosts: tuple[str, ...]
    limits: Mapping[str, int]  # what is set of receivers.limits.Limits, by its names there
    file_mib: int  # the largest file that people may attach to a record
    file_types: tuple[str, ...]  # how its name may end
    embedding: Path | None  # the folder of a model of sentences

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Config:
        """Read WATCHKEEPER_* and DATABASE_URL. Raises ConfigError."""
        data = Path(env.get("WATCHKEEPER_DATA", "var")).resolve()
        listen = address(env, "WATCHKEEPER_LISTEN", "127.0.0.1:8080")
        if listen is None:
            raise ConfigError(
                "WATCHKEEPER_LISTEN cannot be off: it is where the console and the HTTP doors are"
            )
        return cls(
            data=data,
            listen=listen,
            listeners={name: _where(env, x) for name, x in LISTENERS.items()},
            certificate=_certificate(env),
            syslog_clients=Path(ca) if (ca := env.get("WATCHKEEPER_SYSLOG_CA", "").strip()) else None,
            database_url=env.get("DATABASE_URL", "") or f"sqlite:///{data / 'records.db'}",
            journal_url=env.get("WATCHKEEPER_JOURNAL", ""),
            telemetry_url=env.get("WATCHKEEPER_TELEMETRY", ""),
            proxies=_networks(env, "WATCHKEEPER_PROXIES"),
            public_url=env.get("WATCHKEEPER_PUBLIC_URL", "").rstrip("/") or _public(env, listen),
            allow_hosts=tuple(filter(None, env.get("WATCHKEEPER_HOSTS", "").split(","))),
            limits=_limits(env),
            file_mib=_within(env, "WATCHKEEPER_FILE_MIB", 25, 1, 4096, "MiB"),
            file_types=tuple(
                end.strip().lstrip(".").lower() for end in
                (env.get("WATCHKEEPER_FILE_TYPES", "") or FILE_TYPES).split(",") if end.strip()
            ),
            embedding=Path(model).resolve() if (model := env.get("WATCHKEEPER_EMBEDDING", "").strip()) else None,
        )  # fmt: skip


def _public(env: Mapping[str, str], listen: tuple[str, int]) -> str:
    secured = _where(env, LISTENERS["https"])
    host, port = secured or listen
    return f"{'https' if secured else 'http'}://{host}:{port}"


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    given = tuple(filter(None, (x.strip() for x in env.get(name, "").split(","))))
    for network in given:
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise ConfigError(
                f"{name}: {error}; write addresses or networks such as 10.0.0.0/8, with commas"
            ) from error
    return given


#: what may be polled unless it is said otherwise: this machine, and networks that nobody routes
PRIVATE = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
)


def polled_networks(env: Mapping[str, str]) -> list[IPv4Network | IPv6Network]:
    """WATCHKEEPER_POLL_ALLOW: networks with commas between them, `private` for those that nobody routes, `none`.
    Raises ConfigError.

    >>> polled_networks({"WATCHKEEPER_POLL_ALLOW": "10.1.0.0/16"}), len(polled_networks({}))
    ([IPv4Network('10.1.0.0/16')], 7)
    """
    given = env.get("WATCHKEEPER_POLL_ALLOW", "").strip() or "private"
    if given == "none":
        return []
    named = [w for word in given.split(",") for w in (PRIVATE if word.strip() == "private" else (word,))]
    words = _networks({"WATCHKEEPER_POLL_ALLOW": ",".join(named)}, "WATCHKEEPER_POLL_ALLOW")
    return [ip_network(word, strict=False) for word in words]


def _where(env: Mapping[str, str], listener: Listener) -> tuple[str, int] | None:
    where = address(env, listener.setting, listener.default)
    if where is None or not listener.secured or _certificate(env):
        return where
    if env.get(listener.setting, "").strip():
        raise ConfigError(
            f"{listener.setting} needs a certificate: set WATCHKEEPER_TLS_CERT and WATCHKEEPER_TLS_KEY"
        )
    return None


def _certificate(env: Mapping[str, str]) -> tuple[Path, Path] | None:
    names = ("WATCHKEEPER_TLS_CERT", "WATCHKEEPER_TLS_KEY")
    chain, key = (env.get(name, "").strip() for name in names)
    if bool(chain) != bool(key):
        raise ConfigError(f"{' and '.join(names)} belong together: set both, or none")
    return (Path(chain), Path(key)) if chain else None


_LIMITS = (
    ("connections", "WATCHKEEPER_CONNECTIONS", 16, 65536, "connections"),
    ("of_one", "WATCHKEEPER_CONNECTIONS_OF_ONE", 1, 65536, "connections"),
    ("header_time", "WATCHKEEPER_HEADER_SECONDS", 1, 600, "seconds"),
    ("body_time", "WATCHKEEPER_BODY_SECONDS", 1, 3600, "seconds"),
)


def _limits(env: Mapping[str, str]) -> dict[str, int]:
    given = [one for one in _LIMITS if env.get(one[1], "").strip()]
    return {
        name: _within(env, setting, least, least, most, what) for name, setting, least, most, what in given
    }


def _within(env: Mapping[str, str], name: str, default: int, least: int, most: int, what: str) -> int:
    value = env.get(name, "").strip() or str(default)
    if not value.isdigit() or not least <= int(value) <= most:
        raise ConfigError(f"{name}={value!r}: write a whole number of {what} from {least} to {most}")
    return int(value)


def address(env: Mapping[str, str], name: str, default: str) -> tuple[str, int] | None:
    """A `host:port` setting; None for `off`. Raises ConfigError.

    >>> address({"X": "[::1]:514"}, "X", "off")
    ('::1', 514)
    """
    value = env.get(name, "").strip() or default
    if value.lower() == "off":
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{name}={value!r}: write host:port, such as 127.0.0.1:8080, or off")
    return host.strip("[]") or "0.0.0.0", int(port)


def number(name: str, default: int, *, least: int = 1) -> int:
    """A setting that is a whole number. Raises ConfigError.

    >>> number("WATCHKEEPER_TEST_NOTHING", 3)
    3
    """
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isdigit() or int(value) < least:
        raise ConfigError(f"{name}={value!r}: write a whole number, {least} or more")
    return int(value)
