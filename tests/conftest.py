"""What tests share about records: Django on a data folder of its own, and tokens. A test that asks for `db` or
`transactional_db` has a database; the others pay only for Django's import.

WATCHKEEPER_TEST_DATABASE=postgres runs them on PostgreSQL at 127.0.0.1:5432, in a database of this run's own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from pytest_django.plugin import blocking_manager_key
from xdist.scheduler import LoadScopeScheduling

from tests.support import PATIENCE
from tests.turns import turn

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
#: files whose tests look at when something happens: nothing runs beside one of them
ALONE = (
    "test_stopped_service.py",
    "test_log_templates.py",
    "test_lag_and_loss.py",
    "test_learned.py",
    "test_respond.py",
)


def together(nodeid: str) -> str:
    """What of the tests stays in one process, when several share them: a folder of SHARING, else a file."""
    file = nodeid.partition("::")[0]
    folder = Path(file).parent.name
    return folder if folder in SHARING else file


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take longest begin; all have the time that the patience asked for gives them."""
    for item in items:
        own = item.get_closest_marker("timeout")
        longest = float(own.args[0] if own else item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(longest * PATIENCE), append=False)
    items.sort(key=lambda i: SHARING.index(t) if (t := together(i.nodeid)) in SHARING else len(SHARING))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Shares the tests by `together`."""

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # a test that waits is not yet timed
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Whoever has to be alone waits for the others, and they for it."""
    with turn(alone=item.path.name in ALONE):
        return (yield)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:  # noqa: ARG001
    """The tables are made as a first start makes them, with what is in them from the start."""
    from watchkeeper.domains.backups import beginning

    with django_db_blocker.unblock():
        beginning.fill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """A test with transactions of its own leaves empty tables behind; the next one finds what is in them from the start."""
    torn_down = yield
    mark = item.get_closest_marker("django_db")
    used = getattr(item, "fixturenames", ())
    if nextitem is None:  # the tables are gone
        return torn_down
    if "transactional_db" in used or (mark is not None and mark.kwargs.get("transaction")):
        from watchkeeper.domains.backups import beginning

        with item.config.stash[blocking_manager_key].unblock():
            beginning.fill()
    return torn_down


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
