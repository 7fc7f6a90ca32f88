"""Mails fetched from a real IMAP server: each once, in order, whatever breaks off between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.domains.mail_servers import DOVECOT, PASSWORD, USER, CutWire, Imap, imap_server
from tests.domains.mails import account, mail
from tests.domains.test_desk import call
from tests.support import require
from watchkeeper.domains import identity
from watchkeeper.domains.desk.mail import fetching
from watchkeeper.domains.desk.mail.imap import Mailbox
from watchkeeper.domains.desk.mail.models import IncomingMail, MailAccount
from watchkeeper.domains.desk.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def imap(tmp_path: Any, settings: Any) -> Iterator[Imap]:
    """A mailbox."""
    import ipaddress

    require(DOVECOT, "no Dovecot")
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with imap_server(tmp_path / "imap") as running:
        yield running


def fetched(imap: Imap, **fields: Any) -> MailAccount:
    """An account whose mails are in this mailbox."""
    given = {"host": "127.0.0.1", "port": imap.port, "security": "none", "user": USER, "password": PASSWORD}
    return account(**{**given, "old_mails": True, **fields})


def titles() -> list[str]:
    """Of the tickets, the oldest first."""
    return list(Ticket.objects.order_by("pk").values_list("title", flat=True))


def ask(of: MailAccount) -> MailAccount:
    """Ask once, and the account as it is after."""
    fetching.ask(MailAccount.objects.get(pk=of.pk))
    return MailAccount.objects.get(pk=of.pk)


def test_each_mail_becomes_a_ticket_once_and_is_read_after(imap: Imap) -> None:
    for n in range(3):
        imap.put(mail(f"mail {n}"))
    of = fetched(imap)
    assert ask(of).state == "working"
    assert titles() == ["mail 0", "mail 1", "mail 2"]
    assert all(r"\Seen" in f for f in imap.flags())
    imap.put(mail("mail 3"))
    ask(of)
    ask(of)
    assert titles()[3:] == ["mail 3"]


def test_mails_of_before_stay_out_unless_they_are_wanted(imap: Imap) -> None:
    imap.put(mail("old"))
    of = fetched(imap, old_mails=False)
    ask(of)
    imap.put(mail("new"))
    ask(of)
    assert titles() == ["new"]
    assert [r"\Seen" in f for f in imap.flags()] == [False, True]


@pytest.mark.parametrize("then", ["moved", "deleted"])
def test_mails_are_moved_or_deleted_after(imap: Imap, then: str) -> None:
    imap.put(mail("one"))
    ask(fetched(imap, then=then, move_to="Done"))
    assert titles() == ["one"] and not imap.flags()
    assert len(imap.flags("Done")) == (1 if then == "moved" else 0)


def test_a_wire_that_is_cut_anywhere_loses_and_doubles_nothing(imap: Imap) -> None:
    wire = CutWire(imap.port)
    for n in range(4):
        imap.put(mail(f"mail {n}", "text " * 3000))
    of = fetched(imap, port=wire.port, then="moved", move_to="Done")
    states = []
    for left in (5, 300, 700, 2500, 17_000, 20_000, 33_000, 50_000):
        wire.left = left
        states.append(ask(of).state)
    wire.left = -1
    assert ask(of).state == "working" and states[:6] == ["failing"] * 6
    wire.close()
    assert titles() == [f"mail {n}" for n in range(4)]
    assert all(len(t.description) == len(("text " * 3000).strip()) for t in Ticket.objects.all())
    assert not imap.flags() and len(imap.flags("Done")) == 4


def test_what_cannot_be_kept_stays_at_the_server(imap: Imap, monkeypatch: pytest.MonkeyPatch) -> None:
    imap.put(mail("one"))
    of = fetched(imap, then="deleted")

    def busy(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(IncomingMail.objects, "create", busy)  # as a database that is away
        with pytest.raises(OperationalError):
            ask(of)
    assert len(imap.flags()) == 1 and not titles()
    ask(of)
    assert titles() == ["one"] and not imap.flags()


def test_a_server_that_refuses_is_told_at_the_account(imap: Imap) -> None:
    of = ask(fetched(imap, password="wrong"))
    assert of.state == "failing" and "Authentication failed" in of.reason


def test_a_password_may_have_any_letters(imap: Imap, tmp_path: Any) -> None:
    of = ask(fetched(imap, password="schöne Grüße"))
    assert of.state == "failing" and "Authentication failed" in of.reason
    with imap_server(tmp_path / "other", "schöne-Grüße") as other:
        MailAccount.objects.update(port=other.port, password="schöne-Grüße")
        assert (ask(of).state, ask(of).reason) == ("working", "")


def test_an_account_that_is_led_to_another_mailbox_begins_there_anew(imap: Imap) -> None:
    of = fetched(imap, old_mails=False)
    ask(of)
    client = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    imap.put(mail("done before"), "Done")
    call(client, "patch", f"mail-accounts/{of.pk}", {"folder": "Done"})
    ask(of)
    imap.put(mail("done since"), "Done")
    ask(of)
    assert titles() == ["done since"]
    call(client, "patch", f"mail-accounts/{of.pk}", {"interval": 30})
    assert ask(of).last_uid == 2


def test_two_mailboxes_may_number_alike(imap: Imap, monkeypatch: pytest.MonkeyPatch) -> None:
    of = fetched(imap)
    imap.put(mail("one"))
    monkeypatch.setattr(Mailbox, "_number", lambda *_: 7)  # as of two that began in the same second
    ask(of)
    MailAccount.objects.update(folder="Done", last_uid=0, then="deleted")
    IncomingMail.objects.update(filed=False)
    imap.put(mail("two"), "Done")
    imap.put(mail("three"), "Done")
    ask(of)
    assert titles() == ["one", "two", "three"] and not imap.flags("Done") and len(imap.flags()) == 1


def test_an_internal_server_is_asked_only_where_that_is_allowed(imap: Imap, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    of = ask(fetched(imap))
    assert of.state == "failing" and "internal address" in of.reason


def test_a_stop_ends_between_two_mails(imap: Imap) -> None:
    imap.put(mail("one"))
    stop = threading.Event()
    stop.set()
    of = fetched(imap)
    assert fetching.ask(of, stop) == 0
    assert ask(of) and titles() == ["one"]
