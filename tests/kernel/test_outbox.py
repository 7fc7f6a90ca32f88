"""The outbox's worker: an effect whose handler has an error keeps no other from being carried out."""

from __future__ import annotations

import threading

import pytest

from tests.support import eventually
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


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
    stop = threading.Event()
    worker = threading.Thread(target=outbox.OutboxWorker(threads=1, poll=0.02).run, args=(stop,))
    worker.start()
    try:
        eventually(lambda: OutboxRow.objects.filter(kind="test-broken", attempts=1).count() == 3)
        outbox.add([outbox.Effect("sound", "test-sound", "x", {})])
        eventually(lambda: OutboxRow.objects.filter(pk="sound", state="done").exists())
    finally:
        stop.set()
        worker.join()
    tried = OutboxRow.objects.filter(kind="test-broken").order_by().values_list("state", "error").distinct()
    assert list(tried) == [("due", "an error of ours, which the log tells")]
