"""The pages of problems, articles, reports and runbooks hold what they should, without a browser."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from tests.domains.test_desk import act, call, root, ticket  # noqa: F401  (root is a fixture)
from tests.domains.test_knowledge import article
from tests.domains.test_problems import over, problem
from tests.domains.test_runbooks import SLOW, book
from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.identity.models import User


def person() -> Client:
    """An administrator who has signed in."""
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    return client


def page(client: Client, url: str, *parts: str) -> str:
    """The text of a page, which holds these parts."""
    answer = client.get(url, follow=True)
    text: str = answer.content.decode()
    assert answer.status_code == 200, (url, text)
    for part in parts:
        assert part in text, (part, text)
    return text


def test_a_ticket_shows_what_may_help_and_what_it_belongs_to(root: Client) -> None:  # noqa: F811
    ann = person()
    site = call(root, "post", "sites", {"name": "attic"}, 201)["id"]
    over("s1", site, 1, "Flamingo printer stuck")
    old, now = (
        ticket(root, title="flamingo printer stuck", items=[site], **f) for f in ({}, {"situation": "s1"})
    )
    act(root, old, "resolve", {"resolution": "Changed its drum."})
    article(root, "Flamingo stuck?", items=[site])
    made = problem(root, items=[site], situations=["s1"])
    call(root, "post", f"problems/{made['id']}/know", {"known_error": "worn", "workaround": "Print slowly."})
    steps = book(root, *SLOW, name="Flamingo stuck")
    call(root, "post", f"runbooks/{steps['id']}/use", {})
    url = f"/tickets/{now['id']}/"
    page(ann, url, f'hx-get="{url}suggested/"', "What happened", "Go through “Flamingo stuck”", "Add a line")
    helps = page(ann, f"{url}suggested/", "A workaround is known", "Print slowly.", "Flamingo stuck?", "Changed its drum.",
                 "Runbooks that may help", "also about attic")  # fmt: skip
    assert helps.count("<form") == 2
    ann.post(f"/problems/{made['id']}/do/use-workaround/", {"ticket": now["id"]})
    page(ann, url, "Workaround of PRB-", f"/problems/{made['id']}/")
    ann.post(f"{url}happened/", {"text": "The vendor called", "at": "2020-01-02T03:04"})
    page(ann, url, "The vendor called")
    assert ann.post(f"{url}happened/", {"text": "x", "at": "then"}).status_code == 400
    page(ann, "/situations/s1/", "All that happened", "situations/s1/suggested/", "PRB-")
    page(ann, "/situations/s1/suggested/")


def test_a_problem_shows_its_causes_and_a_report_its_files(root: Client) -> None:  # noqa: F811
    ann = person()
    made = problem(root, description="*again*")
    cause = call(root, "post", "problem-causes", {"problem": made["id"], "what": "Disk full"}, 201)
    call(
        root,
        "post",
        "problem-causes",
        {"problem": made["id"], "what": "Never cut", "parent": cause["id"]},
        201,
    )
    call(root, "post", "problem-evidence", {"cause": cause["id"], "text": "df", "against": True}, 201)
    page(
        ann,
        f"/problems/{made['id']}/",
        "<em>again</em>",
        "Disk full",
        "Never cut",
        "because",
        "against",
        "Why?…",
    )
    page(ann, f"/problem-causes/{cause['id']}/", "Add evidence…", "Why is that?…", ">df</a>")
    assert ">df</a>" in page(ann, "/problem-evidence/")
    page(ann, f"/problem-evidence/new/?cause={cause['id']}", "A metric")
    answer = ann.post(f"/problems/{made['id']}/do/write-report/", {}, follow=True)
    report = answer.redirect_chain[-1][0]
    assert "What went well" in answer.content.decode()
    for form, begins in (
        ("pdf", b"%PDF"),
        ("html", b"<!doctype html>"),
        ("md", b"# Post-incident report: PRB-"),
    ):
        assert ann.get(f"{report}file.{form}").content.startswith(begins)
    assert ann.get(f"{report}file.exe").status_code == 404
    version = call(root, "get", f"{report.removeprefix('/').rstrip('/')}/report-versions")["results"][0]["id"]
    page(ann, f"/report-versions/{version}/", "The first version", "wk-difference")


def test_what_people_did_with_a_problem_is_said_in_english(root: Client) -> None:  # noqa: F811
    ann, made = person(), problem(root)
    url = f"/problems/{made['id']}/"
    call(root, "post", f"{url[1:]}investigate", {})
    call(root, "post", f"{url[1:]}know", {"known_error": "worn"})
    page(ann, url, "began to investigate", "named the known error of")
    call(root, "post", f"{url[1:]}write-report", {})
    report = call(root, "get", "post-incident-reports")["results"][0]
    assert "Named the known error of problem" in report["body"]
    page(ann, f"/post-incident-reports/{report['id']}/", "Post-incident reports</a>")


def test_what_belongs_to_a_record_is_made_from_its_page(root: Client) -> None:  # noqa: F811
    ann, made = person(), problem(root)
    new = f"/problem-actions/new/?problem={made['id']}"
    page(ann, f"/problems/{made['id']}/", new, "New problem action…")
    call(root, "post", "problem-actions", {"problem": made["id"], "what": "Change the drum"}, 201)
    shown = page(ann, f"/problems/{made['id']}/?tab=problem-actions", "Change the drum")
    assert "<th>Problem</th>" not in shown and ">Problem</th>" not in shown, "it is the page's own"
    assert "New problem action…" not in page(_reader(), f"/problems/{made['id']}/")


def _reader() -> Client:
    """Somebody who may only read."""
    client = Client()
    user = User.objects.create_user("rea", "correct horse battery")
    Grant.objects.create(
        user=user, role=Role.objects.get(name="external auditor"), reason="looks", valid_from=timezone.now()
    )
    client.force_login(user)
    return client


def test_an_article_of_a_ticket_is_edited_and_its_versions_are_compared(root: Client) -> None:  # noqa: F811
    ann, made = person(), ticket(root, title="It is slow")
    act(root, made, "resolve", {"resolution": "Moved the *backup*."})
    answer = ann.post(f"/tickets/{made['id']}/do/write-article/", {}, follow=True)
    edit = answer.redirect_chain[-1][0]
    assert "Who keeps it true" in answer.content.decode()
    pk = edit.split("/")[2]
    call(root, "patch", f"articles/{pk}", {"body": "Move the backup."})
    page(ann, f"/articles/{pk}/", "Move the backup.", "Publish")
    version = call(root, "get", f"articles/{pk}/article-versions")["results"][0]["id"]
    page(ann, f"/article-versions/{version}/", "Compared with", "wk-added", "Let it say this again")


def test_a_runbook_shows_its_steps_and_a_run_its_answers(root: Client) -> None:  # noqa: F811
    ann, steps = person(), book(root, *SLOW[:1])
    page(ann, f"/runbooks/{steps['id']}/", "leads to step 2, which there is not", "Add a step…", "number=2")
    page(
        ann,
        f"/runbook-steps/new/?runbook={steps['id']}&number=2",
        "What is carried out",
        "Job: ",
        "Goes to step",
    )
    typed: dict[str, Any] = {"runbook": steps["id"], "number": 7, "sort": "question", "text": "Well?",
                             "answers__answer": ["a", "b"], "answers__step": ["8", "9"]}  # fmt: skip
    ann.post("/runbook-steps/new/", typed)
    made = call(root, "get", f"runbooks/{steps['id']}/runbook-steps")["results"][-1]
    assert made["answers"] == [{"answer": "a", "step": 8}, {"answer": "b", "step": 9}]
    whole, on = book(root, *SLOW, name="Whole"), ticket(root)
    call(root, "post", f"runbooks/{whole['id']}/use", {})
    answer = ann.post(f"/runbooks/{whole['id']}/do/run/", {"ticket": on["id"]}, follow=True)
    run = answer.redirect_chain[-1][0]
    assert 'name="answer" value="yes"' in answer.content.decode()
    ann.post(f"{run}do/go-on/", {"answer": "no"})
    page(ann, run, "Ticket: Start work", "Carry it out", "What was done")
    ann.post(f"{run}do/carry-out/", {})
    page(ann, run, "Start work: done", "has to approve it")
    page(ann, f"/tickets/{on['id']}/", "at step 4")
