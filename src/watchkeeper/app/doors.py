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

    def but_series(self) -> dict[str, Any]:
        """As arguments of doors that take no metrics."""
        return {name: getattr(self, name) for name in ("group", "keyring", "stats", "letters")}


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


def listeners(
    config: Config, bound: Mapping[str, socket.socket], shared: Shared, declared: DatabaseDeclared
) -> Iterator[Listener]:
    """Syslog, SNMP, NetFlow, mail, and the client of MQTT's brokers."""
    from watchkeeper.domains.outgoing import outbound
    from watchkeeper.receivers.mqtt_subscriber import MqttSubscriber
    from watchkeeper.receivers.syslog_listener import SyslogListener

    plain = [bound[name] for name in ("syslog_udp", "syslog_tcp") if name in bound]
    tls = secured(config, bound.get("syslog_tls_tcp"), config.syslog_clients)
    yield SyslogListener(plain, secured=tls, **shared.but_series())
    if udp := bound.get("snmp_udp"):
        from watchkeeper.receivers.snmp_listener import SnmpListener

        yield SnmpListener(udp, config.data, users=declared, **shared.but_series())
    if udp := bound.get("netflow_udp"):
        from watchkeeper.receivers.netflow_listener import NetflowListener

        yield NetflowListener(udp, series=shared.series, **shared.but_series())
    if tcp := bound.get("smtp_tcp"):
        from watchkeeper.receivers.smtp_listener import SmtpListener

        shown = sockets.certificate(config).following() if config.certificate else None
        yield SmtpListener(tcp, tls=shown, **shared.but_series())
    yield MqttSubscriber(
        declared, group=shared.group, series=shared.series, stats=shared.stats, letters=shared.letters,
        check=outbound.check,
    )  # fmt: skip


def grpc(bound: socket.socket | None, telemetry: Sequence[OtlpDoor], intake: Intake) -> list[Listener]:
    """OTLP over gRPC, where it is to be had."""
    if bound is None:
        return []
    from watchkeeper.receivers import otlp_grpc

    return [otlp_grpc.server(bound, telemetry, intake)]


def secured(
    config: Config, bound: socket.socket | None, clients: Path | None = None
) -> tuple[socket.socket, Certificate] | None:
    """A socket for TLS and what it shows; None while there is no certificate."""
    return (bound, sockets.certificate(config, clients)) if bound is not None else None
