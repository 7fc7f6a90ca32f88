"""The receive process: the HTTP front with its doors, syslog, the host poller, and the journal's group commit."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config

if TYPE_CHECKING:
    from watchkeeper.receivers.grpc import GrpcServer
    from watchkeeper.receivers.intake import Intake
    from watchkeeper.receivers.otlp import OtlpDoor
    from watchkeeper.receivers.tls import Certificate

_log = logging.getLogger(__name__)
AGE_EVERY = 600.0  # seconds between two looks for series that nobody sends any more


def main() -> None:
    """Build, start, wait, stop; top to bottom."""
    stop = process.start("receive")
    # Decoding threads give way to the event loop sooner: health answers stayed under 73 ms (p99) instead of 350.
    sys.setswitchinterval(0.0005)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    uvloop.run(_serve(Config.from_env(), stop))


async def _serve(config: Config, stop: threading.Event) -> None:
    import django

    django.setup()
    from watchkeeper.app.confirming import Confirming
    from watchkeeper.domains.identity import DatabaseKeyring
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.pollers.host import HostPoller
    from watchkeeper.receivers import otlp, webhooks
    from watchkeeper.receivers.alertmanager import AlertmanagerDoor
    from watchkeeper.receivers.dead_letters import DeadLetters
    from watchkeeper.receivers.door_stats import DoorStats
    from watchkeeper.receivers.forwarding import Forwarding
    from watchkeeper.receivers.front import Front, wall_ms
    from watchkeeper.receivers.pagerduty import PagerDutyDoor
    from watchkeeper.receivers.remote_write import RemoteWriteDoor
    from watchkeeper.receivers.series import SeriesTable
    from watchkeeper.receivers.syslog_listener import SyslogListener

    process.await_records()
    bound = sockets.inherited()
    journal = open_journal(config.journal_url, config.data)
    group = GroupCommit(journal)
    keyring = DatabaseKeyring()
    series, stats, letters = SeriesTable(), DoorStats(), DeadLetters()
    telemetry = otlp.doors(series)
    confirming = Confirming(group.submit_blocking)
    doors = [
        AlertmanagerDoor().row(), *PagerDutyDoor().rows(), RemoteWriteDoor(series).row(), *(d.row() for d in telemetry),
        *webhooks.doors(confirming),
    ]  # fmt: skip
    front = Front(
        [bound["http"]], doors, keyring=keyring, group=group, series=series, stats=stats, letters=letters,
        inner_url=f"http://{os.environ[process.WEB]}", inner_secret=process.inner_secret(),
        secured=_secured(config, bound.get("https_tcp")),
        forwarding=Forwarding(config.proxies),
    )  # fmt: skip
    syslog = SyslogListener(
        [bound[name] for name in ("syslog_udp", "syslog_tcp") if name in bound],
        group=group, keyring=keyring, stats=stats, letters=letters,
        secured=_secured(config, bound.get("syslog_tls_tcp"), config.syslog_clients),
    )  # fmt: skip
    grpc = _grpc(bound.get("otlp_grpc_tcp"), telemetry, front.intake)
    poller = HostPoller(group.submit_blocking, config.data / "host.json", own_root=os.getppid())

    keyring.start()
    confirming.start()
    await front.start()
    await syslog.start()
    if grpc is not None:
        await grpc.start()
    polling = process.guard(lambda: poller.run(stop), "host poller", stop)
    while not stop.is_set():
        await asyncio.to_thread(stop.wait, AGE_EVERY)
        series.age(wall_ms())
    if grpc is not None:
        await grpc.stop()  # before the front, whose intake it shares
    await front.stop()
    await syslog.stop()
    await asyncio.to_thread(polling.join, 5.0)
    await asyncio.to_thread(group.close)
    keyring.stop()
    journal.close()


def _secured(
    config: Config, bound: socket.socket | None, clients: Path | None = None
) -> tuple[socket.socket, Certificate] | None:
    """A socket for TLS and what it shows; None while there is no certificate."""
    return (bound, sockets.certificate(config, clients)) if bound is not None else None


def _grpc(bound: socket.socket | None, doors: Iterable[OtlpDoor], intake: Intake) -> GrpcServer | None:
    """OTLP over gRPC, where it is to be had; what it needs is loaded only then."""
    if bound is None:
        return None
    from watchkeeper.receivers import otlp_grpc

    return otlp_grpc.server(bound, doors, intake)


if __name__ == "__main__":
    main()
