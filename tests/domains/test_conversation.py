"""What is said on a ticket, what follows from it, and who may read it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.domains.test_desk import act, call, promise, ticket, work
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.annotations import storing
from watchkeeper.domains.desk import conversation
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice, Subscription
from watchkeeper.domains.inbox.reading import actor
from watchkeeper.kernel.acting import SYSTEM, Actor


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


@pytest.fixture
def rita(db: None) -> Actor:  # noqa: ARG001
    """Somebody who has an account and asks for things."""
    user = User.objects.create_user("rita", email="rita@example.org")
    Grant.objects.create(
        user=user, role=Role.objects.get(name="requester"), reason="asks", valid_from=timezone.now()
    )
    return actor(user)


def said(root: Client, made: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a ticket, oldest first."""
    found: list[dict[str, Any]] = call(root, "get", "ticket-messages")["results"]
    return [m for m in reversed(found) if m["ticket"] == made["id"]]


def test_a_reply_of_an_agent_is_the_first_answer_and_a_note_is_none(root: Client, rita: Actor) -> None:
    made = ticket(root, queue=promise(root)["id"], requester="rita")
    call(
        root,
        "post",
        "ticket-messages",
        {"ticket": made["id"], "sort": "note", "body": "again the switch"},
        201,
    )
    assert call(root, "get", f"tickets/{made['id']}")["answered_at"] is None
    conversation.say(rita, Ticket.objects.get(pk=made["id"]), "anybody there?", public=True, source="portal")
    assert call(root, "get", f"tickets/{made['id']}")["answered_at"] is None
    call(root, "post", "ticket-messages", {"ticket": made["id"], "body": "we look into it"}, 201)
    answered = call(root, "get", f"tickets/{made['id']}")
    assert answered["answered_at"] and answered["answer_due_at"] is not None
    assert [(m["sort"], m["source"], m["author"] or m["sender"]) for m in said(root, made)] == [
        ("note", "api", "root"), ("reply", "portal", "rita"), ("reply", "api", "root"),
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["ask", "resolve"])
def test_a_reply_of_the_requester_brings_the_ticket_back(root: Client, rita: Actor, way: str) -> None:
    made = ticket(root, requester="rita")
    act(root, made, way, {"resolution": "restarted it"} if way == "resolve" else {})
    row = Ticket.objects.get(pk=made["id"])
    conversation.say(rita, row, "it still prints stars", public=True, source="portal")
    assert row.status == "in_progress"
    after = call(root, "get", f"tickets/{made['id']}")
    assert (after["status"], after["resolved_at"], after["assignee"]) == ("in_progress", None, None)


def test_who_has_no_account_brings_it_back_too_and_an_agent_does_not(root: Client, rita: Actor) -> None:  # noqa: ARG001
    made = ticket(root, requester="rita")
    act(root, made, "ask")
    call(root, "post", "ticket-messages", {"ticket": made["id"], "body": "well?"}, 201)
    row = Ticket.objects.get(pk=made["id"])
    assert row.status == "waiting_for_requester"
    conversation.say(SYSTEM, row, "it is room 5", public=True, source="mail", sender="Ann <ann@example.net>")
    assert row.status == "in_progress"
    assert said(root, made)[-1]["sender"] == "Ann <ann@example.net>"


def test_who_works_on_a_ticket_or_watches_it_is_told_of_what_the_requester_writes(
    root: Client, rita: Actor
) -> None:
    for name in ("eve", "ivy"):
        User.objects.create_user(name, is_administrator=True)
    made = ticket(root, requester="rita", assignee="eve")
    for name in ("eve", "ivy"):
        user = User.objects.get(username=name)
        Subscription.objects.create(user=user, kind="tickets", record=str(made["id"]), title="it")
    row = Ticket.objects.get(pk=made["id"])
    conversation.say(rita, row, "it still prints stars", public=True, source="portal")
    call(root, "post", "ticket-messages", {"ticket": made["id"], "body": "we look into it"}, 201)
    conversation.say(actor(User.objects.get(username="ivy")), row, "it is mine", public=True)
    conversation.say(rita, row, "for us", public=False)
    work()
    mail = "Ann <ann@example.net>"
    conversation.say(SYSTEM, row, "me too", public=True, source="mail", sender=mail)
    work()
    told = Notice.objects.filter(event__startswith="reply:").order_by("pk")
    assert [(n.user.username, n.record) for n in told] == [
        (name, str(made["id"])) for name in ("eve", "ivy", "eve", "ivy")
    ]
    assert told[0].text.startswith("rita replied on ticket") and told[2].text.startswith(
        "Ann <ann@example.net> replied"
    )
    assert told[0].why == "You work on it."


def test_internal_notes_are_not_for_who_asked(root: Client, rita: Actor) -> None:
    made = ticket(root, requester="rita")
    for sort in ("note", "reply"):
        call(root, "post", "ticket-messages", {"ticket": made["id"], "sort": sort, "body": sort}, 201)
    row = Ticket.objects.get(pk=made["id"])
    assert [m.sort for m in conversation.visible_to(rita, row)] == ["reply"]
    assert [m.sort for m in conversation.public(row)] == ["reply"]
    agent = actor(User.objects.create_user("eve", is_administrator=True))
    assert [m.sort for m in conversation.visible_to(agent, row)] == ["note", "reply"]


def test_files_come_with_a_message_and_are_read_by_its_readers(root: Client, settings: Any) -> None:
    made = ticket(root)
    writing = storing.Writing(settings.FILES, 1000)
    writing.take(b"a log")
    file = conversation.Attachment("syslog.txt", writing.keep())
    message = conversation.say(SYSTEM, Ticket.objects.get(pk=made["id"]), "see there", public=True, source="mail",
                               files=[file], left_out=["film.avi is larger than 25 MiB"])  # fmt: skip
    [kept] = call(root, "get", "files")["results"]
    assert (kept["kind"], kept["record"], kept["name"]) == ("ticket-messages", str(message.pk), "syslog.txt")
    assert b"".join(root.get(f"/api/files/{kept['id']}/content/")) == b"a log"
    assert said(root, made)[0]["left_out"] == ["film.avi is larger than 25 MiB"]


@pytest.fixture
def agent(db: None) -> Client:  # noqa: ARG001
    """An agent in a browser without JavaScript."""
    client = Client()
    client.force_login(User.objects.create_user("eve", is_administrator=True))
    return client


def test_the_page_of_a_ticket_shows_the_conversation_and_takes_more(root: Client, agent: Client) -> None:
    made = ticket(root)
    url = f"/tickets/{made['id']}/messages/"
    file = SimpleUploadedFile("top.txt", b"load 9")
    answer = agent.post(url, {"sort": "reply", "body": "**look** <script>x()</script>", "file": file})
    assert answer.status_code == 302
    text = agent.get(f"/tickets/{made['id']}/").content.decode()
    assert "<strong>look</strong>" in text and "<script>x()" not in text and "top.txt" in text
    agent.post(url, {"sort": "note", "body": "for us"})
    assert [m["sort"] for m in said(root, made)] == ["reply", "note"]
    assert agent.post(url, {"sort": "reply", "body": "  "}).status_code == 400
    bad = agent.post(url, {"sort": "reply", "body": "x", "file": SimpleUploadedFile("x.exe", b"MZ")})
    assert bad.status_code == 400 and "of no type" in bad.content.decode()
    assert len(said(root, made)) == 2
