"""People who are paged by hand are told also of what a colleague has already, until they have answered themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.domains import paging_setup as setup
from tests.domains.paging_setup import World, call, pass_time, person, policy, receiver, told, work
from tests.kernel.receivers import Got
from watchkeeper.domains.oncall.paging.models import Escalation

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None, receiver: Got) -> Client:  # noqa: ARG001
    """A client that may do everything; there are Ann and a database administrator."""
    client = setup.root()
    for name in ("ann", "dba"):
        person(client, name, receiver.url)
    return client


def states() -> list[str]:
    """Of escalations, in the order in which they began."""
    return [str(e.state) for e in Escalation.objects.order_by("pk")]


def page(root: Client, kind: str, record: str, **whom: Any) -> None:
    """Page somebody about this record."""
    call(root, "post", "escalations", {"kind": kind, "record": record, **whom}, 201)


def acknowledge(root: Client, person: str) -> None:
    """This person acknowledges their page."""
    number = call(root, "get", f"pages?person__username={person}")["results"][0]["id"]
    client = Client()
    client.force_login(setup.person(root, person))
    call(client, "post", f"pages/{number}/acknowledge")


def test_somebody_is_asked_for_about_a_situation_that_a_colleague_has(root: Client, receiver: Got) -> None:
    world = World()
    world.write()
    world.write(state="acknowledged")
    page(root, "situations", "s", people=["dba"])
    pass_time()
    world.write(state="acknowledged", title="The shop is still down")
    assert (told(receiver), states()) == (["dba"], ["running"])
    acknowledge(root, "dba")
    assert states() == ["acknowledged"]


def test_a_silenced_situation_and_one_whose_alerts_are_taken_are_asked_about(
    root: Client, receiver: Got
) -> None:
    world = World()
    world.write("silent", alert_suppressed_by="silence:x")
    world.write("taken", alert_acknowledged_by="cid")
    for key in ("silent", "taken"):
        page(root, "situations", key, people=["dba"])
    pass_time()
    assert told(receiver) == ["dba", "dba"]
    world.write("taken", "resolved")
    assert sorted(states()) == ["resolved", "running"]


def test_an_acknowledgement_of_somebody_else_leaves_them_asked_and_their_own_is_enough(
    root: Client, receiver: Got
) -> None:
    two = policy(root, {"people": ["ann"]}, {"people": ["dba"]}, rule=False)
    world = World()
    world.write()
    page(root, "situations", "s", policy=two)
    pass_time()
    world.write(state="acknowledged", by="cid")
    pass_time(6)
    assert (told(receiver), states()) == (["ann", "dba"], ["running"])
    world.write(state="acknowledged", by="dba")
    assert states() == ["acknowledged"]


def test_of_a_ticket_in_progress_the_next_step_follows_although_it_is_edited(
    root: Client, receiver: Got
) -> None:
    two = policy(root, {"people": ["ann"]}, {"people": ["dba"]}, rule=False)
    ticket = call(root, "post", "tickets", {"title": "it is slow"}, 201)["id"]
    call(root, "post", f"tickets/{ticket}/start")
    page(root, "tickets", str(ticket), policy=two)
    pass_time()
    call(root, "patch", f"tickets/{ticket}", {"title": "it is very slow"})
    call(root, "post", f"tickets/{ticket}/ask")
    work()
    assert (told(receiver), states()) == (["ann"], ["running"])
    pass_time(6)
    assert told(receiver) == ["ann", "dba"]
    call(root, "post", f"tickets/{ticket}/resolve", {"resolution": "more memory"})
    work()
    assert states() == ["resolved"]


def test_a_ticket_is_taken_by_whoever_begins_to_work_on_it(root: Client, receiver: Got) -> None:
    ticket = call(root, "post", "tickets", {"title": "it is slow"}, 201)["id"]
    page(root, "tickets", str(ticket), people=["dba"])
    pass_time()
    call(root, "post", f"tickets/{ticket}/start")
    work()
    assert (told(receiver), states()) == (["dba"], ["acknowledged"])
