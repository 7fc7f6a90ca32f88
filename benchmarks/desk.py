"""The service desk with 200,000 tickets: what it costs to make one, to look at a queue and a ticket, and to find out anew
what is due.

    python -m benchmarks.desk [--stored 200000] [--postgres]

A ticket is made through the whole of Django (token, policy, serializer), with its clock, its audit entry, the note for
the search index and the rules that listen; what the background does with these is measured apart. Lists and pages are
asked for through Django's client, without a socket, as the console shows them. Peer: Request Tracker 5 creates 7.5
tickets/s, lists 20 in 23 ms and gets one in 46 ms.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.whole.records import analyse, arguments, database

OPEN = 10_000
MADE = 300
ASKED = 40
QUEUES, PEOPLE = 8, 20


def main() -> None:
    """Build, measure, print; the database is removed after."""
    parser = arguments(__doc__)
    parser.add_argument("--stored", type=int, default=200_000)
    given = parser.parse_args()
    with database(given.postgres) as folder:
        _run(given.stored, folder)


def _run(stored: int, _: Path) -> None:
    from django.db import connection

    began = time.perf_counter()
    _fill(stored)
    analyse()
    print(
        f"{connection.vendor}: {stored:,} tickets, {OPEN:,} of them open, made in {time.perf_counter() - began:.0f} s"
    )
    _index()
    _making()
    _pages()
    _reckoning()


def _fill(stored: int) -> None:
    """Queues with an agreement, and tickets of which one in twenty is open."""
    from django.db import transaction
    from django.utils import timezone

    from watchkeeper.domains.access.models import Team
    from watchkeeper.domains.agreements.models import Agreement, Calendar, Target
    from watchkeeper.domains.desk.models import IncidentRule, Queue, Ticket
    from watchkeeper.domains.identity.models import User
    from watchkeeper.domains.inbox.models import Subscription
    from watchkeeper.kernel.upserts import columns_of, row_of, upsert

    now = timezone.now()
    people = User.objects.bulk_create(User(username=f"agent{n}") for n in range(PEOPLE))
    team = Team.objects.create(name="first line")
    team.members.set(people)
    agreement = Agreement.objects.create(name="gold", calendar=Calendar.objects.create(name="office"))
    Target.objects.bulk_create(
        Target(agreement=agreement, priority=p, response_minutes=60 * p, resolution_minutes=480 * p)
        for p in range(1, 6)
    )
    queues = [Queue.objects.create(name=f"queue {n}", team=team, agreement=agreement) for n in range(QUEUES)]
    IncidentRule.objects.create(name="bad", queue=queues[0])
    Subscription.objects.create(user=people[0], kind="tickets", title="All tickets")
    columns = columns_of(Ticket)
    empty = dict(zip(columns, row_of(Ticket, Ticket()), strict=True))
    for start in range(0, stored, 10_000):
        numbers = range(start, min(stored, start + 10_000))
        told = [_told(n, n % max(1, stored // OPEN) == 0, now, people, queues) for n in numbers]
        with transaction.atomic():
            upsert(Ticket, [tuple((empty | t)[c] for c in columns) for t in told])


def _told(n: int, open_: bool, now: dt.datetime, people: list[Any], queues: list[Any]) -> dict[str, Any]:
    """The columns of the nth ticket."""
    from watchkeeper.kernel.fields import milliseconds
    from watchkeeper.kernel.upserts import when

    opened = milliseconds(now) - n * 60_000
    at, due = when(opened), when(opened + 2 * 86_400_000)
    return {
        "number": f"INC-{n + 1}", "type": "incident", "title": f"{_WORDS[n % 7]} on host-{n % 5000}", "resolution": "",
        "description": "It happens since then.", "source": "console",
        "status": ("new", "in_progress", "waiting_for_requester")[n % 3] if open_ else "closed",
        "impact": n % 3 + 1, "urgency": n // 3 % 3 + 1, "priority": n % 3 + n // 3 % 3 + 1,
        "queue_id": queues[n % QUEUES].pk, "assignee_id": people[n % PEOPLE].pk if n % 4 else None,
        "requester_id": people[n % 7].pk, "opened_at": at, "resolved_at": None if open_ else at,
        "closed_at": None if open_ else at, "resolution_due_at": due,
    }  # fmt: skip


_WORDS = (
    "Disk full",
    "Mail is slow",
    "Printer jams",
    "VPN drops",
    "Login fails",
    "Page is blank",
    "Backup failed",
)


def _index() -> None:
    from watchkeeper.domains.search import triggers

    triggers.install()
    wall, cpu = _timed(lambda: _until(_indexed))
    print(f"search index of all: {wall:.0f} s wall, {cpu:.0f} s CPU")


def _indexed() -> bool:
    from watchkeeper.domains.search.indexing import catch_up

    return catch_up(2000)


def _until(step: Callable[[], Any]) -> None:
    while step():
        pass


def _making() -> None:
    """One at a time through REST, then what the background does with them."""
    from watchkeeper.domains.desk.models import Queue
    from watchkeeper.kernel.outbox import OutboxWorker

    client = _client()
    queue = Queue.objects.first()
    assert queue is not None

    def make() -> None:
        for n in range(MADE):
            body = {"title": f"Mail is slow on host-{n}", "queue": queue.pk, "description": "since noon"}
            answer = client.post("/api/tickets/", json.dumps(body), content_type="application/json")
            assert answer.status_code == 201, answer.content

    wall, cpu = _timed(make)
    print(
        f"make one through REST: {MADE / wall:.0f}/s ({wall / MADE * 1000:.1f} ms wall, {cpu / MADE * 1000:.1f} ms CPU)"
    )
    worker = OutboxWorker()
    wall2, cpu2 = _timed(lambda: (_until(worker.step), _until(_indexed)))
    print(
        f"  and in the background, listeners and index: {wall2 / MADE * 1000:.1f} ms wall, {cpu2 / MADE * 1000:.1f} ms CPU"
    )
    print(
        f"  both in one process: {MADE / (wall + wall2):.0f}/s; the peer's 7.5/s: {MADE / (wall + wall2) / 7.5:.0f} times"
    )


def _pages() -> None:
    from django.test import Client

    from watchkeeper.domains.desk.models import Queue, Ticket
    from watchkeeper.domains.identity.models import User

    queue, ticket = Queue.objects.first(), Ticket.objects.filter(status="new").first()
    assert queue is not None and ticket is not None
    root = User.objects.create(username="root", is_administrator=True)
    browser = Client()
    browser.force_login(root)
    open_ = "new,in_progress,waiting_for_requester,waiting_for_partner"
    for label, client, url in (
        ("REST: 20 open ones", _client(), f"/api/tickets/?status__in={open_}&limit=20"),
        ("REST: 20 of a queue", _client(), f"/api/tickets/?queue={queue.pk}&status__in={open_}&limit=20"),
        ("REST: one", _client(), f"/api/tickets/{ticket.pk}/"),
        ("REST: search 20", _client(), f"/api/tickets/?search=host-77&status__in={open_}&limit=20"),
        ("console: all open", browser, "/tickets/"),
        ("console: a queue", browser, f"/tickets/?queue={queue.pk}&status__in={open_}"),
        ("console: mine", browser, f"/tickets/?assignee__username=agent3&status__in={open_}"),
        ("console: overdue", browser, f"/tickets/?queue={queue.pk}&overdue=true"),
        ("console: all, also closed", browser, "/tickets/?all=1"),
        ("console: a ticket", browser, f"/tickets/{ticket.pk}/"),
    ):
        _asked(label, client, url)


def _asked(label: str, client: Any, url: str) -> None:
    def get() -> None:
        answer = client.get(url)
        assert answer.status_code == 200, answer.status_code
        assert answer.content

    for _ in range(3):
        get()
    walls, cpus = zip(*(_timed(get) for _ in range(ASKED)), strict=True)
    p95 = sorted(walls)[int(0.95 * ASKED)]
    cpu = statistics.median(cpus) * 1000
    print(
        f"{label:28} median {statistics.median(walls) * 1000:6.1f} ms, p95 {p95 * 1000:6.1f} ms, CPU {cpu:6.1f} ms"
    )


def _reckoning() -> None:
    from watchkeeper.domains.agreements.models import Target
    from watchkeeper.domains.desk import promising, rules
    from watchkeeper.domains.desk.models import Ticket

    for change, minutes in (("first", 1000), ("another promise", 2000), ("nothing changes", 2000)):
        Target.objects.update(resolution_minutes=minutes)
        found = Ticket.objects.filter(status__in=rules.OPEN)
        changed: list[int] = []
        wall, cpu = _timed(lambda found=found, changed=changed: changed.append(promising.reckon(found)))
        print(
            f"due times of {found.count():,} open, {change}: {wall:.2f} s wall, {cpu:.2f} s CPU, {changed[0]:,} other"
        )


def _client() -> Any:
    from django.test import Client

    from watchkeeper.domains import identity

    return Client(headers={"authorization": "Bearer " + identity.create_token(f"bench{time.monotonic_ns()}")})


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
