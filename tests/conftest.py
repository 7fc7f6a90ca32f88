"""What tests share about records: Django on a data folder of its own, and tokens. A test that asks for `db` or
`transactional_db` has a database; the others pay only for Django's import.

WATCHKEEPER_TEST_DATABASE=postgres runs them on PostgreSQL at 127.0.0.1:5432, in a database of this run's own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no defect, and a run that fails has to fail again: no deadlines, the same examples every time.
settings.register_profile(
    "watchkeeper", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("watchkeeper")

if TYPE_CHECKING:
    from django.test import Client

_data = tempfile.mkdtemp(prefix="watchkeeper-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["WATCHKEEPER_DATA"] = _data
os.environ.pop("DATABASE_URL", None)
if os.environ.get("WATCHKEEPER_TEST_DATABASE") == "postgres":
    os.environ["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:5432/watchkeeper_{os.getpid()}"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")


def pytest_configure() -> None:
    """Test modules import models, so Django has to be ready before they are collected."""
    import django

    django.setup()


#: folders whose tests share a running platform; they take longest, and begin first
SHARING = ("system", "console")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the tests: those of a file stay together, and those of a folder in SHARING."""

    def group(item: pytest.Item) -> str:
        folder = item.path.parent.name
        return folder if folder in SHARING else str(item.path)

    items.sort(key=lambda item: SHARING.index(group(item)) if group(item) in SHARING else len(SHARING))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


@pytest.fixture
def api(db: None) -> Callable[..., Client]:  # noqa: ARG001
    """`api("write")` is a client with a token of this scope; `api(None)` one without."""
    from django.test import Client

    from watchkeeper.domains import identity

    def client(scope: str | None = "admin") -> Client:
        headers = {}
        if scope is not None:
            headers["authorization"] = "Bearer " + identity.create_token(f"test {scope}", scope)
        return Client(headers=headers, raise_request_exception=False)

    return client
