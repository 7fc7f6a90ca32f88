"""How it was: asked once when a ticket is done, in the portal and by a signed link in a mail, and never too often."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.test_portal import People, call, people, session, ticket, token  # noqa: F401  (a fixture)
from tests.kernel.receivers import mail_receiver
from watchkeeper.domains import identity
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.portal import surveying
from watchkeeper.domains.portal.models import Survey
from watchkeeper.domains.portal.ratings import by_month
from watchkeeper.kernel.models import AuditEntry, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def done(requester: Any, **more: Any) -> Ticket:
    """A ticket that is resolved."""
    return ticket(requester, status="resolved", resolved_at=timezone.now(), **more)


def test_a_mail_asks_once_and_its_link_takes_one_answer(root: Client, people: People, settings: Any) -> None:  # noqa: F811
    ann = people("ann", "customer")
    made = ticket(ann, "The shop is slow")
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=desk@example.org"
        for act, body in (
            ("resolve", {"resolution": "index"}),
            ("close", {}),
            ("reopen", {}),
            ("resolve", {"resolution": "x"}),
        ):
            call(root, "post", f"/api/tickets/{made.pk}/{act}/", body)
            work()
    [mail] = got.mails
    assert "To: ann@example.org" in mail and "How was it?" in mail
    body = mail.replace("=\r\n", "").replace("=3D", "=")
    link = re.search(r"/portal/rate/[^\s]+", body)[0]  # type: ignore[index]
    anybody = Client(headers={"accept": "text/html,*/*"})
    assert "The shop is slow" in anybody.get(link).content.decode()
    for given in ({}, {"score": "6"}, {"score": "x"}, {"score": "0"}):
        assert anybody.post(link, given).status_code == 400
    assert anybody.post(link, {"score": "4", "comment": "quick"}).status_code == 200
    assert anybody.post(link, {"score": "1"}).status_code == 409
    assert "told us already" in anybody.get(link).content.decode()
    [shown] = call(root, "get", "/api/surveys/")["results"]
    assert (shown["score"], shown["comment"], shown["requester"]) == (4, "quick", "ann")
    entry = AuditEntry.objects.get(act="survey.answer")
    assert (entry.actor, entry.after) == ("ann", {"score": 4, "comment": "quick"})
    for made_up in (link[:-3] + "x/", "/portal/rate/1:x:y/", "/portal/rate/1/"):
        assert anybody.get(made_up).status_code == 404


def test_the_portal_asks_and_takes_the_answer_of_whoever_was_asked(people: People) -> None:  # noqa: F811
    ann, bob = people("ann", "customer"), people("bob", "customer")
    made = done(ann, title="shop")
    assert surveying.ask(made.pk, NOW)
    assert "How did you find" in session(ann).get("/portal/").content.decode()
    call(token(bob), "post", f"/api/portal/tickets/{made.number}/rate/", {"score": 1}, 404)
    call(token(ann), "post", f"/api/portal/tickets/{made.number}/rate/", {"score": 9}, 400)
    where = f"/portal/tickets/{made.number}/"
    assert session(ann).post(f"{where}rate/", {"score": "5"}).status_code == 302
    assert Survey.objects.get().score == 5
    call(token(ann), "post", f"/api/portal/tickets/{made.number}/rate/", {"score": 1}, 409)
    assert "Thank you" in session(ann).get(where).content.decode()


def test_nobody_is_asked_too_often_nor_about_what_was_cancelled(people: People, settings: Any) -> None:  # noqa: F811
    ann, bob = people("ann", "customer"), people("bob", "customer")
    first, second, third = (done(ann, title=t) for t in "abc")
    cancelled = ticket(bob, status="cancelled")
    assert [surveying.ask(t.pk, NOW) for t in (first, first, second, cancelled)] == [
        True,
        False,
        False,
        False,
    ]
    assert not surveying.ask(second.pk, NOW + WEEK - dt.timedelta(seconds=1))
    assert surveying.ask(second.pk, NOW + WEEK)
    assert surveying.ask(done(bob, title="d").pk, NOW)
    settings.SURVEY_DAYS = 0
    assert not surveying.Done().wants(["tickets"])
    ann.is_active = False
    ann.save()
    assert not surveying.ask(third.pk, NOW + 3 * WEEK)
    assert not surveying.ask(ticket(None, status="closed").pk, NOW)  # type: ignore[arg-type]
    assert OutboxRow.objects.filter(kind="survey-mail").count() == 3


def test_the_queue_has_the_mean_of_each_month(people: People) -> None:  # noqa: F811
    ann = people("ann", "customer")
    queue = Queue.objects.create(name="First line")
    for n, (month, score) in enumerate(((4, 2), (4, 5), (5, 4), (5, None))):
        asked = dt.datetime(2026, month, 2 + n, tzinfo=dt.UTC)
        answered = asked if score else None
        Survey.objects.create(ticket=done(ann, title="t", queue=queue), requester=ann, asked_at=asked, score=score,
                              answered_at=answered)  # fmt: skip
    found = [(m.first.isoformat(), m.asked, m.answered, m.mean) for m in by_month(Survey.objects.all())]
    assert found == [("2026-05-01", 2, 1, 4.0), ("2026-04-01", 2, 2, 3.5)]
    page = session(people("joe", "operations engineer")).get(f"/queues/{queue.pk}/").content.decode()
    assert "How people found it" in page and "April 2026" in page and "3.5" in page
