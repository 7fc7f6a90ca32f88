"""Several web processes work off the same timers: each step is done once. On PostgreSQL, where several may write at a time;
`test_on_postgres` runs it."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from tests.domains.paging_setup import call, person, policy, root
from watchkeeper.domains.oncall.paging.climbing import climb
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery
from watchkeeper.kernel.models import OutboxRow

THERE = os.environ.get("WATCHKEEPER_TEST_DATABASE") == "postgres"
COUNT, WORKERS = 300, 3


@pytest.mark.skipif(not THERE, reason="on SQLite there is one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_several_workers_do_each_step_once() -> None:
    client, now = root(), timezone.now()
    person(client, "ann", "https://example.org/hook")
    number = policy(client, {"people": ["ann"]})
    Escalation.objects.bulk_create(
        Escalation(
            cause=f"c{n}",
            kind="tickets",
            record=str(n),
            title="slow",
            policy_id=number,
            began_at=now,
            due_at=now,
        )
        for n in range(COUNT)
    )
    done: Counter[int] = Counter()
    together = threading.Barrier(WORKERS)

    def work(worker: int) -> None:
        together.wait()
        try:
            while some := climb(now, most=7):
                done[worker] += some
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while climb(now):  # what one had locked while another looked
        pass
    assert Page.objects.count() == PageDelivery.objects.count() == COUNT
    assert OutboxRow.objects.filter(kind="page").count() == COUNT
    assert set(Escalation.objects.values_list("position", flat=True)) == {0}
    assert sum(done.values()) <= COUNT
    assert call(client, "get", "pages")["count"] == COUNT
