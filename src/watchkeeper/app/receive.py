"""The receive process: the doors over HTTP and those with ports of their own, MQTT, the host poller, and group commit."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import sys
import threading

import uvloop

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config

_log = logging.getLogger(__name__)
_FILES = 65536  # descriptors, where the system lets us
MARK_EVERY = 1.0  # seconds between two signs of life


def main() -> None:
    """Build, start, wait, stop; top to bottom."""
    stop = process.start("receive")
    # Decoding threads give way to the event loop sooner: health answers stayed under 73 ms (p99) instead of 350.
    sys.setswitchinterval(0.0005)
    # A thousand connections need as many descriptors, and many systems give a process 1,024 until it asks for more.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (min(hard, _FILES) if hard != resource.RLIM_INFINITY else _FILES, hard)
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    uvloop.run(_serve(Config.from_env(), stop))


async def _serve(config: Config, stop: threading.Event) -> None:
    from watchkeeper.domains.loading import load

    load()
    from watchkeeper.app import doors
    from watchkeeper.app.confirming import Confirming
    from watchkeeper.domains.identity import DatabaseKeyring
    from watchkeeper.domains.receiving import DatabaseDeclared
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.pollers.host import HostPoller
    from watchkeeper.receivers import otlp
    from watchkeeper.receivers.dead_letters import DeadLetters
    from watchkeeper.receivers.door_stats import DoorStats
    from watchkeeper.receivers.forwarding import Forwarding
    from watchkeeper.receivers.front import Front, wall_ms
    from watchkeeper.receivers.limits import Limits
    from watchkeeper.receivers.series import SeriesTable

    process.await_records()
    bound = sockets.inherited()
    group = GroupCommit(journal := open_journal(config.journal_url, config.data))
    keyring, declared = DatabaseKeyring(), DatabaseDeclared()
    confirming = Confirming(group.submit_blocking)
    shared = doors.Shared(group, keyring, SeriesTable(), DoorStats(), DeadLetters(), Limits(**config.limits))
    doors.tell_addresses(bound, shared.stats)
    telemetry = otlp.doors(shared.series)
    front = Front(
        [bound["http"]], doors.over_http(shared, telemetry, confirming),
        keyring=keyring, group=group, series=shared.series, stats=shared.stats, letters=shared.letters,
        inner_url=f"http://{os.environ[process.WEB]}", inner_secret=process.inner_secret(),
        limits=shared.limits, secured=doors.secured(config, bound.get("https_tcp")), forwarding=Forwarding(config.proxies),
    )  # fmt: skip
    listeners = list(doors.listeners(config, bound, shared, declared))
    grpc = list(doors.grpc(config, bound, telemetry, front.intake))
    poller = HostPoller(group.submit_blocking, config.data / "host.json", own_root=os.getppid())

    for source in (keyring, declared, confirming):
        source.start()
    await front.start()
    for listener in (*listeners, *grpc):
        await listener.start()
    threading.Thread(target=doors.warm, daemon=True, name="warm").start()
    _keep_what_is_there()
    polling = process.guard(lambda: poller.run(stop), "host poller", stop)
    marks = process.marks()
    while not stop.is_set():
        marks.note("receive")  # from the event loop, which is what doors over HTTP hang with
        for door, unread in declared.unread().items():
            shared.stats.unread(door, {u.name: u.why for u in unread})
        await asyncio.to_thread(stop.wait, MARK_EVERY)
        shared.series.age(wall_ms())
    for listener in grpc:
        await listener.stop()  # before the front, whose intake it shares
    await front.stop()
    await asyncio.gather(*(listener.stop() for listener in listeners))
    await asyncio.to_thread(polling.join, 5.0)
    await asyncio.to_thread(group.close)
    declared.stop()
    keyring.stop()
    journal.close()


def _keep_what_is_there() -> None:
    """Let no collection of garbage go through what was there at the start, for which 0.3 s were measured in which nobody is
    answered: a thousand connections that arrive at once set a full one off."""
    gc.freeze()


if __name__ == "__main__":
    main()
