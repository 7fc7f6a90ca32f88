"""The outbox's worker: what people wait for is carried out, whatever errors other handlers have, and however many wait for
somebody who does not answer."""

from __future__ import annotations

import datetime as dt
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from tests.support import eventually
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@contextmanager
def working(threads: int) -> Iterator[None]:
    """A worker that runs meanwhile."""
    stop = threading.Event()
    worker = threading.Thread(target=outbox.OutboxWorker(threads=threads, poll=0.02).run, args=(stop,))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_ours_stops_nothing_else() -> None:
    @outbox.handler("test-broken")
    def broken(_: OutboxRow) -> str:
        raise ZeroDivisionError

    @outbox.handler("test-sound")
    def sound(row: OutboxRow) -> str:
        return row.subject

    outbox.add(outbox.Effect(f"broken:{n}", "test-broken", "", {}) for n in range(3))
    with working(threads=1):
        eventually(lambda: OutboxRow.objects.filter(kind="test-broken", attempts=1).count() == 3)
        outbox.add([outbox.Effect("sound", "test-sound", "x", {})])
        eventually(lambda: OutboxRow.objects.filter(pk="sound", state="done").exists())
    tried = OutboxRow.objects.filter(kind="test-broken").order_by().values_list("state", "error").distinct()
    assert list(tried) == [("due", "an error of ours, which the log tells")]


@pytest.mark.django_db(transaction=True)
def test_what_people_wait_for_does_not_queue_behind_those_who_do_not_answer() -> None:
    answers = threading.Event()

    @outbox.handler("test-hanging")
    def hanging(_: OutboxRow) -> str:
        answers.wait()
        return "at last"

    @outbox.handler("test-page", lane="urgent")
    def page(row: OutboxRow) -> str:
        return row.subject

    outbox.add(outbox.Effect(f"hanging:{n}", "test-hanging", "", {}) for n in range(20))
    with working(threads=2):
        try:
            eventually(lambda: OutboxRow.objects.filter(kind="test-hanging", attempts=1).count() == 2)
            outbox.add([outbox.Effect("page", "test-page", "x", {})])
            eventually(lambda: OutboxRow.objects.filter(pk="page", state="done").exists())
        finally:
            answers.set()


@pytest.mark.django_db(transaction=True)
def test_what_was_done_is_written_when_the_database_lets_us() -> None:
    """Not done once more when the lease ends."""
    if connection.vendor != "sqlite":
        pytest.skip("others have no writer that all wait for")
    done, over = [], threading.Event()

    def hold() -> None:
        name = connection.settings_dict["NAME"]
        with closing(
            sqlite3.connect(name, uri=str(name).startswith("file:"), check_same_thread=False)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            over.wait(1.0)
            other.rollback()

    held = threading.Event()

    @outbox.handler("test-held")
    def carry_out(row: OutboxRow) -> str:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 100")
        done.append(row.pk)
        threading.Thread(target=hold, daemon=True).start()
        assert held.wait(20)
        return "well"

    outbox.add([outbox.Effect("held", "test-held", "", {})])
    with working(threads=1):
        eventually(lambda: OutboxRow.objects.filter(pk="held", state="done").exists())
    assert done == ["held"]


@pytest.mark.django_db(transaction=True)
def test_a_new_process_with_the_number_of_one_that_was_killed_keeps_nothing_from_us() -> None:
    outbox.handler("test-taken-over")(lambda row: row.subject)
    claimed = timezone.now() - dt.timedelta(minutes=1)
    host = outbox.OutboxWorker().name.split(":")[0]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as young:
        outbox.add(
            outbox.Effect(name, "test-taken-over", "x", {}) for name in ("of the dead", "of the living")
        )
        OutboxRow.objects.filter(pk="of the dead").update(
            claimed_by=f"{host}:{young.pid}:1", due_at=claimed + outbox.LEASE
        )
        OutboxRow.objects.filter(pk="of the living").update(
            claimed_by=f"{host}:{os.getppid()}:1", due_at=timezone.now() + outbox.LEASE
        )
        with working(threads=1):
            eventually(lambda: OutboxRow.objects.filter(pk="of the dead", state="done").exists())
        assert OutboxRow.objects.get(pk="of the living").state == "due"
        young.communicate(b"\n")


@pytest.mark.django_db(transaction=True)
def test_what_a_living_worker_of_another_machine_has_begun_stays_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names of replicas begin alike, and their processes have the same numbers."""
    outbox.handler("test-elsewhere")(lambda row: row.subject)
    outbox.add(outbox.Effect(name, "test-elsewhere", "x", {}) for name in ("of the other", "ours"))
    for name, replica in (("of the other", "aaaaa"), ("ours", "bbbbb")):
        monkeypatch.setattr(socket, "gethostname", lambda r=replica: f"watchkeeper-web-6d4cf56db6-{r}")
        OutboxRow.objects.filter(pk=name).update(
            claimed_by=outbox.OutboxWorker().name, due_at=timezone.now() + outbox.LEASE
        )
    with working(threads=1):
        eventually(lambda: OutboxRow.objects.filter(pk="ours", state="done").exists())
    assert OutboxRow.objects.get(pk="of the other").state == "due"
