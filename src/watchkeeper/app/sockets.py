"""The listening sockets. The supervisor binds them and its processes inherit them, so that a killed process
loses neither its address nor what waits in the kernel's queues."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from watchkeeper.app.config import LISTENERS, Config, ConfigError

if TYPE_CHECKING:
    from watchkeeper.receivers.tls import Certificate

VARIABLE = "WATCHKEEPER_SOCKETS"
UDP_BUFFER = 32 * 1024 * 1024
#: the names of the sockets of doors that have a port of their own
OF_DOORS = tuple(f"{name}_{over}" for name in LISTENERS for over in ("tcp", "udp"))


def bind_all(config: Config) -> dict[str, socket.socket]:
    """Bind what the settings ask for, and inner endpoints on free loopback ports. Raises ConfigError."""
    if any(listener.secured and config.listeners.get(name) for name, listener in LISTENERS.items()):
        certificate(config, config.syslog_clients)  # says now what is wrong with it
    bound = {"http": _listen("WATCHKEEPER_LISTEN", config.listen)}
    for name, listener in LISTENERS.items():
        where = config.listeners.get(name)
        if where and listener.tcp:
            bound[f"{name}_tcp"] = tcp = _listen(listener.setting, where)
            where = (where[0], tcp.getsockname()[1])
        if where and listener.udp:
            bound[f"{name}_udp"] = _datagram(listener.setting, where)
    bound["web"] = _listen("the inner web endpoint", ("127.0.0.1", 0))
    if not config.telemetry_url:
        bound["telemetry"] = _listen("the inner telemetry endpoint", ("127.0.0.1", 0))
    for s in bound.values():
        s.set_inheritable(True)
    return bound


def certificate(config: Config, clients: Path | None = None, protocols: Sequence[str] = ()) -> Certificate:
    """What secured doors show; `clients`: authorities of the certificates that it asks for; `protocols`: what is spoken
    behind it. Raises ConfigError."""
    from watchkeeper.receivers.tls import Certificate  # the supervisor needs it only with a certificate

    assert config.certificate is not None
    try:
        return Certificate(*config.certificate, clients, protocols=protocols)
    except OSError as error:
        raise ConfigError(
            f"WATCHKEEPER_TLS_CERT, WATCHKEEPER_TLS_KEY or WATCHKEEPER_SYSLOG_CA cannot be used: {error}"
        ) from error


def pack(bound: Mapping[str, socket.socket]) -> str:
    """What goes into the environment of a process: `name=descriptor,…`."""
    return ",".join(f"{name}={s.fileno()}" for name, s in bound.items())


def inherited(env: Mapping[str, str] = os.environ) -> dict[str, socket.socket]:
    """The sockets that the supervisor handed to this process, by name."""
    pairs = (x.split("=") for x in env.get(VARIABLE, "").split(",") if x)
    return {name: socket.socket(fileno=int(fd)) for name, fd in pairs}


def _listen(setting: str, where: tuple[str, int]) -> socket.socket:
    s = socket.socket(_family(where[0]), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _bind(s, setting, where)
    s.listen(1024)
    return s


def _datagram(setting: str, where: tuple[str, int]) -> socket.socket:
    s = socket.socket(_family(where[0]), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
    _bind(s, setting, where)
    return s


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bind(s: socket.socket, setting: str, where: tuple[str, int]) -> None:
    try:
        s.bind(where)
    except OSError as error:
        s.close()
        hint = f"is something else using it? Set {setting} to another address, for example {where[0]}:0"
        raise ConfigError(f"cannot listen on {where[0]}:{where[1]} ({error.strerror}); {hint}") from error
