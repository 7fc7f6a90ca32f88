"""Mails about tickets, as a real SMTP server gets them: to whom, with which headers, and what happens when it refuses."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.mail_servers import Taken, smtp_server
from tests.domains.mails import account, mail, work
from tests.domains.test_desk import act, call, ticket
from watchkeeper.domains import identity
from watchkeeper.domains.desk import conversation
from watchkeeper.domains.desk.mail import writing
from watchkeeper.domains.desk.mail.models import MailAccount
from watchkeeper.domains.desk.mail.taking import take_in
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.reading import actor as person
from watchkeeper.kernel.models import OutboxRow, OutboxState


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


@pytest.fixture
def smtp(settings: Any) -> Iterator[Taken]:
    """A server that takes mails."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with smtp_server() as running:
        yield running


def sending(smtp: Taken, **fields: Any) -> MailAccount:
    """An account that sends by this server."""
    return account(smtp_host="127.0.0.1", smtp_port=smtp.port, smtp_security="none", **fields)


def test_a_conversation_by_mail_hangs_together(root: Client, smtp: Taken) -> None:
    of = sending(smtp)
    take_in(of, "1:1", mail(Message_ID="<first@example.net>", Cc="bob@example.net").as_bytes())
    work()
    [ack] = smtp.mails
    made = Ticket.objects.get()
    assert (ack["To"], ack["From"]) == ("ann@example.net", "Service desk <desk@example.org>")
    assert ack["Subject"] == f"[{made.number}] printer prints stars"
    assert (ack["Auto-Submitted"], ack["In-Reply-To"]) == ("auto-replied", "<first@example.net>")
    answer = mail(
        f"Re: {ack['Subject']}", "room 5", In_Reply_To=ack["Message-ID"], Message_ID="<second@example.net>"
    )
    take_in(of, "1:2", answer.as_bytes())
    work()
    assert len(smtp.mails) == 1  # nobody who works on it has said anything
    call(root, "post", "ticket-messages", {"ticket": made.pk, "sort": "note", "body": "Ann again"}, 201)
    call(root, "post", "ticket-messages", {"ticket": made.pk, "body": "We **look** into it."}, 201)
    work()
    replies = smtp.mails[1:]
    assert {m["To"] for m in replies} == {"ann@example.net", "bob@example.net"}
    reply = replies[0]
    assert (
        reply["Auto-Submitted"] is None and reply["References"] == "<first@example.net> <second@example.net>"
    )
    assert reply["In-Reply-To"] == "<second@example.net>"
    assert "We **look** into it." in reply.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "<strong>look</strong>" in reply.get_body(("html",)).get_content()  # type: ignore[union-attr]
    act(root, {"id": made.pk}, "resolve", {"resolution": "Restarted it."})
    work()
    last = smtp.mails[-1]
    assert (last["To"], last["Auto-Submitted"]) == ("ann@example.net", "auto-generated")
    assert "Restarted it." in last.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert len({m["Message-ID"] for m in smtp.mails}) == 3  # one reply is the same for both
    take_in(of, "1:3", mail("Re: x", "it is not", References=last["Message-ID"]).as_bytes())
    made.refresh_from_db()
    assert made.status == "in_progress"


def later() -> None:
    """As if the time had come for whatever waits for another attempt."""
    OutboxRow.objects.filter(state=OutboxState.DUE).update(due_at=timezone.now() - dt.timedelta(seconds=1))
    work()


def test_a_server_that_is_busy_for_an_hour_gets_each_mail_once(root: Client, smtp: Taken) -> None:
    of = sending(smtp)
    take_in(of, "1:1", mail(Cc="bob@example.net").as_bytes())
    work()
    made = Ticket.objects.get()
    smtp.mails.clear()
    smtp.answer = lambda: "451 4.3.2 busy, come back"
    said = call(root, "post", "ticket-messages", {"ticket": made.pk, "body": "We look into it."}, 201)
    work()
    for _ in range(9):  # 5 s, doubling: 43 minutes
        later()
    assert not smtp.mails
    [one, other] = writing.unsent([said["id"]])[said["id"]]
    assert one.startswith("not yet sent to ") and "451 4.3.2 busy, come back" in one and one != other
    client = Client()
    client.force_login(User.objects.create_user("eve", is_administrator=True))
    assert "451 4.3.2 busy" in client.get(f"/tickets/{made.pk}/").content.decode()
    smtp.answer = lambda: ""
    later()
    later()
    assert sorted(str(m["To"]) for m in smtp.mails) == ["ann@example.net", "bob@example.net"]
    assert not writing.unsent([said["id"]])


def test_a_refusal_for_good_is_not_tried_again_and_can_be_read(root: Client, smtp: Taken) -> None:
    take_in(sending(smtp), "1:1", mail().as_bytes())
    work()
    smtp.answer = lambda: "550 5.7.1 not from you"
    said = call(root, "post", "ticket-messages", {"ticket": Ticket.objects.get().pk, "body": "hello"}, 201)
    work()
    assert writing.unsent([said["id"]])[said["id"]] == ["not sent to ann@example.net: 550 5.7.1 not from you"]


def test_whoever_asks_by_hand_is_told_by_the_account_of_the_queue(root: Client, smtp: Taken) -> None:
    of = sending(smtp)
    User.objects.create_user("rita", email="rita@example.org")
    ticket(root, requester="rita", queue=of.queue_id)
    ticket(root, requester="rita")  # of no queue that has an account
    work()
    assert [(m["To"], m["Auto-Submitted"]) for m in smtp.mails] == [("rita@example.org", "auto-generated")]


@pytest.mark.django_db
def test_a_reply_by_a_person_says_who_it_is(smtp: Taken) -> None:
    take_in(sending(smtp), "1:1", mail().as_bytes())
    eve = person(User.objects.create_user("eve", name="Eve Agent", is_administrator=True))
    conversation.say(eve, Ticket.objects.get(), "hello", public=True, source="console")
    work()
    assert "Eve Agent" in smtp.mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_what_mails_say_can_be_written_anew(root: Client, smtp: Taken) -> None:
    body = {"sort": "acknowledgement", "subject": "[$number] Danke", "text": "Wir kümmern uns um „$title“."}
    wrong = call(root, "post", "mail-templates", {**body, "text": "$nummer"}, 400)
    assert "$nummer" in str(wrong) and "$number" in str(wrong)
    call(root, "post", "mail-templates", body, 201)
    take_in(sending(smtp), "1:1", mail().as_bytes())
    work()
    assert "„printer prints stars“" in smtp.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
