"""Whatever is sent, the answer is never an error of ours: Schemathesis makes requests from the API's own description,
those it allows and those it does not, the same ones every time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.api.test_rest import fill
from watchkeeper.domains import identity
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Declared
from watchkeeper.domains.situations.models import NotificationRule
from watchkeeper.kernel.outbox import Effect, add
from watchkeeper.kernel.resource import registry

EXAMPLES = int(os.environ.get("WATCHKEEPER_EXAMPLES", "2"))  # of each mode, an operation
SLOWER = {"/api/users/", "/api/users/{id}/"}  # each may hash a password, which takes its time on purpose


#: of the kinds that are declared by one function over their model, these stand for all
STANDING_FOR_ALL = {"devices", "interfaces", "prefixes", "addresses"}
ALIKE = {r.path for r in registry if issubclass(r.model, Declared)} - STANDING_FOR_ALL


def records() -> None:
    """One at least of every kind."""
    fill(2)
    User.objects.create_user("ann", "correct horse battery", is_administrator=True)
    identity.create_intake_key("key")
    NotificationRule.objects.create(name="rule", address="https://example.org/")
    add([Effect("effect", "notify", "test", {})])


def operations() -> list[Any]:
    """What the description offers."""
    from drf_spectacular.generators import SchemaGenerator

    described = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(described)
    schema.validate()
    every = [found.ok() for found in schema.get_all_operations()]
    return [o for o in every if o.path.split("/")[2] not in ALIKE]


def sent(client: Client, case: Any) -> Any:
    """The answer to a request as Schemathesis would put it on the wire."""
    made = case.as_transport_kwargs(base_url="http://testserver")
    known = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
    prepared = requests.Request(**{k: v for k, v in made.items() if k in known}).prepare()
    headers = {k: v for k, v in prepared.headers.items() if k.lower() not in ("content-length", "cookie")}
    media = str(headers.pop("Content-Type", "application/json"))
    body = prepared.body if prepared.body is not None else b""
    path = urlsplit(prepared.url).path + (f"?{query}" if (query := urlsplit(prepared.url).query) else "")
    return client.generic(str(prepared.method), path, body, content_type=media, headers=headers)


OPERATIONS = [pytest.param(o, id=o.label) for o in operations()]


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:  # noqa: ARG001
    """The records, made once; every test goes back to them."""
    with django_db_blocker.unblock(), transaction.atomic():
        records()
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_breaks_it(operation: Any) -> None:
    """No 5xx, but the 503 that says that the journal or telemetry is not there."""
    token = identity.create_token("schemathesis", "admin")
    client = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
    kind = next((r for r in registry if operation.path.startswith(f"/api/{r.path}/{{id}}/")), None)
    known = {"id": str(kind.queryset().first().pk)} if kind and kind.queryset().exists() else None

    def ask(case: Any) -> None:
        with transaction.atomic():
            answer = sent(client, case)
            transaction.set_rollback(True)
        if answer.status_code == 503:
            assert answer.json()["type"].endswith("not_ready"), answer.content
        else:
            assert answer.status_code < 500, (case.query, case.headers, case.body, answer.content)

    few = settings(
        max_examples=min(2, EXAMPLES) if operation.path in SLOWER else EXAMPLES,
        phases=(Phase.generate,),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        few(given(case=operation.as_strategy(generation_mode=mode, path_parameters=known))(ask))()
