"""People who ask and answer, for tests of approvals and of what is approved."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from watchkeeper.domains import identity
from watchkeeper.domains.approvals.models import ApprovalRequest, Vote
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.outbox import OutboxWorker

JSON = "application/json"


def client() -> Client:
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def make_people() -> dict[str, User]:
    """Four people with accounts."""
    names = ("ann", "bea", "cleo", "dora")
    return {n: User.objects.create(username=n, email=f"{n}@example.org") for n in names}


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    send, address = getattr(client, method), f"/api/{url}/"
    said = send(address) if method == "get" else send(address, json.dumps(body or {}), content_type=JSON)
    assert said.status_code == status, said.content
    return said.json() if said.content else None


def acting(person: User) -> Actor:
    """As this person, signed in."""
    return Actor(ActorKind.PERSON, person.username, str(person.pk), Scope.READ, person=person)


def as_(person: User) -> Client:
    """This person's browser."""
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def answer(
    person: User, request: ApprovalRequest, what: str = "approve", of: User | None = None, note: str = "ok"
) -> int:
    """Answer; the status that came back."""
    vote = Vote.objects.filter(step__request=request, approver=of or person).order_by("-id").first()
    assert vote is not None, "was not asked"
    said = as_(person).post(f"/api/votes/{vote.pk}/{what}/", json.dumps({"note": note}), content_type=JSON)
    return said.status_code


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass
