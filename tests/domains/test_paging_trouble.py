"""Trouble on the way of a page: a database that somebody else holds doubles no message, and a secret that cannot be read
keeps nobody else from being told."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import Model
from django.utils import timezone

from tests.domains.paging_setup import World, call, pass_time, person, policy, receiver, root, told, work
from tests.kernel.receivers import Got
from watchkeeper.domains.oncall.paging import texting
from watchkeeper.domains.oncall.paging.models import Escalation, EscalationStep, Page
from watchkeeper.domains.oncall.paging.own_models import ContactMethod, TelephoneProvider
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.secrets import seal

__all__ = ["receiver"]


def held_meanwhile(got: Got) -> None:
    """Whoever is told answers while another process writes, for longer than ours waits."""
    if connection.vendor != "sqlite":
        pytest.skip("others have no writer that all wait for")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
    name = str(connection.settings_dict["NAME"])

    def hold(held: threading.Event) -> None:
        with closing(sqlite3.connect(name, uri=name.startswith("file:"))) as other:
            other.execute("BEGIN IMMEDIATE")
            held.set()
            threading.Event().wait(1.0)
            other.rollback()

    def answer() -> int:
        held = threading.Event()
        threading.Thread(target=hold, args=(held,), daemon=True).start()
        assert held.wait(20)
        return 204

    got.answer = answer


def persist() -> None:
    """Carry out what is due, and what has failed once more."""
    for _ in range(2):
        with suppress(OperationalError):
            work()
        OutboxRow.objects.filter(state="due").update(due_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_page_that_has_left_is_noted_when_the_database_lets_us_and_not_sent_again(receiver: Got) -> None:
    client = root()
    person(client, "ann", receiver.url)
    policy(client, {"people": ["ann"]})
    World().write()
    held_meanwhile(receiver)
    with suppress(OperationalError):
        pass_time()
    persist()
    assert (told(receiver), Page.objects.get().state) == (["ann"], "delivered")


@pytest.mark.django_db(transaction=True)
def test_so_is_a_message_that_somebody_has_asked_for(receiver: Got) -> None:
    client = root()
    person(client, "ann", receiver.url)
    method = ContactMethod.objects.get()
    call(client, "post", f"contact-methods/{method.pk}/test")
    held_meanwhile(receiver)
    persist()
    method.refresh_from_db()
    assert (told(receiver), method.last_used_at is not None) == (["ann"], True)


def spoil(model: type[Model], field: str, **which: Any) -> None:
    """As if these had been sealed with the key of another installation."""
    for row in model._default_manager.filter(**which).values_list("pk", flat=True):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET {field} = %s WHERE id = %s", [seal("x", "another"), row]
            )


@pytest.mark.django_db
@pytest.mark.parametrize("preferred", [False, True])
@pytest.mark.parametrize("field", ["sealed_address", "secret"])
def test_a_way_that_cannot_be_read_has_failed_and_the_next_step_follows(
    receiver: Got, preferred: bool, field: str
) -> None:
    client = root()
    for name in ("ann", "bob"):
        person(client, name, receiver.url)
    method = ContactMethod.objects.get(person__username="ann")
    if preferred:
        body = {"person": "ann", "urgency": "high", "method": method.pk, "minutes": 0}
        call(client, "post", "notification-preferences", body, 201)
    policy(client, {"people": ["ann"]}, {"people": ["bob"]})
    spoil(ContactMethod, field, pk=method.pk)
    World().write()
    pass_time()
    pass_time()
    assert (told(receiver), [p.state for p in Page.objects.order_by("pk")]) == (
        ["bob"],
        ["failed", "delivered"],
    )
    row = OutboxRow.objects.get(kind="page", state="failed")
    assert (row.attempts, "cannot be read" in row.error) == (1, True)


@pytest.mark.django_db
def test_a_channel_that_cannot_be_read_keeps_nobody_from_being_told(receiver: Got) -> None:
    client = root()
    person(client, "ann", receiver.url)
    policy(client, {"people": ["ann"], "channel": "slack", "address": f"{receiver.url}/room"})
    spoil(EscalationStep, "address")
    World().write()
    pass_time()
    assert told(receiver) == ["ann"]
    assert OutboxRow.objects.get(kind="page-channel").state == "failed"


@pytest.mark.django_db
def test_nor_do_a_telephone_account_and_a_number_that_cannot_be_read(receiver: Got) -> None:
    client = root()
    for name, number in (("ann", "+491701234567"), ("bob", "+491701234568")):
        person(client, name)
        method = {"person": name, "name": "sms", "channel": "sms", "address": number}
        call(client, "post", "contact-methods", method, 201)
    ContactMethod.objects.update(verified_at=timezone.now())
    provider = {"account": "AC1", "token": "secret", "sender": "+15005550006", "url": receiver.url}
    call(client, "post", "telephone-providers", {"name": "p", **provider}, 201)
    policy(client, {"people": ["ann"]})
    world = World()
    world.write()
    pass_time()
    spoil(ContactMethod, "sealed_address", person__username="bob")
    spoil(TelephoneProvider, "token")
    assert not texting.genuine("https://ops.example.org/", {}, "signed")
    assert "You have it" in texting.answer("+491701234567", "ack")
    world.write("other")
    pass_time()
    pass_time()
    assert [e.state for e in Escalation.objects.order_by("pk")] == ["acknowledged", "unanswered"]


@pytest.mark.django_db
def test_a_test_of_a_way_that_cannot_be_read_says_so_at_once(receiver: Got) -> None:
    client = root()
    person(client, "ann", receiver.url)
    method = ContactMethod.objects.get()
    call(client, "post", f"contact-methods/{method.pk}/test")
    spoil(ContactMethod, "sealed_address")
    work()
    assert OutboxRow.objects.get(kind="contact-test").state == "failed"
    said = ContactMethod.objects.values_list("last_answer", flat=True).get()
    assert "cannot be read" in said
