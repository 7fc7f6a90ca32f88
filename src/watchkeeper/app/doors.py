"""Every door that there is: the rows of the HTTP front, and the listeners with a port of their own. What a door needs
that is off is not loaded."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from watchkeeper.app import sockets
from watchkeeper.app.config import Config

if TYPE_CHECKING:
    from watchkeeper.app.confirming import Confirming
    from watchkeeper.domains.identity import DatabaseKeyring
    from watchkeeper.domains.receiving import DatabaseDeclared
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.receivers.dead_letters import DeadLetters
    from watchkeeper.receivers.door_stats import DoorStats
    from watchkeeper.receivers.http import HttpDoor
    from watchkeeper.receivers.intake import Intake
    from watchkeeper.receivers.limits import Limits
    from watchkeeper.receivers.otlp import OtlpDoor
    from watchkeeper.receivers.series import SeriesTable
    from watchkeeper.receivers.tls import Certificate


class Listener(Protocol):
    """A door with a port of its own."""

    async def start(self) -> None:
        """Begin to receive."""

    async def stop(self) -> None:
        """Take in what has arrived, and end."""


@dataclass(frozen=True)
class Shared:
    """What all doors of this process share."""

    group: GroupCommit
    keyring: DatabaseKeyring
    series: SeriesTable
    stats: DoorStats
    letters: DeadLetters
    limits: Limits

    def but_series(self) -> dict[str, Any]:
        """As arguments of doors that take no metrics."""
        return {name: getattr(self, name) for name in ("group", "keyring", "stats", "letters")}


#: socket → its door, and what people call what it speaks
_SPOKEN = {
    "syslog_udp": ("syslog", "UDP"), "syslog_tcp": ("syslog", "TCP"), "syslog_tls_tcp": ("syslog", "TLS"),
    "otlp_grpc_tcp": ("otlp", "gRPC"), "otlp_grpc_tls_tcp": ("otlp", "gRPC over TLS"), "snmp_udp": ("snmp", "UDP"),
    "netflow_udp": ("netflow", "UDP"), "smtp_tcp": ("mail", "SMTP"),
}  # fmt: skip


def tell_addresses(bound: Mapping[str, socket.socket], stats: DoorStats) -> None:
    """Let the doors say where they listen, beside HTTP."""
    for name, (door, over) in _SPOKEN.items():
        if name in bound:
            host, port = bound[name].getsockname()[:2]
            stats.door(door).addresses.append(f"{over} {f'[{host}]' if ':' in host else host}:{port}")


def over_http(shared: Shared, telemetry: Sequence[OtlpDoor], confirming: Confirming) -> list[HttpDoor]:
    """The rows of the front's table."""
    from watchkeeper.receivers import webhooks
    from watchkeeper.receivers.alertmanager import AlertmanagerDoor
    from watchkeeper.receivers.pagerduty import PagerDutyDoor
    from watchkeeper.receivers.remote_write import RemoteWriteDoor

    return [
        AlertmanagerDoor().row(), *PagerDutyDoor().rows(), RemoteWriteDoor(shared.series).row(),
        *(d.row() for d in telemetry), *webhooks.doors(confirming),
    ]  # fmt: skip


def warm() -> None:
    """Make the machine code of decoders, 10 s of work once after an installation, or load what was made: 0.5 s. For a
    thread of its own, while others are served already; syslog's listener does so for itself."""
    from watchkeeper.receivers import otlp, remote_write

    otlp.warm()
    remote_write.warm()


def listeners(
    config: Config, bound: Mapping[str, socket.socket], shared: Shared, declared: DatabaseDeclared
) -> Iterator[Listener]:
    """Syslog, SNMP, NetFlow, mail, and the client of MQTT's brokers."""
    from watchkeeper.domains.outgoing import outbound
    from watchkeeper.receivers.mqtt_subscriber import MqttSubscriber
    from watchkeeper.receivers.syslog_listener import SyslogListener

    plain = [bound[name] for name in ("syslog_udp", "syslog_tcp") if name in bound]
    tls = secured(config, bound.get("syslog_tls_tcp"), config.syslog_clients)
    yield SyslogListener(plain, secured=tls, limits=shared.limits, **shared.but_series())
    if udp := bound.get("snmp_udp"):
        from watchkeeper.receivers.snmp_listener import SnmpListener

        yield SnmpListener(udp, config.data, users=declared, **shared.but_series())
    if udp := bound.get("netflow_udp"):
        from watchkeeper.receivers.netflow_listener import NetflowListener

        yield NetflowListener(udp, series=shared.series, **shared.but_series())
    if tcp := bound.get("smtp_tcp"):
        from watchkeeper.receivers.smtp_listener import SmtpListener
        from watchkeeper.receivers.smtp_spool import Spool

        shown = sockets.certificate(config).following() if config.certificate else None
        spool = Spool(config.data / "mail", declared)
        yield SmtpListener(tcp, tls=shown, limits=shared.limits, spool=spool, **shared.but_series())
    yield MqttSubscriber(
        declared, group=shared.group, series=shared.series, stats=shared.stats, letters=shared.letters,
        check=outbound.check,
    )  # fmt: skip


def grpc(
    config: Config, bound: Mapping[str, socket.socket], telemetry: Sequence[OtlpDoor], intake: Intake
) -> Iterator[Listener]:
    """OTLP over gRPC, where it is to be had, with TLS and without."""
    plain, tls = bound.get("otlp_grpc_tcp"), bound.get("otlp_grpc_tls_tcp")
    if plain is None and tls is None:
        return
    from watchkeeper.receivers import otlp_grpc

    if plain is not None:
        yield otlp_grpc.server(plain, telemetry, intake)
    if tls is not None:
        shown = sockets.certificate(config, protocols=(otlp_grpc.PROTOCOL,))
        yield otlp_grpc.server(tls, telemetry, intake, shown)


def secured(
    config: Config, bound: socket.socket | None, clients: Path | None = None
) -> tuple[socket.socket, Certificate] | None:
    """A socket for TLS and what it shows; None while there is no certificate."""
    return (bound, sockets.certificate(config, clients)) if bound is not None else None
