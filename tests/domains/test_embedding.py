"""What was solved before is found in other words, by a model on this machine: who may read it, that it follows what records
say, and that nothing of it asks a network or is there where nobody wants it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.domains.sentence_model import make
from tests.domains.test_desk import act, call, root, ticket, work  # noqa: F401  (root is a fixture)
from tests.domains.test_knowledge import article, person
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.embedding import keeping, nearest
from watchkeeper.domains.embedding.models import Vector
from watchkeeper.domains.identity.models import User

GROUPS = ("cannot refused fails", "sign in login logon", "printer copier", "stars blots")


@pytest.fixture
def model(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The platform's setting names a model, and it is loaded, as the web process does."""
    settings.EMBEDDING = make(tmp_path / "model", *GROUPS)
    assert keeping.begin()
    yield settings.EMBEDDING
    nearest.use(None)


def keep() -> None:
    """What the web process does in the background, until nothing is left to do."""
    work()
    while keeping.follow():
        pass


def walk() -> None:
    """What it does once a day and at each start."""
    whole = keeping.Walk()
    while whole.step():
        pass


def solved(root: Client, title: str, **fields: Any) -> dict[str, Any]:  # noqa: F811
    """A ticket that was solved."""
    made = ticket(root, title=title, **fields)
    return act(root, made, "resolve", {"resolution": f"Did something about: {title}"})  # type: ignore[no-any-return]


def offered(client: Client, made: dict[str, Any]) -> dict[str, list[str]]:
    """What is offered as solved before on a ticket: number → why."""
    found = call(client, "get", f"tickets/{made['id']}/suggested")["solved"]
    return {s["title"].split()[0]: s["because"] for s in found}


def test_what_was_solved_is_found_in_other_words(root: Client, model: Path) -> None:  # noqa: F811, ARG001
    login = solved(root, "Login refused")
    solved(root, "Coffee machine leaks")
    words = solved(root, "Copier has stars")
    keep()
    now = ticket(root, title="Cannot sign in")
    assert offered(root, now) == {login["number"]: ["means much the same"]}
    both = ticket(root, title="Printer prints stars")
    assert offered(root, both) == {words["number"]: ["says “stars”, too", "means much the same"]}
    strange = ticket(root, title="Xylophone qwertz")
    assert offered(root, strange) == {}
    ann = Client()
    ann.force_login(User.objects.create_user("ann", is_administrator=True))
    page = ann.get(f"/tickets/{now['id']}/suggested/").content.decode()
    assert login["title"] in page and "means much the same" in page and login["resolution"] in page
    nearest.use(None)
    assert offered(root, now) == {}
    assert offered(root, both) == {words["number"]: ["says “stars”, too"]}


def test_nothing_is_noted_without_a_model(root: Client, settings: Any) -> None:  # noqa: F811
    assert settings.EMBEDDING is None
    solved(root, "Login refused")
    work()
    assert not Vector.objects.exists()


def test_it_follows_what_tickets_say_and_become(root: Client, model: Path) -> None:  # noqa: F811, ARG001
    one, other, third = (solved(root, title) for title in ("Login refused", "Logon fails", "Login fails"))
    ticket(root, title="Logon refused again")
    keep()
    assert Vector.objects.count() == 3, "of what is solved only"
    now = ticket(root, title="Cannot sign in")
    numbers = {t["number"] for t in (one, other, third)}
    assert offered(root, now).keys() == numbers
    call(root, "patch", f"tickets/{one['id']}", {"title": "Printer has blots"})
    act(root, other, "reopen")
    keep()
    assert offered(root, now).keys() == {third["number"]}
    assert offered(root, ticket(root, title="Stars, says my copier")).keys() == {one["number"]}
    act(root, third, "reopen")
    act(root, third, "merge", {"into": now["id"]})
    act(root, other, "resolve", {"resolution": "Did it again."})
    keep()
    assert offered(root, ticket(root, title="Sign in fails")).keys() == {other["number"]}
    assert set(Vector.objects.values_list("record", flat=True)) == {one["id"], other["id"]}


def test_what_went_unheard_is_found_by_the_walk(root: Client, model: Path) -> None:  # noqa: F811, ARG001
    from watchkeeper.domains.desk.models import Ticket

    one, other, third = (solved(root, title) for title in ("Login refused", "Logon fails", "Login fails"))
    walk()
    made = dict(Vector.objects.values_list("record", "pk"))
    assert made.keys() == {one["id"], other["id"], third["id"]}
    walk()
    assert dict(Vector.objects.values_list("record", "pk")) == made, "nothing is made twice"
    Ticket.objects.filter(pk=one["id"]).update(title="Copier has stars")
    Ticket.objects.filter(pk=other["id"]).delete()
    walk()
    after = dict(Vector.objects.values_list("record", "pk"))
    assert after.keys() == {one["id"], third["id"]}
    assert after[one["id"]] > made[one["id"]] and after[third["id"]] == made[third["id"]]
    assert offered(root, ticket(root, title="Cannot sign in")).keys() == {third["number"]}


def test_another_model_makes_all_of_them_anew(root: Client, model: Path, settings: Any) -> None:  # noqa: F811
    one = solved(root, "Login refused")
    walk()
    [before] = Vector.objects.values_list("model", flat=True)
    settings.EMBEDDING = make(model.parent / "other", *GROUPS, "copier coffee", seed=2)
    assert keeping.begin()
    now = ticket(root, title="Cannot sign in")
    assert offered(root, now) == {}, "vectors of two models cannot be compared"
    walk()
    [after] = Vector.objects.values_list("model", flat=True)
    assert after != before
    assert offered(root, now).keys() == {one["number"]}


def test_what_somebody_may_not_read_is_not_offered(root: Client, model: Path) -> None:  # noqa: F811, ARG001
    asks, network = person("rita", "requester"), person("nell", "network administrator", "Network")
    team = Team.objects.get(name="Network").pk
    public = article(root, "Login refused", audience="everybody", body="Xylophone.")["id"]
    secret = article(root, "Logon refused", audience="team", team=team, body="Xylophone.")["id"]
    call(root, "post", "articles", {"title": "Login fails", "body": "A draft.", "audience": "everybody"}, 201)
    keep()

    def suggested(client: Client) -> dict[str, list[str]]:
        answer = client.get("/api/articles/suggested/", {"text": "cannot sign in"}).json()
        return {found["id"]: found["because"] for found in answer}

    assert suggested(asks) == {str(public): ["means much the same"]}
    assert suggested(network).keys() == {str(public), str(secret)}
    call(root, "post", f"articles/{secret}/retire", {})
    keep()
    assert suggested(network).keys() == {str(public)}


def test_a_policy_holds_for_what_was_solved(root: Client, model: Path) -> None:  # noqa: F811, ARG001
    queue = call(root, "post", "queues", {"name": "personnel"}, 201)["id"]
    whose = 'principal in Role::"service desk agent", action, resource == Kind::"tickets"'
    text = f'forbid ({whose}) when {{ resource.queue == "personnel" }};'
    call(root, "post", "policies", {"name": "personnel is not shown", "text": text}, 201)
    agent = person("dora", "service desk agent")
    secret, other = solved(root, "Login refused", queue=queue), solved(root, "Logon refused")
    keep()
    now = ticket(root, title="Cannot sign in")
    assert offered(root, now).keys() == {secret["number"], other["number"]}
    assert offered(agent, now) == {other["number"]: ["means much the same"]}


WATCHED = """
import sys

def watch(event, arguments):
    if event.startswith("socket."):
        sys.exit(f"a socket was asked for: {event} {arguments}")

sys.addaudithook(watch)
from pathlib import Path
from watchkeeper.domains.embedding.encoder import ModelError, load
try:
    print(load(Path(sys.argv[1])).encode(["cannot sign in"]).shape)
except ModelError as error:
    print(error)
print("hub" if "huggingface_hub" in sys.modules else "no hub")
"""


@pytest.mark.parametrize(("name", "said"), [("model", "(1, 48)"), ("a/name", "is not a folder")])
def test_no_network_is_asked_also_for_a_model_that_is_not_there(tmp_path: Path, name: str, said: str) -> None:
    make(tmp_path / "model", *GROUPS)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path / name)], cwd=tmp_path, capture_output=True, text=True
    )
    assert said in done.stdout and "no hub" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_model_that_cannot_be_used_is_said_and_words_are_found_all_the_same(
    root: Client,  # noqa: F811
    tmp_path: Path,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    settings.EMBEDDING = make(tmp_path / "model", *GROUPS)
    (settings.EMBEDDING / broken).write_text("{}")
    assert not keeping.begin()
    assert "cannot be used" in caplog.text and "by its words only" in caplog.text
    words = solved(root, "Copier has stars")
    assert offered(root, ticket(root, title="Printer prints stars")).keys() == {words["number"]}


def test_nothing_of_it_is_loaded_where_nobody_wants_it(tmp_path: Path) -> None:
    program = (
        "import sys; from watchkeeper.domains.loading import load; load();"
        "from watchkeeper.domains.embedding.nearest import nearest;"
        "print(nearest('tickets', 'a text', 5), {'onnxruntime', 'tokenizers'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"WATCHKEEPER_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "{} set()", done.stderr
