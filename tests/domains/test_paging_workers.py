"""Several web processes work off the same timers: each step is done once. On PostgreSQL, where several may write at a time;
`test_on_postgres` runs it. And pages come although everything else waits for somebody who does not answer."""

from __future__ import annotations

import ipaddress
import os
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.domains.paging_setup import World, call, person, policy, root
from tests.kernel.receivers import webhook_receiver
from tests.kernel.test_outbox import working
from tests.support import eventually
from watchkeeper.domains.oncall.paging.climbing import Pager, climb
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow

THERE = os.environ.get("WATCHKEEPER_TEST_DATABASE") == "postgres"
COUNT, WORKERS = 300, 3


@pytest.mark.django_db(transaction=True)
def test_pages_begin_while_webhooks_and_mails_hang(settings: Any) -> None:
    """What begins an escalation is heard beside those threads that wait for others."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    answers, stop = threading.Event(), threading.Event()

    @outbox.handler("test-black-hole")
    def hanging(_: OutboxRow) -> str:
        answers.wait()
        return "at last"

    client = root()
    with webhook_receiver() as got:
        person(client, "ann", got.url)
        policy(client, {"people": ["ann"]})
        outbox.add(outbox.Effect(f"hole:{n}", "test-black-hole", "", {}) for n in range(20))
        pager = threading.Thread(target=Pager(poll=0.02).run, args=(stop,))
        with working(threads=2):
            pager.start()
            try:
                eventually(lambda: OutboxRow.objects.filter(kind="test-black-hole", attempts=1).count() == 2)
                World().write(heard=False)
                eventually(lambda: [path for path, _, _ in got.requests] == ["/ann"])
            finally:
                answers.set()
                stop.set()
                pager.join()


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
