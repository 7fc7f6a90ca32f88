"""A source that is asked: its connection is made, it is read by a job, and read again by itself."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.domains.test_asking import answering, netbox_pages
from tests.kernel.test_jobs import run
from watchkeeper.domains.inventory.models import Connection, Device, Source
from watchkeeper.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def loopback_is_allowed() -> Iterator[None]:
    with override_settings(OUTBOUND_ALLOW=[ipaddress.ip_network("127.0.0.0/8")]):
        yield


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api{path}", json.dumps(body), "application/json")


def test_netbox_is_read(api: Callable[..., Client]) -> None:
    admin = api("admin")
    source = Source.objects.create(name="netbox", type="netbox")
    assert post(admin, f"/sources/{source.pk}/read-now/", {}).status_code == 409, "nothing says where it is"
    with answering(netbox_pages(), "t0ken") as address:
        made = post(admin, "/connections/", {"source": source.pk, "address": address, "secret": "t0ken"})
        assert made.status_code == 201 and "secret" not in made.json()
        told = post(admin, f"/sources/{source.pk}/read-now/", {"dry_run": True}).json()
        compared = run(Job.objects.get(pk=told["job"]))
        assert compared.state == "done" and not Device.objects.exists()
        assert "would be made" in compared.result["summary"]
        told = post(admin, f"/sources/{source.pk}/read-now/", {}).json()
        done = run(Job.objects.get(pk=told["job"]))
        assert done.state == "done" and "0 cannot be taken over" in done.result["summary"], done.result
        assert Device.objects.get(serial="7XK2F53").rack is not None
        again = run(Job.objects.get(pk=post(admin, f"/sources/{source.pk}/read-now/", {}).json()["job"]))
        assert again.result["summary"].startswith("0 were made, 0 were changed, 0 were closed")
    refused = run(Job.objects.get(pk=post(admin, f"/sources/{source.pk}/read-now/", {}).json()["job"]))
    assert refused.state == "failed" and address in refused.error


def test_it_is_read_every_so_often(api: Callable[..., Client]) -> None:
    admin = api("admin")
    source = Source.objects.create(name="netbox", type="netbox")
    with answering(netbox_pages(), "t0ken") as address:
        body = {"source": source.pk, "address": address, "secret": "t0ken", "every_hours": 6}
        connection = post(admin, "/connections/", body).json()
        [first] = Job.objects.filter(kind="inventory-read")
        run(first)
        assert first.state == "done" and Device.objects.count() == 3
        [following] = Job.objects.filter(kind="inventory-read", state="waiting")
        assert 5 < (following.due_at - first.due_at).total_seconds() / 3600 < 7
        admin.patch(
            f"/api/connections/{connection['id']}/", json.dumps({"every_hours": 0}), "application/json"
        )
        Job.objects.filter(pk=following.pk).update(due_at=first.due_at)
        run(following)
        assert "not to be read" in following.result["summary"]
    assert not Job.objects.filter(state="waiting").exists()


def test_what_cannot_be_asked_has_no_connection(api: Callable[..., Client]) -> None:
    source = Source.objects.create(name="sheet", type="file")
    answer = post(api("admin"), "/connections/", {"source": source.pk, "address": "https://example.org"})
    assert answer.status_code == 400 and "cannot be asked" in answer.content.decode()
    assert post(api("write"), "/connections/", {}).status_code == 403
    assert not Connection.objects.exists()
