"""The engine of long work, DBOS: remembers the result of every step in a store of its own (a SQLite file in the data
folder, or a schema of the records' PostgreSQL), and begins anew what was running when the process was killed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions
from dbos import error as dbos_errors
from django.db import OperationalError, close_old_connections, connection
from sqlalchemy.exc import DBAPIError

from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job, JobState
from watchkeeper.jobs.watch import Watch
from watchkeeper.kernel.outbox import TryAgain

_log = logging.getLogger(__name__)
#: the same for ever: a workflow of another version would wait for a process of that version
VERSION = "1"
POOL = 4  # connections to the store
_LONG_AGO = 3600.0  # seconds between two looks of what we do not use


def store_url(database_url: str, data: Path) -> str:
    """Where the engine keeps what it remembers."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{quote(str(data / 'jobs.db'))}"
    return "postgresql://" + database_url.partition("://")[2]


class Durable:
    """Inert until `launch`. One a process."""

    def __init__(self, url: str, runner: str) -> None:
        """`runner` names this data folder's process; after a kill its successor has the same name."""
        self.url, self.runner = url, runner
        self._running: dict[str, Any] = {}  # the handle of each workflow that this process has
        self._watch, self._others = Watch(runner), 0

    def launch(self) -> None:
        """Open the store and go on with what was running. Raises what the store raises."""
        logging.getLogger("dbos").addHandler(logging.NullHandler())  # else it writes in its own way
        config: DBOSConfig = {
            "name": "watchkeeper",
            "system_database_url": self.url,
            "log_level": "WARNING",
            "sys_db_pool_size": POOL,
            "application_version": VERSION,
            "executor_id": self.runner,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": _LONG_AGO,
            "scheduler_polling_interval_sec": _LONG_AGO,
        }
        DBOS(config=config)
        DBOS.launch()
        for pk, attempt in self._ours():
            self._start(pk, attempt)

    def tick(self) -> int:
        """Begin what is due; how many run, here and elsewhere."""
        others, self._others = self._others, self._watch.look()
        if self._others < others:
            jobs.schedule()  # when one was given up that was one of those
        for pk, attempt in jobs.claim(self.runner):
            self._start(pk, attempt)
        for workflow, handle in list(self._running.items()):
            if handle.get_status().status not in ("PENDING", "ENQUEUED", "DELAYED"):
                del self._running[workflow]
                DBOS.delete_workflow(workflow)  # how it ended is in the Job
                jobs.schedule()  # when it was one of those, the next time
        for pk, attempt in self._ours():
            if _workflow_id(pk, attempt) not in self._running:
                jobs.end(pk, attempt, JobState.FAILED, "it ended without saying how")
        return len(self._running) + self._others

    def _ours(self) -> list[tuple[str, int]]:
        running = Job.objects.filter(state=JobState.RUNNING, runner=self.runner)
        return list(running.values_list("pk", "attempt"))

    def _start(self, pk: str, attempt: int) -> None:
        """Begin it; one that the store knows goes on."""
        workflow = _workflow_id(pk, attempt)
        if DBOS.get_workflow_status(workflow) is not None:
            self._running[workflow] = DBOS.retrieve_workflow(workflow)
            return
        with SetWorkflowID(workflow):
            self._running[workflow] = DBOS.start_workflow(_job, pk, attempt)


def _workflow_id(pk: str, attempt: int) -> str:
    return f"{pk}#{attempt}"


@DBOS.workflow(name="job")
def _job(pk: str, attempt: int) -> None:
    try:
        jobs.carry_out(pk, attempt, _step)
    except DBAPIError as error:
        _log.exception("job %s: its store cannot be read or written", pk)
        _failed(pk, attempt, f"what it has done cannot be noted: {error.orig}")
    except Exception as error:  # noqa: BLE001  (whatever it is, the job's page says that it failed)
        _log.exception("job %s failed", pk)
        _failed(pk, attempt, f"that is our fault, and in the log: {type(error).__name__}: {error}")
    finally:
        connection.close()


def _failed(pk: str, attempt: int, error: str) -> None:
    with contextlib.suppress(OperationalError):  # then it is begun anew when this process is
        jobs.end(pk, attempt, JobState.FAILED, error)


def _step(name: str, do: Callable[[], Any], retry: jobs.Retry) -> Any:
    options: StepOptions = {
        "name": name,
        "retries_allowed": retry.attempts > 1,
        "max_attempts": retry.attempts,
        "interval_seconds": retry.seconds,
        "should_retry": lambda error: isinstance(error, TryAgain | OSError | OperationalError),
    }

    def fresh() -> Any:
        close_old_connections()  # the one that a database let go of
        return do()

    try:
        return DBOS.run_step(options, fresh)
    except dbos_errors.DBOSMaxStepRetriesExceeded as error:
        last = error.errors[-1] if getattr(error, "errors", None) else error
        raise TryAgain(f"{name}: tried {retry.attempts} times; the last time: {last}") from error
