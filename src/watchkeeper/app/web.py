"""The web process: Django under uvicorn on an inner address, the outbox worker, the audit trail's sealer, the indexer
of the search, and what time does to access."""

from __future__ import annotations

import os

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config


def main() -> None:
    """Build, start, wait, stop; top to bottom."""
    stop = process.start("web")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    config = Config.from_env()

    import django
    import uvicorn
    from django.conf import settings

    django.setup()  # before anything that knows a record

    from watchkeeper.app import collectors, jobs
    from watchkeeper.app.asgi import application
    from watchkeeper.domains.access import Keeper
    from watchkeeper.domains.annotations import tidying
    from watchkeeper.domains.audit import Checkpoints, Sealer
    from watchkeeper.domains.search import Indexer
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.acts import JournalActs
    from watchkeeper.kernel.outbox import OutboxWorker
    from watchkeeper.kernel.ports import ports
    from watchkeeper.telemetry.store import Store

    process.await_records()
    ports.journal = open_journal(config.journal_url, config.data)
    ports.acts = JournalActs(ports.journal)
    ports.telemetry = Store(process.telemetry_dsn(config.telemetry_url))
    sealer = Sealer(Checkpoints(settings.AUDIT_CHECKPOINTS))
    ports.collectors = [*collectors.all_of(ports.journal), sealer.metrics]
    ports.doors = collectors.door_stats
    outbox = OutboxWorker()
    worker = process.guard(lambda: outbox.run(stop), "outbox", stop)
    tidier = process.guard(lambda: tidying.run(stop), "tidier", stop)
    sealing = process.guard(lambda: sealer.run(stop), "sealer", stop)
    process.guard(lambda: jobs.watch(stop), "jobs", stop)
    keeping = process.guard(lambda: Keeper().run(stop), "access", stop)
    indexing = process.guard(lambda: Indexer().run(stop), "search", stop)

    server = uvicorn.Server(
        uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, loop="uvloop", http="httptools",
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=3, timeout_keep_alive=60, backlog=1024,
        )
    )  # fmt: skip
    # In a thread uvicorn leaves signals alone; process.start has them.
    sock = sockets.inherited()["web"]
    serving = process.guard(lambda: server.run(sockets=[sock]), "http", stop)
    while not stop.wait(1.0):
        pass
    server.should_exit = True
    serving.join(6)
    worker.join(5)
    sealing.join(5)
    keeping.join(5)
    indexing.join(5)
    tidier.join(5)
    sealer.finish()
    ports.telemetry.close()
    ports.journal.close()


if __name__ == "__main__":
    main()
