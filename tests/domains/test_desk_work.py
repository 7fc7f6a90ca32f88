"""The desk's daily work: merged, split, given, done by macros, ticked off, timed, and opened again and again."""

from __future__ import annotations

import datetime as dt
import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.desk.assigning.rules import BY_LOAD, IN_TURN, Candidate, choose
from watchkeeper.domains.desk.models import Occurrence, Ticket
from watchkeeper.domains.desk.recurring.rules import next_after
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice, Subscription
from watchkeeper.kernel.models import AuditEntry, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker

JSON = "application/json"
Person = Callable[..., Client]


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


@pytest.fixture
def person(db: None) -> Person:  # noqa: ARG001
    """`person("ann")` is a client that ann has signed in to; by default she works on everything in operations."""

    def make(name: str, role: str = "operations engineer") -> Client:
        user = User.objects.create_user(name)
        Grant.objects.create(role=Role.objects.get(name=role), user=user, reason="test", approved_by="test",
                             valid_from=timezone.now())  # fmt: skip
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    return make


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    send, address = getattr(client, method), f"/api/{url}"
    answer = send(address) if method == "get" else send(address, json.dumps(body), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def ticket(client: Client, title: str = "it is slow", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = call(client, "post", "tickets/", {"title": title, **fields}, 201)
    return made


def act(client: Client, made: dict[str, Any], name: str, body: Any = None, status: int = 200) -> Any:
    return call(client, "post", f"tickets/{made['id']}/{name}/", body or {}, status)


def now(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(client, "get", f"tickets/{made['id']}/")
    return found


def work() -> None:
    worker = OutboxWorker()
    while worker.step():
        pass


def test_what_is_merged_goes_over_and_is_told(root: Client, person: Person) -> None:
    ann = person("ann")
    User.objects.create_user("rita")
    a, b, c = (ticket(root, f"printer {n}", requester="rita") for n in "abc")
    call(ann, "post", f"tickets/{a['id']}/take/", {})
    note = {"kind": "tickets", "record": str(a["id"]), "text": "toner is empty"}
    call(root, "post", "notes/", note, 201)
    link = {"kind": "tickets", "record": str(a["id"]), "to_kind": "tickets", "to_record": str(b["id"])}
    call(root, "post", "links/", link, 201)
    call(root, "patch", f"tickets/{a['id']}/", {"tags": ["toner"]})
    call(root, "post", "checklist-items/", {"ticket": a["id"], "text": "buy toner"}, 201)
    call(root, "post", "ticket-messages/", {"ticket": a["id"], "body": "is it on?"}, 201)
    act(root, a, "merge", {"into": c["id"]})
    said = call(root, "get", f"ticket-messages/?ticket={c['id']}")["results"]
    assert [m["sort"] for m in said] == ["note", "reply"] and said[1]["body"] == "is it on?"
    one = now(root, a)
    assert (one["status"], one["merged_into"], one["resolution"]) == (
        "closed",
        c["id"],
        f"Merged into {c['number']}.",
    )
    assert call(root, "get", f"notes/?record={c['id']}")["results"][0]["text"] == "toner is empty"
    assert call(root, "get", f"links/?record={c['id']}")["count"] == 1
    assert call(root, "get", f"checklist-items/?ticket={c['id']}")["count"] == 1
    assert now(root, c)["tags"] == ["toner"]
    watching = Subscription.objects.filter(kind="tickets", record=str(c["id"])).values_list(
        "user__username", flat=True
    )
    assert set(watching) == {"ann"}  # rita is the requester of both
    assert "It goes on as" in Notice.objects.get(user__username="ann", event__startswith="merged:").why
    entry = AuditEntry.objects.get(act="ticket.merge")
    assert entry.after["moved"]["notes"] and entry.after["merged_into"] == c["id"]
    act(root, a, "merge", {"into": b["id"]}, 409)
    assert "into" in act(root, b, "merge", {"into": a["id"]}, 400)["errors"]


def test_who_else_had_reported_it_is_kept_informed_and_reads_nothing_of_others(root: Client) -> None:
    User.objects.create_user("rita"), User.objects.create_user("tom")
    a, b = ticket(root, "no mail", requester="rita"), ticket(root, "mail is down", requester="tom")
    call(root, "post", "ticket-messages/", {"ticket": a["id"], "body": "my salary slip is missing"}, 201)
    act(root, a, "merge", {"into": b["id"]})

    def said(on: dict[str, Any]) -> list[tuple[str, str]]:
        found = call(root, "get", f"ticket-messages/?ticket={on['id']}&ordering=created_at")["results"]
        return [(m["sort"], m["body"]) for m in found]

    assert [sort for sort, _ in said(b)] == ["note"]
    call(root, "post", "ticket-messages/", {"ticket": a["id"], "body": "still nothing"}, 201)
    work()
    work()
    assert [(sort, "still nothing" in body) for sort, body in said(b)] == [("note", False), ("note", True)]
    act(root, b, "resolve", {"resolution": "restarted the server"})
    assert "restarted the server" in said(a)[-1][1] and said(a)[-1][0] == "reply"


def test_many_are_merged_or_none(root: Client) -> None:
    made = [ticket(root, f"mail {n}") for n in range(4)]
    act(root, made[3], "cancel")
    ids = [m["id"] for m in made]
    answer = root.post(
        "/api/tickets/merge/", json.dumps({"ids": ids, "into": made[0]["id"]}), content_type=JSON
    )
    assert answer.status_code == 409, answer.content
    assert Ticket.objects.filter(merged_into=None).count() == 4


def test_a_ticket_is_split_with_its_items(root: Client) -> None:
    item = call(root, "post", "items/", {"name": "db1", "kind": "host"}, 201)
    made = ticket(root, items=[item["id"]])
    said = [
        call(root, "post", "ticket-messages/", {"ticket": made["id"], "body": w}, 201)["id"]
        for w in ("a", "b")
    ]
    other = act(root, made, "split", {"title": "the database", "items": [item["id"]], "messages": said[1:]})
    fresh = call(root, "get", f"tickets/{other['ticket']}/")
    assert (fresh["title"], fresh["items"]) == ("the database", [item["id"]])
    assert now(root, made)["items"] == []
    assert [m["id"] for m in call(root, "get", f"ticket-messages/?ticket={fresh['id']}")["results"]] == said[
        1:
    ]
    assert "messages" in act(root, made, "split", {"title": "more", "messages": said[1:]}, 400)["errors"]
    assert call(root, "get", f"links/?record={fresh['id']}")["results"][0]["to_record"] == str(made["id"])
    assert "items" in act(root, made, "split", {"title": "again", "items": [item["id"]]}, 400)["errors"]


def test_who_has_no_account_stays_who_asked_also_after_a_split(person: Person) -> None:
    ann = person("ann")
    made = ticket(ann, contact="caller@example.net")
    assert (made["requester"], made["contact"]) == (None, "caller@example.net")
    call(ann, "post", "ticket-participants/", {"ticket": made["id"], "address": "boss@example.net"}, 201)
    call(ann, "post", "ticket-messages/", {"ticket": made["id"], "body": "we look into it"}, 201)
    assert now(ann, made)["answered_at"], "it is an agent's reply, and no requester's"
    other = {"id": act(ann, made, "split", {"title": "the other half"})["ticket"]}
    split = now(ann, other)
    assert (split["requester"], split["contact"]) == (None, "caller@example.net")
    [copy] = call(ann, "get", f"ticket-participants/?ticket={other['id']}")["results"]
    assert copy["address"] == "boss@example.net"
    assert ticket(ann)["requester"] == "ann"


def test_children_and_open_steps_are_in_the_way_until_somebody_says_otherwise(root: Client) -> None:
    parent = ticket(root, "the mail is down")
    child = ticket(root, "no mail on floor 3", parent=parent["id"])
    call(root, "patch", f"tickets/{parent['id']}/", {"parent": child["id"]}, 400)
    step = call(root, "post", "checklist-items/", {"ticket": parent["id"], "text": "tell everybody"}, 201)
    refused = act(root, parent, "resolve", {"resolution": "up"}, 409)["detail"]
    assert child["number"] in refused and "tell everybody" in refused
    act(root, parent, "resolve", {"resolution": "up", "children": True}, 409)
    call(root, "post", f"checklist-items/{step['id']}/tick/", {})
    assert call(root, "get", f"checklist-items/{step['id']}/")["done_by"] == "root"
    act(root, parent, "resolve", {"resolution": "up", "children": True})
    assert [now(root, t)["status"] for t in (parent, child)] == ["resolved", "resolved"]
    assert now(root, child)["resolution"] == "up"


def test_what_cannot_be_done_is_said_at_its_form_and_nothing_typed_is_lost(
    root: Client, person: Person
) -> None:
    """With the children that are in the way; who comes back to the address of the act sees the ticket."""
    ann, parent = person("ann"), ticket(root, "the mail is down")
    child = ticket(root, "no mail on floor 3", parent=parent["id"])
    here = f"/tickets/{parent['id']}/"
    refused = ann.post(f"{here}do/resolve/", {"resolution": "Ten minutes\nof typing"})
    text = html.unescape(refused.content.decode())
    assert refused.status_code == 409
    form = text.partition('<details name="act" open>')[2].partition("</details>")[0]
    assert child["number"] in form and ">Ten minutes\nof typing</textarea>" in form
    empty = ann.post(f"{here}do/split/", {"title": "", "items": []})
    assert empty.status_code == 400 and 'class="wk-more mb-3" open' in empty.content.decode()
    assert "Child tickets" in text and ann.get(f"{here}do/resolve/").headers["Location"] == here
    assert now(root, parent)["status"] == "new"


@pytest.fixture
def team(root: Client, person: Person) -> dict[str, Any]:
    """A queue that gives its tickets by load to ann (who knows linux) and bob."""
    person("ann"), person("bob"), person("eve", role="business architect")
    found = Team.objects.create(name="first line")
    found.members.set(User.objects.filter(username__in=("ann", "bob")))
    call(root, "post", "skills/", {"name": "linux", "people": ["ann"]}, 201)
    body = {"name": "desk", "team": found.pk, "gives": "by_load"}
    queue: dict[str, Any] = call(root, "post", "queues/", body, 201)
    return queue


def test_tickets_are_given_by_load_to_who_is_there_and_it_is_said_why(
    root: Client, team: dict[str, Any]
) -> None:
    given = []
    for _ in range(4):
        made = ticket(root, queue=team["id"])
        work()
        given.append(now(root, made)["assignee"])
    assert given == ["ann", "bob", "ann", "bob"]
    why = call(root, "get", f"assignments/?ticket={made['id']}")["results"][0]
    assert why["because"] == "given to bob: 1 open ticket, fewest in the team" and why["by_rule"]
    skill = call(root, "get", "skills/")["results"][0]["id"]
    for _ in range(2):
        made = ticket(root, queue=team["id"], skills=[skill])
        work()
    why = call(root, "get", f"assignments/?ticket={made['id']}")["results"][0]
    assert why["because"] == "given to ann: 3 open tickets, fewest among those with skill 'linux'"
    assert Notice.objects.filter(user__username="ann", event__startswith="assignment:").count() == 4


def test_nobody_gets_it_while_all_are_away_and_somebody_does_after(
    root: Client, team: dict[str, Any]
) -> None:
    until = timezone.now() + dt.timedelta(hours=2)
    for name in ("ann", "bob"):
        body = {"person": name, "begins_at": "2026-01-01T00:00:00Z", "ends_at": until.isoformat()}
        call(root, "post", "absences/", body, 201)
    made = ticket(root, queue=team["id"])
    work()
    assert now(root, made)["assignee"] is None
    assert "away until" in act(root, made, "assign-by-rule", status=409)["detail"]
    waiting = OutboxRow.objects.get(kind="give-ticket", state="due")
    assert waiting.due_at > timezone.now()
    absence = call(root, "get", "absences/?person__username=bob")["results"][0]
    call(root, "patch", f"absences/{absence['id']}/", {"ends_at": "2026-01-02T00:00:00Z"})
    OutboxRow.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    work()
    assert now(root, made)["assignee"] == "bob"


def test_who_may_not_work_on_tickets_is_given_none(root: Client, team: dict[str, Any]) -> None:
    Team.objects.get(pk=team["team"]).members.set(User.objects.filter(username="eve"))
    made = ticket(root, queue=team["id"])
    assert "nobody" in act(root, made, "assign-by-rule", status=409)["detail"]
    call(root, "post", f"tickets/{made['id']}/assign/", {"assignee": "bob"})
    assert now(root, made)["assignee"] == "bob"
    act(root, made, "release")
    assert now(root, made)["assignee"] is None


_PEOPLE = st.lists(
    st.builds(
        Candidate, st.text("abcdef", min_size=1, max_size=3), st.integers(0, 9), st.integers(0, 9),
        st.frozensets(st.sampled_from(["x", "y"])), st.sampled_from(["", "is away"]),
    ),
    max_size=6, unique_by=lambda c: c.name,
)  # fmt: skip


@given(_PEOPLE, st.frozensets(st.sampled_from(["x", "y"])), st.sampled_from([BY_LOAD, IN_TURN]))
def test_whoever_is_chosen_is_there_and_can_do_it_and_nobody_fits_better(
    people: list[Candidate], asked: frozenset[str], way: str
) -> None:
    chosen = choose(way, people, asked)
    fit = [c for c in people if not c.absent and c.skills >= asked]
    assert bool(chosen.name) == bool(fit) and chosen.because
    if fit:
        one = next(c for c in people if c.name == chosen.name)
        assert one in fit
        best = min((c.open if way == BY_LOAD else c.last_ms) for c in fit)
        assert (one.open if way == BY_LOAD else one.last_ms) == best


def test_a_macro_does_several_things_to_many_or_nothing(root: Client, person: Person) -> None:
    ann = person("ann")
    queue = call(root, "post", "queues/", {"name": "printers"}, 201)
    body = {"name": "printer", "queue": queue["id"], "gives": "me", "urgency": 1, "labels": "printer, paper",
            "note": "see $number, $unknown", "reply": "$agent looks at $title", "moves": "ask"}  # fmt: skip
    macro = call(root, "post", "macros/", body, 201)
    call(root, "post", "tags/", {"name": "old"}, 201)
    call(root, "post", "tags/", {"name": "printer"}, 201)
    call(root, "post", "tags/", {"name": "paper"}, 201)
    made = [ticket(ann, f"no paper {n}", tags=["old"]) for n in range(3)]
    act(root, made[2], "cancel")
    ids = [m["id"] for m in made]
    bulk = "/api/tickets/macro/"
    answer = ann.post(bulk, json.dumps({"ids": ids, "macro": macro["id"]}), content_type=JSON)
    assert answer.status_code == 409, answer.content
    assert now(root, made[0])["queue"] is None
    answer = ann.post(bulk, json.dumps({"ids": ids[:2], "macro": macro["id"]}), content_type=JSON)
    assert answer.status_code == 200, answer.content
    one = now(root, made[1])
    assert (one["queue"], one["assignee"], one["urgency"]) == (queue["id"], "ann", 1)
    said = call(root, "get", f"ticket-messages/?ticket={one['id']}&ordering=created_at")["results"]
    assert [m["body"] for m in said] == ["ann looks at no paper 1", f"see {one['number']}, $unknown"]
    assert (one["status"], one["tags"]) == ("waiting_for_requester", ["old", "paper", "printer"])


def test_a_template_opens_a_ticket_with_its_checklist(root: Client) -> None:
    steps = "order a laptop\n\n- make an account"
    body = {"name": "starter", "title": "Somebody starts", "steps": steps, "urgency": 3}
    template = call(root, "post", "ticket-templates/", body, 201)
    made = call(root, "post", f"ticket-templates/{template['id']}/open/", {"title": "Zoe starts"})
    found = call(root, "get", f"tickets/{made['ticket']}/")
    assert (found["title"], found["urgency"], found["type"]) == ("Zoe starts", 3, "request")
    there = call(root, "get", f"checklist-items/?ticket={found['id']}")["results"]
    assert [s["text"] for s in there] == ["order a laptop", "make an account"]


def test_somebody_who_is_mentioned_is_told_once(root: Client, person: Person) -> None:
    person("ann"), person("bob")
    made = ticket(root)
    note = {"kind": "tickets", "record": str(made["id"]), "text": "@bob can you look? @nobody `@ann`"}
    written = call(root, "post", "notes/", note, 201)
    work()
    call(root, "patch", f"notes/{written['id']}/", {"text": "@bob can you look at it?"})
    work()
    call(root, "post", "ticket-messages/", {"ticket": made["id"], "body": "@bob and you?"}, 201)
    work()
    assert (
        Notice.objects.filter(user__username="bob", event__startswith="mention:ticket-messages").count() == 1
    )
    told = Notice.objects.get(event__startswith="mention:notes")
    assert (told.user.username, told.kind, told.record) == ("bob", "tickets", str(made["id"]))


def test_a_timer_runs_for_one_ticket_at_a_time(root: Client, person: Person) -> None:
    ann = person("ann")
    a, b = ticket(ann, "a"), ticket(ann, "b")
    act(ann, a, "start-timer")
    act(ann, a, "start-timer", status=409)
    act(ann, b, "start-timer")
    entries = {e["ticket"]: e["minutes"] for e in call(root, "get", "time-entries/")["results"]}
    assert entries == {a["id"]: 1, b["id"]: None}
    typed = call(ann, "post", "time-entries/", {"ticket": a["id"], "minutes": 7}, 201)
    assert typed["person"] == "ann"
    call(root, "delete", f"time-entries/{typed['id']}/", status=204)
    act(ann, b, "stop-timer", {"note": "looked at it", "billable": True})
    act(ann, b, "stop-timer", status=409)
    act(root, a, "start-timer", status=409)
    entry = call(root, "get", f"time-entries/?ticket={b['id']}")["results"][0]
    assert (entry["minutes"], entry["billable"], entry["note"]) == (1, True, "looked at it")
    bob = person("bob")
    call(bob, "patch", f"time-entries/{entry['id']}/", {"minutes": 5}, 409)
    secret = call(bob, "post", "tokens/", {"name": "all of it", "scope": "admin"}, 201)["secret"]
    token = Client(headers={"authorization": f"Bearer {secret}"})
    call(token, "patch", f"time-entries/{entry['id']}/", {"minutes": 5}, 409)
    call(token, "delete", f"time-entries/{entry['id']}/", status=409)


def test_time_is_summed(root: Client, person: Person) -> None:
    person("ann")
    queue = call(root, "post", "queues/", {"name": "desk"}, 201)
    made = ticket(root, queue=queue["id"])
    for minutes, month, billable in ((30, 1, True), (15, 1, False), (60, 2, False)):
        body = {"ticket": made["id"], "person": "ann", "minutes": minutes, "billable": billable,
                "began_at": f"2026-0{month}-10T08:00:00Z"}  # fmt: skip
        call(root, "post", "time-entries/", body, 201)
    told = call(root, "get", "time-sums/?by=month")["results"]
    assert [(t["name"], t["minutes"], t["billable"]) for t in told] == [
        ("2026-01", 45, 30),
        ("2026-02", 60, 0),
    ]
    (told,) = call(root, "get", "time-sums/?by=queue&began_at__lt=2026-02-01T00:00:00Z")["results"]
    assert (told["name"], told["minutes"], told["entries"]) == ("desk", 45, 2)
    call(root, "get", "time-sums/?by=moon", status=400)
    call(root, "get", "time-sums/?by=month&began_at__lt=soon", status=400)


def test_a_recurring_ticket_comes_once_for_each_time_also_when_it_is_done_again(root: Client) -> None:
    template = call(root, "post", "ticket-templates/", {"name": "rounds", "title": "Do the rounds"}, 201)
    body = {"name": "rounds", "template": template["id"], "rule": "FREQ=DAILY", "starts_on": "2026-01-01"}
    made = call(root, "post", "recurring-tickets/", body, 201)
    row = OutboxRow.objects.get(kind="recurring-ticket")
    assert dt.datetime.fromisoformat(made["next_at"]) == row.due_at > timezone.now()
    OutboxRow.objects.filter(pk=row.pk).update(due_at=timezone.now())
    work()
    OutboxRow.objects.filter(pk=row.pk).update(state="due", due_at=timezone.now())
    work()
    assert Ticket.objects.count() == Occurrence.objects.count() == 1
    after = call(root, "get", f"recurring-tickets/{made['id']}/")
    day = dt.timedelta(days=1)
    assert dt.datetime.fromisoformat(after["next_at"]) - dt.datetime.fromisoformat(made["next_at"]) == day
    call(root, "patch", f"recurring-tickets/{made['id']}/", {"at": "23:00"})
    OutboxRow.objects.filter(kind="recurring-ticket", state="due").update(due_at=timezone.now())
    worker = OutboxWorker()
    worker.step()
    stale = OutboxRow.objects.filter(kind="recurring-ticket", state="done").order_by("-finished_at").first()
    assert stale is not None and Ticket.objects.count() <= 2
    call(root, "patch", f"recurring-tickets/{made['id']}/", {"enabled": False})
    assert call(root, "get", f"recurring-tickets/{made['id']}/")["next_at"] is None


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)), st.times())
def test_every_day_there_is_one_time_and_it_is_the_next(after: dt.datetime, at: dt.time) -> None:
    zone, begin = "Europe/Berlin", after.replace(tzinfo=dt.UTC)
    starts = dt.datetime.combine(dt.date(2025, 12, 1), at.replace(tzinfo=None, fold=0))
    first = next_after("FREQ=DAILY", starts, zone, begin)
    assert first is not None and begin < first <= begin + dt.timedelta(hours=25)
    second = next_after("FREQ=DAILY", starts, zone, first)
    assert second is not None
    assert dt.timedelta(hours=22) < second - first <= dt.timedelta(hours=26)


def test_who_else_is_at_a_ticket_is_seen_until_they_leave(root: Client, person: Person) -> None:
    ann, bob = person("ann"), person("bob")
    made = ticket(root)
    address = f"/tickets/{made['id']}/presence/"
    assert b"ann" not in ann.post(address).content
    assert b"ann" in bob.post(address, {"editing": "1"}).content
    said = ann.post(address).content.decode()
    assert "bob" in said and "changing" in said
    from watchkeeper.domains.desk.models import Looking

    Looking.objects.update(seen_at=timezone.now() - dt.timedelta(minutes=1))
    assert b"bob" not in ann.post(address).content
    stranger = person("rita", role="requester")
    assert stranger.post(address).status_code in (403, 404)


def test_what_belongs_to_a_ticket_is_read_with_it(root: Client, person: Person) -> None:
    made = ticket(root)
    call(root, "post", "checklist-items/", {"ticket": made["id"], "text": "secret step"}, 201)
    rita = person("rita", role="requester")
    for path in ("checklist-items", "time-entries", "assignments"):
        assert rita.get(f"/api/{path}/").status_code == 403
    reader = person("norma", role="business architect")
    assert call(reader, "get", "checklist-items/")["count"] == 1
    call(reader, "post", "checklist-items/", {"ticket": made["id"], "text": "mine"}, 403)
