"""A merge that was a mistake is taken back, with all that went over and is still there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.domains.test_desk_work import Person, act, call, now, person, root, ticket  # noqa: F401  (fixtures)
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Subscription

pytestmark = pytest.mark.django_db


def has(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    """What belongs to a ticket."""
    of_it = {
        kind: call(client, "get", f"{kind}/?{name}={made['id']}")["results"]
        for kind, name in (("notes", "record"), ("links", "record"), ("checklist-items", "ticket"),
                           ("time-entries", "ticket"), ("ticket-messages", "ticket"), ("tickets", "parent"))
    }  # fmt: skip
    found = now(client, made)
    said = {(m["sort"], m["body"]) for m in of_it.pop("ticket-messages")}
    watching = Subscription.objects.filter(kind="tickets", record=str(made["id"])).values_list(
        "user", flat=True
    )
    fields = {
        name: found[name] for name in ("status", "merged_into", "resolution", "resolved_at", "closed_at")
    }
    return {**{kind: sorted(r["id"] for r in rows) for kind, rows in of_it.items()}, **fields, "said": said,
            "tags": found["tags"], "items": found["items"], "watching": sorted(watching)}  # fmt: skip


def test_everything_returns_and_what_was_done_since_stays(root: Client, person: Person) -> None:  # noqa: F811
    ann = person("ann")
    User.objects.create_user("rita")
    item = call(root, "post", "items/", {"name": "db1", "kind": "host"}, 201)["id"]
    a, b = (ticket(root, f"printer {n}", requester="rita", items=[item] if n == "a" else []) for n in "ab")
    ticket(root, "its child", parent=a["id"])
    here = {"kind": "tickets", "record": str(a["id"])}
    call(root, "post", "notes/", {**here, "text": "toner is empty"}, 201)
    call(root, "post", "links/", {**here, "to_kind": "items", "to_record": item}, 201)
    call(root, "patch", f"tickets/{a['id']}/", {"tags": ["toner"]})
    step = call(root, "post", "checklist-items/", {"ticket": a["id"], "text": "buy toner"}, 201)
    call(ann, "post", "time-entries/", {"ticket": a["id"], "minutes": 5}, 201)
    call(root, "post", "ticket-messages/", {"ticket": a["id"], "body": "is it on?"}, 201)
    before, empty = has(root, a), has(root, b)
    act(root, a, "unmerge", status=409)
    act(root, a, "merge", {"into": b["id"]})
    assert has(root, b)["notes"] == before["notes"] and not has(root, a)["notes"]
    call(root, "post", "notes/", {**here, "record": str(b["id"]), "text": "since then"}, 201)
    call(root, "delete", f"checklist-items/{step['id']}/", None, 204)
    act(root, a, "unmerge")
    assert has(root, a) == {**before, "checklist-items": []}
    after = has(root, b)
    assert [n["text"] for n in call(root, "get", f"notes/?record={b['id']}")["results"]] == ["since then"]
    assert {k: v for k, v in after.items() if k not in ("notes", "said")} == {
        k: v for k, v in empty.items() if k not in ("notes", "said")
    }
    assert [sort for sort, body in after["said"]] == ["note", "note"]


def test_a_chain_of_merges_is_taken_back_from_its_end(root: Client) -> None:  # noqa: F811
    a, b, c = (ticket(root, name) for name in "abc")
    act(root, a, "resolve", {"resolution": "done"})
    act(root, a, "merge", {"into": b["id"]})
    act(root, b, "merge", {"into": c["id"]})
    assert "take that back first" in act(root, a, "unmerge", status=409)["detail"]
    act(root, b, "unmerge")
    act(root, a, "unmerge")
    assert (now(root, a)["status"], now(root, a)["resolution"]) == ("resolved", "done")
    assert now(root, b)["status"] == "new"


def test_pages_say_what_was_merged_and_where_it_is_undone(root: Client, person: Person) -> None:  # noqa: F811
    ann = person("ann")
    a, b = ticket(root, "no mail"), ticket(root, "mail is down")
    act(root, a, "merge", {"into": b["id"]})
    merged, other = (ann.get(f"/tickets/{t['id']}/").content.decode() for t in (a, b))
    alert = merged.partition("It was merged into")[2].partition("More to do with it")[0]
    assert "Undo the merge" in alert and "Undo the merge" not in merged.partition("More to do with it")[2]
    assert "merged another into ticket" in other and "Merged into it" in other and a["number"] in other
    act(root, a, "unmerge")
    other = ann.get(f"/tickets/{b['id']}/").content.decode()
    assert "took another out of ticket" in other and "Taken out of it" in other
