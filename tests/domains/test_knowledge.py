"""Articles: who sees them on which path, their versions, reminders, and what is offered to agents and to who types."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.domains.test_desk import act, call, root, ticket, work  # noqa: F401  (root is a fixture)
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.kernel.models import OutboxRow


def person(name: str, role: str, *teams: str) -> Client:
    """Somebody with this role, in these teams."""
    user = User.objects.create_user(name, "correct horse battery")
    Grant.objects.create(
        role=Role.objects.get(name=role),
        user=user,
        reason="a test",
        valid_from=timezone.now(),
        approved_by="root",
    )
    for team in teams:
        Team.objects.get_or_create(name=team)[0].members.add(user)
    token = identity.create_token(f"of {name}", "write", user=user)
    return Client(headers={"authorization": f"Bearer {token}"})


def article(root: Client, title: str, *, publish: bool = True, **fields: Any) -> dict[str, Any]:  # noqa: F811
    """An article, published unless said otherwise."""
    body = {"title": title, "body": f"{title}. Press the button.", **fields}
    made: dict[str, Any] = call(root, "post", "articles", body, 201)
    return call(root, "post", f"articles/{made['id']}/publish", {}) if publish else made


def seen(client: Client, pk: int, word: str) -> set[str]:
    """The paths on which somebody sees this article."""
    found = {
        "page": client.get(f"/api/articles/{pk}/").status_code == 200,
        "list": bool(client.get("/api/articles/", {"search": word}).json().get("count")),
        "search": any(
            r["kind"] == "articles" for r in client.get("/api/search/", {"q": word}).json().get("results", ())
        ),
        "counts": any(
            k["kind"] == "articles" for k in client.get("/api/search/", {"q": word}).json().get("kinds", ())
        ),
        "suggested": bool(client.get("/api/articles/suggested/", {"text": f"the {word} is broken"}).json()),
        "versions": bool(client.get("/api/article-versions/", {"article": pk}).json().get("count")),
    }
    return {name for name, there in found.items() if there}


def test_an_article_is_seen_by_its_audience_and_by_nobody_else_on_any_path(root: Client) -> None:  # noqa: F811
    asks, other = person("rita", "requester"), person("owen", "IT operator")
    network, agent = person("nell", "network administrator", "Network"), person("dora", "service desk agent")
    team = Team.objects.get(name="Network").pk
    everywhere = {"page", "list", "search", "counts", "suggested", "versions"}
    public = article(root, "The flamingo printer", audience="everybody")["id"]
    customers = article(root, "The pelican scanner", audience="customers")["id"]
    desk = article(root, "The heron router", audience="desk")["id"]
    secret = article(root, "The kestrel firewall", audience="team", team=team)["id"]
    draft = article(root, "The osprey switch", publish=False, audience="everybody")["id"]
    for pk, word, whom in (
        (public, "flamingo", {asks, other, network, agent}),
        (customers, "pelican", {asks, other, network, agent}),
        (desk, "heron", {other, network, agent}),
        (secret, "kestrel", {network}),
    ):
        for client in (asks, other, network, agent):
            wanted = everywhere - ({"versions"} if client is asks else set()) if client in whom else set()
            assert seen(client, pk, word) == wanted, (
                word,
                client.headers if hasattr(client, "headers") else "",
            )
    assert seen(asks, draft, "osprey") == set()
    assert seen(agent, draft, "osprey") == everywhere - {"suggested"}
    assert (
        asks.patch(f"/api/articles/{public}/", {"title": "x"}, content_type="application/json").status_code
        == 403
    )
    note = {"kind": "articles", "record": str(secret), "text": "the code is 7"}
    call(root, "post", "notes", note, 201)
    assert [c.get("/api/notes/").json().get("count") for c in (other, network)] == [0, 1]


def test_an_article_keeps_what_it_said_and_says_it_again(root: Client) -> None:  # noqa: F811
    made = article(root, "Wake it", publish=False)
    url = f"articles/{made['id']}"
    call(root, "patch", url, {"body": "Press it twice."})
    call(root, "patch", url, {"audience": "everybody"})
    found = call(root, "get", f"{url}/article-versions")["results"]
    assert [(v["number"], v["body"]) for v in found] == [
        (2, "Press it twice."),
        (1, "Wake it. Press the button."),
    ]
    call(root, "post", f"article-versions/{found[1]['id']}/restore", {})
    now = call(root, "get", url)
    assert (now["body"], now["version"]) == ("Wake it. Press the button.", 3)
    assert call(root, "get", f"{url}/article-versions")["results"][0]["note"] == "as in version 1"


def test_an_article_for_a_team_names_it_and_an_empty_one_is_not_published(root: Client) -> None:  # noqa: F811
    assert "team" in call(root, "post", "articles", {"title": "x", "audience": "team"}, 400)["errors"]
    made = call(root, "post", "articles", {"title": "x"}, 201)
    assert "nothing in it" in call(root, "post", f"articles/{made['id']}/publish", {}, 409)["detail"]


def test_readers_say_once_each_whether_it_helped(root: Client) -> None:  # noqa: F811
    pk = article(root, "Wake it", audience="everybody")["id"]
    rita = person("rita", "requester")
    call(rita, "post", f"articles/{pk}/not-helpful", {})
    call(rita, "post", f"articles/{pk}/helpful", {})
    call(person("owen", "IT operator"), "post", f"articles/{pk}/not-helpful", {})
    now = call(root, "get", f"articles/{pk}")
    assert (now["helpful"], now["unhelpful"]) == (1, 1)


def test_the_owner_is_reminded_on_the_day_of_the_review_unless_it_was_moved(root: Client) -> None:  # noqa: F811
    User.objects.create_user("olga", "correct horse battery", is_administrator=True)
    today = timezone.now().date()
    made = article(root, "Wake it", owner="olga", review_on=str(today - dt.timedelta(days=1)))
    late = article(root, "Later", owner="olga", review_on=str(today + dt.timedelta(days=3)))
    moved = article(root, "Moved", owner="olga", review_on=str(today - dt.timedelta(days=2)))
    call(root, "patch", f"articles/{moved['id']}", {"review_on": str(today + dt.timedelta(days=9))})
    work()
    work()
    [notice] = Notice.objects.filter(user__username="olga")
    assert (notice.record, notice.text) == (
        str(made["id"]),
        f"Watchkeeper asks for a review of {made['number']} Wake it",
    )
    [row] = OutboxRow.objects.filter(kind="article.review", subject=f"articles/{late['id']}")
    assert (row.state, row.due_at.date()) == ("due", today + dt.timedelta(days=3))


def test_a_ticket_is_offered_what_is_known_and_what_solved_its_like(root: Client) -> None:  # noqa: F811
    site = call(root, "post", "sites", {"name": "attic"}, 201)["id"]
    solved = ticket(root, title="The flamingo printer prints stars", items=[site])
    act(root, solved, "resolve", {"resolution": "Changed its drum."})
    twin = ticket(root, title="The flamingo printer prints more stars", items=[site])
    act(root, twin, "merge", {"into": solved["id"]})
    far = ticket(root, title="Coffee is out")
    act(root, far, "resolve", {"resolution": "Bought some."})
    fits = article(root, "Stars on paper from a flamingo", items=[site])
    article(root, "Coffee for everybody")
    article(root, "Flamingo drafts", publish=False)
    now = ticket(root, title="flamingo printer: stars again", description="since monday", items=[site])
    offered = call(root, "get", f"tickets/{now['id']}/suggested")
    assert [(s["id"], s["text"]) for s in offered["solved"]] == [(str(solved["id"]), "Changed its drum.")]
    assert [s["id"] for s in offered["articles"]] == [str(fits["id"])]
    assert offered["articles"][0]["because"] == ["also about attic", "says “flamingo”, “stars”, too"]
    used = call(root, "post", f"articles/{fits['id']}/use", {"ticket": now["id"], "how": "link"})
    assert used["see"] == f"/tickets/{now['id']}/"
    [link] = call(root, "get", "links")["results"]
    assert (link["to_kind"], link["to_record"], link["record"]) == (
        "articles",
        str(fits["id"]),
        str(now["id"]),
    )
    use = {"ticket": now["id"], "how": "note"}
    call(root, "post", f"articles/{fits['id']}/use", use)
    refused = call(root, "post", f"articles/{fits['id']}/use", {**use, "how": "reply"}, 409)
    assert "is written for the desk and operations, not for whoever asks" in refused["detail"]
    public = article(root, "Stars for everybody", audience="customers", body="Change the drum.")
    call(root, "post", f"articles/{public['id']}/use", {**use, "how": "reply"})
    said = [m for m in call(root, "get", "ticket-messages")["results"] if m["ticket"] == now["id"]]
    note, reply = sorted(said, key=lambda m: m["id"])
    assert note["sort"] == "note" and fits["title"] in note["body"]
    assert (reply["sort"], reply["body"]) == ("reply", "**Stars for everybody**\n\nChange the drum.")
    assert call(root, "get", f"tickets/{now['id']}")["answered_at"], "it was the first answer"


def test_an_article_is_written_of_what_solved_a_ticket_once(root: Client) -> None:  # noqa: F811
    made = ticket(root, title="It is slow", description="every monday")
    act(root, made, "write-article", status=409)
    act(root, made, "resolve", {"resolution": "Moved the backup."})
    first = act(root, made, "write-article")
    assert act(root, made, "write-article")["article"] == first["article"]
    found = call(root, "get", f"articles/{first['article']}")
    assert (found["title"], found["ticket"], found["status"]) == ("It is slow", made["id"], "draft")
    assert found["body"] == "## What happens\n\nevery monday\n\n## What to do\n\nMoved the backup."


@pytest.mark.parametrize("query", [{"text": "x" * 4001}, {"text": "a", "item": [str(n) for n in range(51)]}])
def test_what_is_typed_is_bounded(root: Client, query: dict[str, Any]) -> None:  # noqa: F811
    answer = root.get("/api/articles/suggested/", query)
    assert answer.status_code == 400 and answer.json()["parameter"] in query
    assert root.get("/api/articles/suggested/").json() == []
