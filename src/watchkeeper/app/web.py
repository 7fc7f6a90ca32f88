"""The web process: Django under uvicorn on an inner address, the outbox worker, the audit trail's sealer, the indexer
of the search, the evaluator of Prometheus' rules, heartbeats outwards, what time does to access, the health of services,
what runs out, service level objectives, who is paged, what records mean, and what the platform measures of itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config

if TYPE_CHECKING:
    import uvicorn

    from watchkeeper.app.asgi import App


def main() -> None:
    """Build, start, wait, stop; top to bottom."""
    stop = process.start("web")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    config = Config.from_env()

    from django.conf import settings

    from watchkeeper.domains.loading import load

    load()  # before anything that knows a record

    from watchkeeper.app import collectors, on_demand
    from watchkeeper.app.asgi import application
    from watchkeeper.app.vitals import Looking
    from watchkeeper.domains import alerting
    from watchkeeper.domains.audit import Checkpoints, Sealer
    from watchkeeper.domains.heartbeats.sending import Beats
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.acts import JournalActs
    from watchkeeper.kernel.ports import ports
    from watchkeeper.telemetry.store import Store

    process.await_records()
    ports.journal = open_journal(config.journal_url, config.data)
    ports.acts = JournalActs(ports.journal)
    ports.telemetry = Store(process.telemetry_dsn(config.telemetry_url))
    sealer = Sealer(Checkpoints(settings.AUDIT_CHECKPOINTS))
    looking = Looking(ports.journal, config.data, stop)
    beats = Beats(looking.look)
    evaluator = alerting.Evaluator(ports.telemetry, ports.journal)
    alerting.standing.begin(evaluator)
    ports.collectors = [
        *collectors.all_of(ports.journal), sealer.metrics, looking.metrics, beats.metrics, evaluator.metrics,
    ]  # fmt: skip
    ports.doors = collectors.door_stats
    process.guard(lambda: on_demand.watch(stop), "on demand", stop)
    process.guard(lambda: beats.run(stop), "heartbeats", stop)  # not waited for: it may be asking who is gone
    work = {**_work(), "sealer": sealer.run, "rules": evaluator.run}
    working = [process.guard(partial(run, stop), name, stop) for name, run in work.items()]

    server = _server(application)
    # In a thread uvicorn leaves signals alone; process.start has them.
    sock = sockets.inherited()["web"]
    serving = process.guard(lambda: server.run(sockets=[sock]), "http", stop)
    while not stop.wait(1.0):
        pass
    server.should_exit = True
    serving.join(6)
    end = time.monotonic() + 5  # for all of them together: the supervisor does not wait for long
    for thread in working:
        thread.join(max(0.0, end - time.monotonic()))
    sealer.finish()
    ports.telemetry.close()
    ports.journal.close()


def _work() -> dict[str, Callable[[Event], None]]:
    """What goes on beside requests, each in a thread of its own until it is told to stop."""
    from watchkeeper.app.foreseeing import Foreseeing
    from watchkeeper.app.own_metrics import OwnMetrics
    from watchkeeper.domains.access import Keeper
    from watchkeeper.domains.annotations import tidying
    from watchkeeper.domains.capacity.looking import Looking as Capacity
    from watchkeeper.domains.desk.mail.fetching import Fetcher
    from watchkeeper.domains.embedding.keeping import Keeper as Embedding
    from watchkeeper.domains.health.evaluating import Evaluation
    from watchkeeper.domains.objectives.evaluating import Evaluation as Objectives
    from watchkeeper.domains.oncall.paging.climbing import Pager
    from watchkeeper.domains.search import Indexer
    from watchkeeper.kernel.outbox import OutboxWorker
    from watchkeeper.kernel.ports import ports

    journal, store = ports.the_journal(), ports.the_telemetry()
    return {
        "outbox": OutboxWorker().run, "tidier": tidying.run, "access": Keeper().run, "search": Indexer().run,
        "health": Evaluation(store, journal).run, "capacity": Capacity(store, journal, Foreseeing).run,
        "objectives": Objectives(store, journal, Foreseeing).run,
        "own metrics": OwnMetrics(journal, ports.collectors).run,
        "pager": Pager().run,
        "mail": Fetcher().run,
        "embedding": Embedding().run,
    }  # fmt: skip


def _server(application: App) -> uvicorn.Server:
    """HTTP for the application, in a thread of this process."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, loop="uvloop", http="httptools",
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=3, timeout_keep_alive=60, backlog=1024,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
