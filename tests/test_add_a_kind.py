"""docs/how-to/add-a-record-kind.md, followed to the letter in a copy of the sources: the kind has a list, filters, a
page, a form, an action, commands, import and export, history and OpenAPI with no further code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PATIENCE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/how-to/add-a-record-kind.md").read_text()
MOST_LINES = 80

#: what is asked of the new kind, in the copy
ASK = """
import json, sys
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.test import Client
from watchkeeper.domains import identity
from watchkeeper.domains.identity.models import User
api = Client(SERVER_NAME="127.0.0.1", headers={"authorization": "Bearer " + identity.create_token("t", "admin")})
made = api.post("/api/contacts/", {"name": "Ann", "partner": "Acme"}, "application/json")
wrong = api.post("/api/contacts/", {"name": "Bob", "partner": "Acme", "reach": "never"}, "application/json")
here = f"/api/contacts/{made.json()['id']}/"
changed = api.patch(here, {"reach": "always"}, "application/json")
left = api.post(here + "leave/", {}, "application/json")
again = api.post(here + "leave/", {}, "application/json")
person = Client(SERVER_NAME="127.0.0.1")
person.force_login(User.objects.create_user("ada", is_administrator=True))
print(json.dumps({
    "made": [made.status_code, made.json()["partner"]],
    "wrong": [wrong.status_code, list(wrong.json()["errors"])],
    "changed": [changed.status_code, changed.json()["reach"]],
    "left": [left.status_code, left.json()["left_at"] is not None], "again": again.status_code,
    "filtered": [api.get("/api/contacts/", q).json()["count"] for q in
                 ({"reach": "always"}, {"reach": "office"}, {"search": "acm"}, {"left_at__isnull": "true"})],
    "acts": [e["act"] for e in api.get("/api/audit/", {"kind": "contact"}).json()["results"]],
    "schema": "/api/contacts/{id}/leave/" in api.get("/api/schema/?format=json").json()["paths"],
    "pages": ["Ann" in person.get(p).content.decode() for p in ("/contacts/", f"/contacts/{made.json()['id']}/")],
    "form": "Telephone" in person.get("/contacts/new/").content.decode(),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The sources with what the page says put in; the environment in which they run."""
    folder = tmp_path_factory.mktemp("kind")
    skipped = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=skipped)
    for block in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.S):
        path = folder / block[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block[1])
    settings = folder / "src/watchkeeper/app/settings.py"
    [line] = re.findall(r'`("watchkeeper\.domains\.\w+",)`', PAGE)
    before = '    "watchkeeper.api",\n'
    assert before in settings.read_text()
    settings.write_text(settings.read_text().replace(before, f"    {line}\n{before}"))
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    yield {
        **env, "PYTHONPATH": str(folder / "src"), "DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings",
        "WATCHKEEPER_DATA": str(folder / "var"),
    }  # fmt: skip


def run(env: dict[str, str], *words: str) -> str:
    """What a program printed."""
    done = subprocess.run(
        [sys.executable, *words], env=env, capture_output=True, text=True, timeout=100 * PATIENCE
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_model_and_a_declaration_are_a_kind(copy: dict[str, str], tmp_path: Path) -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.S)).splitlines()
    assert sum(bool(line.strip()) for line in code) <= MOST_LINES
    run(copy, "-m", "django", "makemigrations", "contacts")
    said = json.loads(run(copy, "-c", ASK).splitlines()[-1])
    assert said == {
        "made": [201, "Acme"], "wrong": [400, ["reach"]], "changed": [200, "always"], "left": [200, True], "again": 409,
        "filtered": [1, 0, 1, 0], "acts": ["contact.leave", "contact.change", "contact.create"], "schema": True,
        "pages": [True, True], "form": True,
    }  # fmt: skip
    command = ("-m", "watchkeeper.app")
    run(copy, *command, "create", "contacts", "name=Bob", "partner=Acme", "reach=always")
    assert [r["name"] for r in json.loads(run(copy, *command, "get", "contacts", "--json"))] == ["Ann", "Bob"]
    file = tmp_path / "contacts.csv"
    run(copy, *command, "export", "contacts", "-o", str(file))
    file.write_text(file.read_text().replace("Bob,Acme", "Bob,Initech"))
    run(copy, *command, "import", "contacts", str(file))
    assert (
        json.loads(run(copy, *command, "get", "contacts", "--filter", "partner=Initech", "--json"))[0]["name"]
        == "Bob"
    )
