"""Trouble on the way of a page: a database that somebody else holds doubles no message."""

from __future__ import annotations

import ipaddress
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from tests.domains.paging_setup import World, call, pass_time, person, policy, root, work
from tests.kernel.receivers import Got, webhook_receiver
from watchkeeper.domains.oncall.paging.models import Page
from watchkeeper.domains.oncall.paging.own_models import ContactMethod
from watchkeeper.kernel.models import OutboxRow


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """Everybody's webhook, which this test allows."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    with webhook_receiver() as got:
        yield got


def told(got: Got) -> list[str]:
    """Who was told, in order."""
    return [path.strip("/") for path, _, _ in got.requests]


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
