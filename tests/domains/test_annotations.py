"""What people attach to records: through REST, with real files and a real database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.kernel.kind_checks import Api, problem

pytestmark = pytest.mark.django_db
JSON = "application/json"


class Rest:
    """Calls with a token."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, method: str, url: str, body: Any = None, status: int = 200) -> Any:
        call = getattr(self.client, method)
        given = {"data": json.dumps(body), "content_type": JSON} if method != "get" else {"data": body}
        answer = call(f"/api/{url}", **given)
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def refused(self, method: str, url: str, body: Any, status: int = 400) -> dict[str, Any]:
        return problem(
            getattr(self.client, method)(f"/api/{url}", json.dumps(body), content_type=JSON), status
        )


@pytest.fixture
def rest(api: Api) -> Rest:
    return Rest(api("admin"))


def test_tags_and_fields_begin(rest: Rest) -> None:
    field = {"kind": "devices", "name": "owner", "type": "text", "pattern": "[a-z]+"}
    rest("post", "custom-fields/", field, 201)
    made = rest(
        "post", "devices/", {"name": "a", "tags": ["gold", "Blue"], "custom_fields": {"owner": "ann"}}, 201
    )
    assert (made["tags"], made["custom_fields"]) == (["Blue", "gold"], {"owner": "ann"})
    assert rest("get", "devices/", {"tag": "GOLD", "cf_owner": "ann"})["count"] == 1
    assert rest("get", "devices/", {"cf_owner": "bob"})["count"] == 0
