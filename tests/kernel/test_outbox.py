"""The outbox's worker: what people wait for is carried out, whatever errors other handlers have, and however many wait for
somebody who does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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

    @outbox.handler("test-page", urgent=True)
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
