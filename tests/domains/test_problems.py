"""Problems from incidents and situations to their end: recurrences, workarounds, causes, actions, timeline, report."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.domains.analysis_structs import alert, situation
from tests.domains.test_desk import act, call, root, ticket, work  # noqa: F401  (root is a fixture)
from tests.domains.test_knowledge import person
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.problems import looking, rules
from watchkeeper.domains.problems.rules import Features, recurrences
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.model.verdicts import AlertStatus, SituationState


def problem(root: Client, **fields: Any) -> dict[str, Any]:  # noqa: F811
    """A problem."""
    made: dict[str, Any] = call(root, "post", "problems", {"title": "The disk fills up", **fields}, 201)
    return made


def over(name: str, item: str, offset: int, title: str, alerts: str = "Disk is full") -> None:
    """A situation about an item that was there an hour ago for some minutes, as analysis writes it."""
    began = milliseconds(timezone.now()) - 3_600_000 + offset
    one = alert(f"a{name}", name=alerts, item=item, situation=name, starts_ms=began, first_seen_ms=began,
                status=AlertStatus.RESOLVED, ends_ms=began + 60_000)  # fmt: skip
    s = situation(name, (f"a{name}",), title=title, opened_ms=began, updated_ms=began + 60_000,
                  state=SituationState.RESOLVED, resolved_ms=began + 60_000)  # fmt: skip
    AnalysisWriter().write({one.fingerprint: one}, {name: s}, offset=offset, now_ms=began + 60_000)


def look(now: dt.datetime) -> None:
    """As if the next quarter of an hour were over."""
    looking.later(now)
    OutboxRow.objects.filter(kind=looking.KIND).update(due_at=now, state="due")
    worker = OutboxWorker()
    assert worker.step()


def test_several_incidents_of_a_list_become_one_problem_and_more_join_it(root: Client) -> None:  # noqa: F811
    site = call(root, "post", "sites", {"name": "attic"}, 201)["id"]
    ids = [ticket(root, title=f"slow {n}", items=[site])["id"] for n in range(3)]
    call(root, "post", "tickets/make-problem", {"ids": ids[:2], "title": "All is slow"})
    [made] = call(root, "get", "problems")["results"]
    assert (made["title"], made["number"], sorted(made["incidents"]), made["items"]) == (
        "All is slow", f"PRB-{made['id']}", sorted(ids[:2]), [site],
    )  # fmt: skip
    call(root, "post", "tickets/make-problem", {"ids": ids[2:], "problem": made["id"]})
    [now] = call(root, "get", "problems")["results"]
    assert sorted(now["incidents"]) == sorted(ids)
    agent = person("dora", "IT operator")
    assert (
        agent.post("/api/tickets/make-problem/", {"ids": ids}, content_type="application/json").status_code
        == 403
    )


def test_situations_that_come_again_are_found_made_a_problem_or_stay_dismissed(root: Client) -> None:  # noqa: F811
    attic, cellar = (call(root, "post", "sites", {"name": n}, 201)["id"] for n in ("attic", "cellar"))
    for n in range(4):
        over(f"d{n}", attic, 10 * n + 1, f"Disk {n} is full in the attic")
    for n in range(3):
        over(f"w{n}", cellar, 10 * n + 101, "Water in the cellar", "Flooded")
    over("x", cellar, 201, "Lamp flickers", "LampFlickers")
    work()
    look(timezone.now())
    disk, water = call(root, "get", "recurring-situations")["results"]
    assert (disk["count"], sorted(disk["situations"])) == (4, ["d0", "d1", "d2", "d3"])
    assert disk["because"] == [
        "all 4 are about attic",
        "all 4 have the alert Disk is full",
        "all 4 say “attic”, “disk”, “full”",
    ]
    assert (water["count"], water["status"]) == (3, "open")
    call(root, "post", f"recurring-situations/{water['id']}/dismiss", {})
    done = call(root, "post", f"recurring-situations/{disk['id']}/make-problem", {})
    made = call(root, "get", f"problems/{done['problem']}")
    assert sorted(made["situations"]) == sorted(disk["situations"]) and made["items"] == [attic]
    assert "- all 4 are about attic" in made["description"]
    over("w9", cellar, 301, "Water in the cellar", "Flooded")
    work()
    look(timezone.now())
    after = {r["id"]: r for r in call(root, "get", "recurring-situations")["results"]}
    assert {(r["count"], r["status"]) for r in after.values()} == {(4, "taken"), (4, "dismissed")}
    assert len(after[water["id"]]["situations"]) == 4


names = st.frozensets(st.sampled_from(["db1", "db2", "sw1", "fw1"]), max_size=3)
features = st.builds(
    lambda title, items, alerts: (title, items, alerts),
    st.sampled_from(["Disk full", "Disk is full on db1", "Link down", ""]), names, names,
)  # fmt: skip


@given(st.lists(features, max_size=25))
def test_every_member_of_a_group_is_like_its_first_and_in_one_group_only(drawn: list[Any]) -> None:
    given = [Features(str(n), *one) for n, one in enumerate(drawn)]
    groups = recurrences(given)
    members = [m.key for g in groups for m in g.members]
    assert len(members) == len(set(members))
    for group in groups:
        assert len(group.members) >= rules.LEAST
        likenesses = [rules.likeness(group.first, m) for m in group.members]
        assert min(likenesses) == group.likeness >= rules.ALIKE
        assert group.because
    for a in given:
        for b in given:
            assert rules.likeness(a, b) == rules.likeness(b, a) <= 1.0


def test_more_situations_than_are_compared_are_bounded_and_found() -> None:
    many = [
        Features(str(n), f"Disk {n} full", frozenset({f"db{n % 400}"}), frozenset({"DiskFull"}))
        for n in range(4000)
    ]
    groups = recurrences(many)
    assert len(groups) == 400
    assert {len(g.members) for g in groups} == {5}


def test_a_workaround_is_offered_on_open_tickets_and_is_noted_when_it_is_used(root: Client) -> None:  # noqa: F811
    site = call(root, "post", "sites", {"name": "attic"}, 201)["id"]
    made = problem(root, items=[site])
    url = f"problems/{made['id']}"
    now = ticket(root, title="No space left", items=[site])
    offered = lambda: call(root, "get", f"tickets/{now['id']}/suggested")["workarounds"]  # noqa: E731
    assert offered() == []
    assert "known_error" in call(root, "post", f"{url}/know", {}, 400)["errors"]
    call(root, "post", f"{url}/know", {"known_error": "Logs are never cut.", "workaround": "Empty **/tmp**."})
    assert [(s["title"], s["because"]) for s in offered()] == [
        (f"{made['number']} The disk fills up", ["also about attic"])
    ]
    call(root, "post", f"{url}/use-workaround", {"ticket": now["id"]})
    [note] = call(root, "get", "ticket-messages")["results"]
    assert (note["sort"], note["body"]) == ("note", f"Workaround of {made['number']}:\n\nEmpty **/tmp**.")
    assert call(root, "get", url)["incidents"] == [now["id"]]
    act(root, now, "resolve", {"resolution": "emptied"})
    assert offered() == []
    call(root, "post", f"{url}/resolve", {"resolution": "Logs are cut each night."})
    call(root, "post", f"{url}/use-workaround", {"ticket": now["id"]}, 409)


def test_a_problem_is_not_closed_while_actions_are_open_without_a_reason(root: Client) -> None:  # noqa: F811
    made = problem(root)
    url = f"problems/{made['id']}"
    action = call(root, "post", "problem-actions", {"problem": made["id"], "what": "Buy a disk"}, 201)
    call(root, "post", f"{url}/close", {}, 409)
    call(root, "post", f"{url}/resolve", {"resolution": "It was emptied."})
    assert "1 of its actions" in call(root, "post", f"{url}/close", {}, 400)["errors"]["reason"][0]
    assert (
        call(root, "post", f"{url}/close", {"reason": "Next year's budget"})["left_open"]
        == "Next year's budget"
    )
    call(root, "post", f"{url}/reopen", {})
    call(root, "post", f"problem-actions/{action['id']}/done", {"outcome": "2 TB"})
    call(root, "post", f"{url}/resolve", {"resolution": "A larger disk."})
    assert call(root, "post", f"{url}/close", {})["status"] == "closed"
    call(root, "post", "problem-actions", {"problem": made["id"], "what": "Another"}, 409)
    call(root, "post", f"problem-actions/{action['id']}/undone", {}, 409)


def test_an_overdue_action_is_told_once_to_its_owner_or_the_problems(root: Client) -> None:  # noqa: F811
    for name in ("olga", "otto"):
        User.objects.create_user(name, "correct horse battery", is_administrator=True)
    made = problem(root, owner="otto")
    today = timezone.now().date()

    def plan(days: int, **f: Any) -> Any:
        due = str(today + dt.timedelta(days=days))
        return call(root, "post", "problem-actions", {"problem": made["id"], "due_on": due, **f}, 201)

    plan(-3, what="Buy a disk", owner="olga")
    plan(-3, what="Ask for money")
    plan(5, what="Not yet", owner="olga")
    done = plan(-4, what="Done in time", owner="olga")
    call(root, "post", f"problem-actions/{done['id']}/done", {})
    work()
    work()
    told = Notice.objects.order_by("user__username").values_list("user__username", "text")
    assert list(told) == [
        ("olga", f"Watchkeeper waits for {made['number']}: Buy a disk"),
        ("otto", f"Watchkeeper waits for {made['number']}: Ask for money"),
    ]
    states = {a["what"]: a["state"] for a in call(root, "get", "problem-actions")["results"]}
    assert states == {
        "Buy a disk": "overdue",
        "Ask for money": "overdue",
        "Not yet": "open",
        "Done in time": "done",
    }


def test_causes_have_evidence_and_explain_one_another_without_a_circle(root: Client) -> None:  # noqa: F811
    made, other = problem(root), problem(root, title="Other")

    def cause(what: str, **more: Any) -> Any:
        return call(root, "post", "problem-causes", {"problem": made["id"], "what": what, **more}, 201)

    full = cause("The disk was full")
    logs = cause("Logs were never cut", parent=full["id"])
    for wrong in ({"parent": logs["id"]}, {"parent": full["id"]}):
        assert "parent" in call(root, "patch", f"problem-causes/{full['id']}", wrong, 400)["errors"]
    elsewhere = {"problem": other["id"], "what": "x", "parent": full["id"]}
    assert "parent" in call(root, "post", "problem-causes", elsewhere, 400)["errors"]
    assert "text" in call(root, "post", "problem-evidence", {"cause": full["id"]}, 400)["errors"]
    call(root, "post", "problem-evidence", {"cause": full["id"], "query": "disk_free_bytes"}, 201)
    confirmed = call(root, "post", f"problem-causes/{full['id']}/confirm", {"why": "df said 100 %"})
    assert (confirmed["verdict"], confirmed["why"]) == ("confirmed", "df said 100 %")


def test_the_report_says_what_happened_and_can_be_had_as_three_sorts_of_file(root: Client) -> None:  # noqa: F811
    site = call(root, "post", "sites", {"name": "attic"}, 201)["id"]
    over("d1", site, 1, "Disk | full in the attic")
    incident = ticket(root, title="No space left", situation="d1", items=[site])
    act(root, incident, "resolve", {"resolution": "Emptied it."})
    call(
        root, "post", "notes", {"kind": "tickets", "record": str(incident["id"]), "text": "Called *Bob*"}, 201
    )
    made = problem(root, incidents=[incident["id"]])
    cause = call(root, "post", "problem-causes", {"problem": made["id"], "what": "Logs were never cut"}, 201)
    call(root, "post", f"problem-causes/{cause['id']}/confirm", {"why": "du"})
    call(root, "post", "problem-evidence", {"cause": cause["id"], "alert": "ad1"}, 201)
    call(root, "post", "problem-actions", {"problem": made["id"], "what": "Cut logs"}, 201)
    line = {
        "kind": "problems",
        "record": str(made["id"]),
        "text": "The provider called",
        "at": "2020-01-02T03:04:05Z",
    }
    call(root, "post", "timeline-lines", line, 201)
    happened = call(root, "get", f"problems/{made['id']}/happened")
    assert [h["at"] for h in happened] == sorted(h["at"] for h in happened)
    said = [h["text"] for h in happened]
    assert said[0] == "The provider called"
    for text in ("Disk is full at attic began", "Disk is full at attic ended", "Called *Bob*"):
        assert text in said
    assert any(t.startswith("Resolved ticket") and t.endswith("new → resolved") for t in said), said
    report = call(root, "post", f"problems/{made['id']}/write-report", {})["report"]
    body = call(root, "get", f"post-incident-reports/{report}")["body"]
    for part in ("## Impact", "1 alert; the worst was error", "Affected: attic",
                 "| 2020-01-02 03:04:05 | The provider called |",
                 "- Confirmed: **Logs were never cut**: du", "Evidence: Disk is full", "| Cut logs | – | – | open |",
                 "Emptied it."):  # fmt: skip
        assert part in body, (part, body)
    call(root, "patch", f"post-incident-reports/{report}", {"body": f"{body}\nWe <script>learn</script>."})
    files = {
        form: root.get(f"/api/post-incident-reports/{report}/file.{form}") for form in ("md", "html", "pdf")
    }
    assert {f: a.headers["Content-Type"].partition(";")[0] for f, a in files.items()} == {
        "md": "text/markdown", "html": "text/html", "pdf": "application/pdf",
    }  # fmt: skip
    assert "&lt;script&gt;learn" in files["html"].content.decode()
    printed = " ".join(p.extract_text() for p in PdfReader(io.BytesIO(files["pdf"].content)).pages)
    assert "Logs were never cut" in printed and "The provider called" in printed
    assert root.get(f"/api/post-incident-reports/{report}/file.exe").status_code == 404
    call(root, "post", f"post-incident-reports/{report}/write-anew", {})
    assert call(root, "get", f"post-incident-reports/{report}")["version"] == 3
    rita = person("rita", "requester")
    for url in (
        f"post-incident-reports/{report}/file.pdf",
        f"problems/{made['id']}/happened/",
        f"tickets/{incident['id']}/suggested/",
    ):
        assert rita.get(f"/api/{url}").status_code in (403, 404)


def test_reports_and_lines_go_with_what_they_are_about(root: Client) -> None:  # noqa: F811
    made = ticket(root)
    on = {"kind": "tickets", "record": str(made["id"])}
    call(root, "post", "timeline-lines", {**on, "text": "called"}, 201)
    call(root, "post", "post-incident-reports", on, 201)
    call(root, "delete", f"tickets/{made['id']}", status=204)
    for path in ("timeline-lines", "post-incident-reports", "report-versions"):
        assert call(root, "get", path)["count"] == 0, path
