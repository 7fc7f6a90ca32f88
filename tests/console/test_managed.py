"""A record that is managed by code says so on its page and warns on its form."""

from __future__ import annotations

import json

from django.test import Client

from watchkeeper.domains.identity.models import User


def test_the_page_says_whose_it_is_and_the_form_warns(db: None) -> None:  # noqa: ARG001
    client = Client()
    client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    body = {"set": "estate", "files": {"a.yaml": "kind: sites\nname: hall\n"}}
    applied = client.post("/api/apply/", json.dumps(body), content_type="application/json")
    assert applied.status_code == 200, applied.content
    key = applied.json()["changes"][0]["key"]
    assert "managed by code: estate" in client.get(f"/sites/{key}/").content.decode()
    assert "Managed by code: estate." in client.get(f"/sites/{key}/edit/").content.decode()
    client.patch(f"/api/sites/{key}/", json.dumps({"name": "hall 4"}), content_type="application/json")
    page = client.get(f"/sites/{key}/").content.decode()
    assert "changed by hand" in page and "by ann" in page
    client.delete(f"/api/sites/{key}/")
    plain = client.post("/api/sites/", json.dumps({"name": "b"}), content_type="application/json").json()
    assert "managed by code" not in client.get(f"/sites/{plain['id']}/").content.decode()
