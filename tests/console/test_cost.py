"""What a page costs: a fixed, small number of queries, however many situations there are."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Situation
from watchkeeper.model.verdicts import Cause, Severity

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def client(db: None) -> Client:  # noqa: ARG001
    user = User.objects.create_user(username="ada", password="correct horse battery", is_administrator=True)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def thousand(db: None) -> None:  # noqa: ARG001
    Item.objects.bulk_create(
        Item(id=f"i{n}", kind="service", name=f"service {n}", first_seen_at=NOW, last_seen_at=NOW)
        for n in range(50)
    )
    Situation.objects.bulk_create(
        Situation(
            id=f"s{n}", state="open", severity=Severity.ERROR, title=f"Trouble {n}", alert_count=n,
            opened_at=NOW + dt.timedelta(seconds=n), updated_at=NOW, because=(),
            causes=(Cause(item=f"i{n % 50}", score=0.5),),
        )
        for n in range(1000)
    )  # fmt: skip


@pytest.mark.usefixtures("thousand")
@pytest.mark.parametrize("address", ["/situations/", "/situations/?page=20", "/items/", "/"])
def test_pages_cost_few_queries(
    client: Client, address: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    # The overview asks a few questions for each panel of the reader's roles.
    with django_assert_max_num_queries(60 if address == "/" else 22):
        answer = client.get(address)
    assert answer.status_code == 200
    if address == "/situations/":
        text = answer.content.decode()
        assert "Trouble 999" in text and "service 49" in text and "1–50 of 1\u202f000" in text


@pytest.mark.usefixtures("thousand")
def test_what_is_no_record_is_not_found(client: Client) -> None:
    for address in ("/situations/x/", "/items/x/", "/items/x/edit/", "/nothing/", "/nothing/x/edit/"):
        assert client.get(address).status_code == 404, address
