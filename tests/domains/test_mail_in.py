"""What mails become: tickets, messages on them, or nothing; by whom, and what of them is kept."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone

from tests.domains.mails import account, mail, work
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.desk import conversation
from watchkeeper.domains.desk.conversation.models import TicketMessage
from watchkeeper.domains.desk.joining import merging, unmerging
from watchkeeper.domains.desk.mail import threads
from watchkeeper.domains.desk.mail.models import IncomingMail, MailAccount, Participant, UnreachableAddress
from watchkeeper.domains.desk.mail.taking import TICKETS_OF_ONE, take_in
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.reading import actor as person
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import registry

pytestmark = pytest.mark.django_db
MANY = b"x" * (50 * 1024 * 1024)


def take(to: Any, given: EmailMessage | bytes, place: str = "") -> IncomingMail | None:
    """Take a mail in at a place of its own."""
    raw = given if isinstance(given, bytes) else given.as_bytes()
    return take_in(to, place or f"1:{IncomingMail.objects.count() + 1}", raw)


def ours(ticket: Ticket, cause: str = "ack") -> str:
    """A reference to a mail that went out about this ticket."""
    return f"<{threads.message_id(configured.SECRET_KEY, ticket.pk, cause, 'example.org')}>"


def mails() -> list[str]:
    """The causes of mails that wait to be sent, and to whom."""
    rows = OutboxRow.objects.filter(kind="ticket-mail").order_by("created_at", "id")
    return [f"{r.payload['cause'].partition('-')[0]} {r.payload['to']}" for r in rows]


def test_a_mail_becomes_a_ticket_once_and_is_acknowledged() -> None:
    to = account()
    given = mail(Cc="Bob <bob@example.net>, desk@example.org")
    assert take(to, given) is not None
    assert take(to, given, "1:1") is None  # the same place
    assert take(to, given, "2:1") is None  # the server has numbered its mails anew
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.description, ticket.contact) == (
        "printer prints stars", "since this morning", "ann@example.net",
    )  # fmt: skip
    assert (ticket.source, ticket.queue, ticket.requester) == ("mail", to.queue, None)
    assert [p.address for p in Participant.objects.all()] == ["bob@example.net"]
    assert mails() == ["ack ann@example.net"]


def test_who_has_an_account_is_the_requester() -> None:
    rita = User.objects.create_user("rita", email="Rita@example.org")
    take(account(), mail(From="rita@EXAMPLE.org"))
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.contact) == (rita, "")


def test_an_answer_to_a_mail_of_ours_is_a_message_without_what_it_quotes() -> None:
    to = account()
    take(to, mail())
    ticket = Ticket.objects.get()
    text = "It is room 5.\n\nOn Monday Service desk wrote:\n> which room?\n"
    take(to, mail("Re: x", text, From="Bob <bob@example.net>", In_Reply_To=ours(ticket)))
    message = TicketMessage.objects.get()
    assert (message.body, message.sender, message.sort) == ("It is room 5.", "Bob <bob@example.net>", "reply")
    assert "which room?" in message.quoted
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    "mark",
    ["---------- Forwarded message ---------", "From: Cy <cy@example.net>\nSent: Monday\nSubject: old"],
)
def test_a_ticket_says_what_was_forwarded(mark: str) -> None:
    take(account(), mail("FW: old", f"Please look.\n\n{mark}\n\nThe pump leaks in hall 3.\n"))
    told = Ticket.objects.get().description
    assert told.startswith("Please look.\n\n") and told.endswith("The pump leaks in hall 3.")


def test_who_gives_no_address_does_not_answer_for_the_desk() -> None:
    to = account()
    take(to, mail(Cc="bob@example.net"))
    ticket = Ticket.objects.get()
    take(to, mail("Re: x", "disk is full", From="root", In_Reply_To=ours(ticket)))
    work()
    ticket.refresh_from_db()
    message = TicketMessage.objects.get()
    assert (message.body, message.outside, ticket.answered_at) == ("disk is full", True, None)
    assert mails() == ["ack ann@example.net"]


def test_a_number_in_the_subject_counts_for_who_is_party_only() -> None:
    to = account()
    take(to, mail(Cc="bob@example.net"))
    number = Ticket.objects.get().number
    take(to, mail(f"Re: [{number}] x", "mine"))
    take(to, mail(f"Re: [{number}] x", "in copy", From="bob@example.net"))
    assert [m.body for m in TicketMessage.objects.all()] == ["mine", "in copy"]
    take(to, mail(f"Re: [{number}] x", "let me in", From="eve@example.com"))
    forged = threads.message_id("another key", Ticket.objects.get(number=number).pk, "ack", "example.org")
    take(to, mail("Re: x", "let me in, please", From="eve@example.com", References=f"<{forged}>"))
    assert TicketMessage.objects.count() == 2
    assert Ticket.objects.count() == 3


def test_references_to_other_mails_of_the_conversation_count_for_parties() -> None:
    to = account()
    take(to, mail(Message_ID="<first@example.net>", Cc="bob@example.net"))
    take(to, mail("Re: x", "me too", From="bob@example.net", References="<first@example.net>"))
    take(to, mail("Re: x", "let me in", From="eve@example.com", References="<first@example.net>"))
    assert [m.body for m in TicketMessage.objects.all()] == ["me too"]
    assert Ticket.objects.count() == 2


def test_an_answer_brings_a_ticket_back_and_after_its_end_makes_another() -> None:
    to = account()
    take(to, mail())
    ticket = Ticket.objects.get()
    Ticket.objects.update(status="resolved")
    take(to, mail("Re: x", "not solved", In_Reply_To=ours(ticket)))
    ticket.refresh_from_db()
    assert ticket.status == "in_progress"
    Ticket.objects.update(status="closed")
    take(to, mail("Re: x", "again", In_Reply_To=ours(ticket)))
    assert ticket.number and ticket.number in Ticket.objects.order_by("-pk")[0].description


def test_two_strangers_whose_tickets_are_merged_are_both_told_and_read_nothing_of_each_other() -> None:
    to = account()
    take(to, mail())
    take(to, mail("stars again", From="ben@example.net"))
    a, b = Ticket.objects.order_by("pk")
    take(to, mail("Re: x", "my salary slip", In_Reply_To=ours(a)))
    merging.merge(SYSTEM, a, b)
    take(to, mail("Re: x", "still nothing", In_Reply_To=ours(a)))
    b.refresh_from_db()
    resolve = registry["tickets"].action("resolve")
    assert resolve is not None
    resolve.run(SYSTEM, b, {"resolution": "new drum"})
    work()
    assert [m.body[:14] for m in conversation.public(a)] == [
        "my salary slip", "This is worked", "still nothing", "It is resolved",
    ]  # fmt: skip
    notes = [m.body for m in TicketMessage.objects.filter(ticket=b)]
    assert not conversation.public(b).exists() and any("still nothing" in note for note in notes)
    assert Ticket.objects.count() == 2
    assert mails().count("reply ann@example.net") == 2 and "resolved ben@example.net" in mails()


def test_what_a_stranger_answers_on_a_merged_ticket_is_said_where_it_goes_on() -> None:
    to = account()
    take(to, mail(Cc="bob@example.net"))
    take(to, mail("once more", Cc="cy@example.net"))
    a, b = Ticket.objects.order_by("pk")
    merging.merge(SYSTEM, a, b)
    take(to, mail("Re: x", "room 5", In_Reply_To=ours(a)))
    assert [m.body for m in conversation.public(b)] == ["room 5"] and Ticket.objects.count() == 2
    assert {p.address for p in b.participants.all()} == {"bob@example.net", "cy@example.net"}
    a.refresh_from_db()
    unmerging.unmerge(SYSTEM, a)
    assert [p.address for p in a.participants.all()] == ["bob@example.net"]
    assert [p.address for p in b.participants.all()] == ["cy@example.net"]
    Ticket.objects.filter(pk=a.pk).update(status="closed", merged_into=b)
    Ticket.objects.filter(pk=b.pk).update(status="closed", merged_into=a)  # opened again between, and merged
    take(to, mail("Re: x", "again", In_Reply_To=ours(a)))
    assert Ticket.objects.count() == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
    ],
)
def test_automatic_answers_open_nothing_and_change_nothing(headers: dict[str, str]) -> None:
    to = account()
    take(to, mail("I am away", **headers))
    assert not Ticket.objects.exists() and not mails()
    take(to, mail())
    Ticket.objects.update(status="waiting_for_requester")
    take(to, mail("I am away", "until Monday", In_Reply_To=ours(Ticket.objects.get()), **headers))
    assert [(m.sort, m.outside) for m in TicketMessage.objects.all()] == [("note", False)]
    assert Ticket.objects.get().status == "waiting_for_requester"


def test_what_programs_send_becomes_a_ticket_and_gets_no_answer() -> None:
    take(account(), mail(Auto_Submitted="auto-generated"))
    assert Ticket.objects.count() == 1 and not mails()


def test_two_machines_that_answer_each_other_come_to_an_end() -> None:
    to = account()
    for n in range(TICKETS_OF_ONE + 10):  # it says nowhere that it is a machine
        take(to, mail(f"We have received your message {n}", "Thank you!"))
    assert mails() == ["ack ann@example.net"] * 3
    assert Ticket.objects.count() == TICKETS_OF_ONE
    assert TicketMessage.objects.count() == 10


def test_mails_that_became_nothing_are_shown_to_whoever_looks_after_accounts() -> None:
    to = account()
    take(to, mail("I am away", Auto_Submitted="auto-replied"))
    take(to, mail())
    ada, bob = (User.objects.create_user(name, is_administrator=name == "ada") for name in ("ada", "bob"))
    worker = Role.objects.get(name="operations engineer")
    Grant.objects.create(role=worker, user=bob, reason="test", approved_by="test", valid_from=timezone.now())
    shown = [visible(person(u), "incoming-mails").values_list("subject", flat=True) for u in (ada, bob)]
    assert [sorted(one) for one in shown] == [["I am away", "printer prints stars"], ["printer prints stars"]]


def test_our_own_mails_open_nothing() -> None:
    to = account()
    take(to, mail(From="desk@example.org"))
    take(to, mail())
    take(to, mail("a copy", From="list@example.net", Message_ID=ours(Ticket.objects.get())))
    assert Ticket.objects.count() == 1


def report(about: str, address: str = "ann@example.net", action: str = "failed") -> bytes:
    """What a mail system says of a mail that it could not deliver."""
    return f"""From: MAILER-DAEMON@mx.example.net
To: desk@example.org
Return-Path: <>
Subject: Undelivered Mail Returned to Sender
Message-ID: <{action}.1@mx.example.net>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {address}
Action: {action}
Status: {"5.1.1" if action == "failed" else "4.4.1"}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: message/rfc822

Message-ID: {about}
Subject: Re: x

text
--b--
""".encode()


def test_a_mail_that_came_back_is_noted_and_its_address_marked() -> None:
    to = account()
    take(to, mail())
    ticket = Ticket.objects.get()
    take(to, report(ours(ticket), action="delayed"))
    assert not UnreachableAddress.objects.exists()
    row = take(to, report(ours(ticket)))
    assert row is not None and row.outcome == "bounce"
    assert "no such user" in TicketMessage.objects.order_by("-pk")[0].body
    assert set(TicketMessage.objects.values_list("sort", flat=True)) == {"note"}
    assert [u.address for u in UnreachableAddress.objects.all()] == ["ann@example.net"]
    take(to, report("<made.up@example.org>", "boss@example.org"))
    assert (Ticket.objects.count(), UnreachableAddress.objects.count()) == (1, 1)
    work()
    assert "unreachable" in OutboxRow.objects.get(kind="ticket-mail").error


def test_files_and_pictures_are_kept_and_programs_are_not() -> None:
    given = mail()
    given.add_attachment(b"\x89PNG\r\n\x1a\n" + b"0" * 40, "image", "png", filename="stars.png", cid="<1@x>",
                         disposition="inline")  # fmt: skip
    given.add_attachment(b"%PDF-1.4 text", "application", "pdf", filename="Rechnung für Ann.pdf")
    given.add_attachment(b"MZ" + b"\0" * 100, "application", "pdf", filename="invoice.pdf")
    given.add_attachment(b"just text", "text", "plain", filename="virus.scr")
    take(account(), given)
    assert {f.name for f in File.objects.all()} == {"stars.png", "Rechnung für Ann.pdf"}
    [one, other] = TicketMessage.objects.get().left_out
    assert "invoice.pdf" in one and "program" in one and "virus.scr" in other


def test_a_huge_attachment_is_refused_with_its_reason_and_the_mail_is_not() -> None:
    given = mail()
    given.add_attachment(MANY, "application", "zip", filename="film.zip")
    take(account(), given)
    assert Ticket.objects.get().description == "since this morning"
    [why] = TicketMessage.objects.get().left_out
    assert "film.zip" in why and "50.0 MiB" in why and "25.0 MiB" in why
    assert not File.objects.exists()


BOMBS = {
    "nested": b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(5000)
    ),
    "parts": b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 100_000,
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 3000,
    "html": b"Content-Type: text/html\n\n" + b"<div>" * 60_000,
    "lists": b"Content-Type: text/html\n\n" + b"<blockquote>" * 90 + b"<li>x</li>" * 40_000,
    "headers": b"X-Y: z\n" * 50_000 + b"\n",
    "words": b"X: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\n",
    "wrong base64": b"Content-Transfer-Encoding: base64\nContent-Type: text/plain\n\n!!!",
    "no such charset": b'Content-Type: text/plain; charset="klingon"\n\n\xe4\xff',
    "nothing": b"",
}


@pytest.mark.parametrize("name", BOMBS)
def test_whatever_comes_is_a_ticket_and_can_be_looked_at(name: str) -> None:
    row = take(account(), b"From: ann@example.net\nSubject: look\n" + BOMBS[name])
    assert row is not None and row.outcome == "ticket"
    assert Ticket.objects.get().title == "look"
    if name in ("nested", "parts", "mails in mails"):
        assert File.objects.get().name == "mail.eml"
        assert "too many parts" in Ticket.objects.get().description


def test_a_broken_mail_is_kept_whole() -> None:
    raw = b"Content-Type: multipart/mixed\nSubject: =?utf-8?b?broken\nFrom: <<ann@example.net\n\n--nothing"
    take(account(), raw)
    assert Ticket.objects.get().source == "mail"
    assert File.objects.get().size == len(raw)


def test_the_page_of_an_account_says_how_mails_get_to_its_door() -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_administrator=True))
    door = account(name="door", address="help@example.org", way="door", host="")
    shown = browser.get(f"/mail-accounts/{door.pk}/").content.decode()
    assert "KEY+help@" in shown and "/intake-keys/new/?doors=mail" in shown
    MailAccount.objects.update(way="imap")
    assert "KEY+" not in browser.get(f"/mail-accounts/{door.pk}/").content.decode()
