"""Event rules: what is done to a record is told once, by rule, signed; not in circles, not too often, and not lost."""

from __future__ import annotations

import html
import ipaddress
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework import serializers
from standardwebhooks import Webhook

from tests.domains.analysis_structs import NOW, alert, situation
from tests.kernel.kind_checks import KindChecks, problem
from tests.kernel.receivers import Got, webhook_receiver
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Policy, Team
from watchkeeper.domains.automation.conditions import LENGTH, TOO_MUCH, evaluator
from watchkeeper.domains.automation.models import EventRule, Firing
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.outgoing.webhooks import new_secret
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.models import AuditEntry, Delivery, OutboxRow
from watchkeeper.kernel.outbox import OutboxWorker
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.verdicts import AlertStatus, Severity, SituationState

JSON = "application/json"
LOCAL = ipaddress.ip_network("127.0.0.0/8")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """A webhook receiver on this machine, which this test allows."""
    settings.OUTBOUND_ALLOW = [LOCAL]
    with webhook_receiver() as got:
        yield got


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return Client(headers={"authorization": "Bearer " + identity.create_token("root")})


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    """What a call with a body answers."""
    answer = getattr(client, method)(url, json.dumps(body), content_type=JSON, headers=headers)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def rule(client: Client, url: str, **fields: Any) -> dict[str, Any]:
    """A rule about teams, made through REST."""
    body = {"name": "teams", "kinds": ["teams"], "address": f"{url}/hook", **fields}
    made: dict[str, Any] = call(client, "post", "/api/event-rules/", body, 201)
    return made


def work() -> None:
    """Carry out everything that is due."""
    worker = OutboxWorker()
    while worker.step():
        pass


def told(got: Got) -> list[str]:
    """What was sent, in order."""
    return [json.loads(body)["type"] for _, _, body in got.requests]


def test_what_is_done_is_told_once_and_signed(root: Client, receiver: Got) -> None:
    secret = rule(root, receiver.url)["secret"]
    team = call(root, "post", "/api/teams/", {"name": "network"}, 201)
    call(root, "patch", f"/api/teams/{team['id']}/", {"name": "networks"})
    call(root, "delete", f"/api/teams/{team['id']}/", status=204)
    work()
    OutboxRow.objects.filter(kind="event").update(state="due")
    work()
    assert told(receiver) == ["team.create", "team.change", "team.remove"]
    for _, headers, body in receiver.requests:
        data = Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()})["data"]
        assert (data["kind"], data["key"], data["actor"]["name"]) == ("teams", str(team["id"]), "root")
    changed = json.loads(receiver.requests[1][2])["data"]
    assert (changed["before"], changed["after"]) == ({"name": "network"}, {"name": "networks"})
    assert [f["outcome"] for f in root.get("/api/firings/").json()["results"]] == ["done"] * 3


@pytest.mark.django_db
def test_alerts_and_situations_are_events_and_a_replay_adds_none(root: Client, receiver: Got) -> None:
    rule(
        root,
        receiver.url,
        kinds=["situations", "alerts"],
        condition="record.severity in ['error', 'critical']",
    )
    writer = AnalysisWriter()
    acted = Act(id="act1", kind=ActKind.ACKNOWLEDGE, target="s", actor="ann", time_ms=NOW)
    ended = {"severity": Severity.ERROR, "state": SituationState.RESOLVED, "resolved_ms": NOW + 9}
    steps: list[tuple[Any, Any, tuple[Act, ...]]] = [
        ({"severity": Severity.WARNING}, {}, ()),
        ({"severity": Severity.ERROR}, {}, ()),
        ({"severity": Severity.ERROR, "state": SituationState.ACKNOWLEDGED}, {}, (acted,)),
        (ended, {"status": AlertStatus.RESOLVED}, ()),
    ]
    for n, (changed, of_alert, acts) in enumerate(steps, 1):
        s = situation("s", ("a",), updated_ms=NOW + n, **changed)
        for _ in range(2):
            writer.write(
                {"a": alert("a", situation="s", **of_alert)}, {"s": s}, acts=acts, offset=n, now_ms=NOW
            )
            writer = AnalysisWriter()
        work()
    assert sorted(told(receiver)) == [
        "alert.fire", "alert.resolve", "situation.acknowledge", "situation.escalate", "situation.resolve",
    ]  # fmt: skip
    by = {json.loads(b)["type"]: json.loads(b)["data"]["actor"]["name"] for _, _, b in receiver.requests}
    assert (by["situation.acknowledge"], by["situation.escalate"]) == ("ann", "watchkeeper")


class TestEventRules(KindChecks):
    path = "event-rules"
    invalid = {"kinds": ["colours"], "acts": ["paint"], "condition": "record.name = 1", "address": "nowhere",
               "per_minute": 0, "does": "sing"}  # fmt: skip
    changes = {"condition": "record.name != ''", "acts": ["change"], "per_minute": 5}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"rule {n}", "kinds": ["teams"], "address": "https://hooks.example.org/x"}


def test_a_condition_is_checked_when_it_is_saved(root: Client) -> None:
    """With the place of the error."""
    wrong = {
        "record.name = 'a'": "line 1, column 13",
        "record.name == 'a' &&\n  (": "line 2, column 4",
        "'foo' == record.name || foo.name == ''": "line 1, column 25: 'foo' is not known",
        "record.name.upper() == 'A'": "line 1, column 13: there is no function 'upper'",
        "(" * 900 + "true" + ")" * 900: "",
        "x" * (LENGTH + 1): f"{LENGTH} are allowed",
    }
    for text, place in wrong.items():
        with pytest.raises(Invalid) as refused:
            evaluator.check(text)
        assert place in str(refused.value), text
    evaluator.check("record.tags.exists(t, t.startsWith('a')) && has(before.name) && timestamp(event.at) > "
                    "timestamp('2026-01-01T00:00:00Z')")  # fmt: skip
    body = {
        "name": "x",
        "kinds": ["teams"],
        "address": "https://a.example/",
        "condition": "record.name = 'a'",
    }
    answer = call(root, "post", "/api/event-rules/", body, 400)
    assert "line 1, column 13" in answer["errors"]["condition"][0]


def test_a_condition_has_a_bound() -> None:
    """Of processor time and memory; the next one is not harmed, nor is one after a crash."""
    many = {"record": {"list": list(range(3000)), "name": "a"}}
    slow = "record.list.all(a, record.list.all(b, a + b >= 0))"
    large = "record.list.map(a, record.list.map(b, [a, b, a, b])).size() > 0"
    assert evaluator.ask(["record.name == 'a'", slow, "record.name == 'b'", large, "true"], many) == [
        True, TOO_MUCH, False, TOO_MUCH, True,
    ]  # fmt: skip
    assert evaluator._program is not None
    evaluator._program.kill()
    assert evaluator.ask(["record.name == 'a'"], many) == [True]
    [said] = evaluator.ask(["true"], {"record": {"name": "a" * 300_000}})
    assert said == "the event is larger than 256 KiB"


def test_what_a_condition_cannot_tell_is_not_true() -> None:
    event = {"record": {"name": "a", "n": 1}, "before": {}, "after": {}, "event": {}, "actor": {}}
    assert evaluator.ask(["record.colour == 'red'", "has(record.colour)", "record.n + record.name == 1",
                          "record.name", "before.name == 'a' || record.n == 1", "1 / 0 == 1"], event) == [
        "there is no 'colour' here; has(…) asks whether there is",
        False,
        "No such overload: the operation is not defined for the given operand types",
        "it gives 'a', which is neither true nor false",
        True,
        "division by zero in CEL expression",
    ]  # fmt: skip


def test_a_rule_is_tried_before_it_is_saved(root: Client, receiver: Got) -> None:
    for name in ("alpha", "beta", "gamma", "delta"):
        call(root, "post", "/api/teams/", {"name": name}, 201)
    body = {"kinds": ["teams"], "acts": ["create"], "condition": "record.name.endsWith('eta')"}
    tried = call(root, "post", "/api/event-rules/try/", body)
    assert (tried["looked_at"], tried["matched"], tried["undecided"]) == (4, 1, 0)
    assert tried["examples"][0]["name"] == "beta"
    tried = call(root, "post", "/api/event-rules/try/", {**body, "condition": "record.colour == 'red'"})
    assert (tried["matched"], tried["undecided"], tried["reasons"][0]["events"]) == (0, 4, 4)
    wrong = call(root, "post", "/api/event-rules/try/", {**body, "condition": "record.name ="}, 400)
    assert "line 1" in wrong["errors"]["condition"]
    assert call(root, "post", "/api/event-rules/try/", {"kinds": ["colours"]}, 400)["errors"].keys() == {
        "kinds"
    }
    assert not Firing.objects.exists() and not receiver.requests


def test_a_receiver_that_was_away_gets_all(root: Client, receiver: Got) -> None:
    rule(root, receiver.url)
    receiver.answer = lambda: 503
    for n in range(5):
        call(root, "post", "/api/teams/", {"name": f"team {n}"}, 201)
    work()
    assert EventRule.objects.get().failing_since is not None
    receiver.answer = lambda: 204
    OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    work()
    ids = [h["webhook-id"] for _, h, _ in receiver.requests]
    assert (len(ids), len(set(ids))) == (10, 5)
    assert set(Firing.objects.values_list("outcome", "attempts")) == {("done", 2)}
    assert EventRule.objects.get().failing_since is None
    assert Delivery.objects.filter(row__kind="rule").count() == 10


def test_what_was_done_is_replayed(root: Client, receiver: Got) -> None:
    """One firing, or those of a time; under the id that they had."""
    made = rule(root, receiver.url)
    for n in range(3):
        call(root, "post", "/api/teams/", {"name": f"team {n}"}, 201)
    work()
    newest = root.get("/api/firings/").json()["results"][0]
    call(root, "post", f"/api/firings/{newest['id']}/replay/", {})
    work()
    assert receiver.requests[3][1]["webhook-id"] == newest["message"] == receiver.requests[2][1]["webhook-id"]
    begin = (timezone.now() - timedelta(hours=1)).isoformat()
    url = f"/api/event-rules/{made['id']}/replay/"
    assert call(root, "post", url, {"begin": begin})["replayed"] == 0
    assert call(root, "post", url, {"begin": begin, "only_missed": False})["replayed"] == 3
    work()
    assert len(receiver.requests) == 7
    assert len({h["webhook-id"] for _, h, _ in receiver.requests}) == 3
    call(root, "post", url, {"begin": begin, "end": begin}, 400)


def test_a_rule_that_fails_for_long_is_switched_off_with_an_alarm(root: Client, receiver: Got) -> None:
    User.objects.create_user("ada", is_administrator=True)
    rule(root, receiver.url)
    receiver.answer = lambda: 500
    call(root, "post", "/api/teams/", {"name": "a"}, 201)
    work()
    EventRule.objects.update(failing_since=timezone.now() - timedelta(days=3, minutes=1))
    OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    work()
    off = EventRule.objects.get()
    assert not off.enabled and "nothing was delivered since" in off.switched_off_because
    assert AuditEntry.objects.get(act="event-rule.switch-off").after["enabled"] is False
    assert "was switched off" in Notice.objects.get(user__username="ada").text
    call(root, "post", "/api/teams/", {"name": "b"}, 201)
    assert OutboxRow.objects.filter(kind="event", state="due").count() == 0
    receiver.answer = lambda: 204
    call(root, "patch", f"/api/event-rules/{off.pk}/", {"enabled": True})
    OutboxRow.objects.filter(state="due").update(due_at=timezone.now())
    work()
    assert Firing.objects.get().outcome == "done"
    receiver.answer = lambda: 410
    call(root, "post", "/api/teams/", {"name": "c"}, 201)
    work()
    assert not EventRule.objects.get().enabled


def test_a_rule_has_a_rate(root: Client, receiver: Got) -> None:
    """What is more is held back, said, and can be replayed."""
    made = rule(root, receiver.url, per_minute=2)
    for n in range(4):
        call(root, "post", "/api/teams/", {"name": f"team {n}"}, 201)
    work()
    assert len(receiver.requests) == 2
    held = root.get("/api/firings/", {"outcome": "held_back"}).json()["results"]
    assert [f["answer"] for f in held] == ["more than 2 a minute"] * 2
    begin = (timezone.now() - timedelta(hours=1)).isoformat()
    call(root, "post", f"/api/event-rules/{made['id']}/replay/", {"begin": begin})
    work()
    assert len({h["webhook-id"] for _, h, _ in receiver.requests}) == len(receiver.requests) == 4


def test_a_loop_is_cut_and_said(root: Client, receiver: Got) -> None:
    """Where the receiver gives the message's id as that of its request, at once; else after some rounds."""
    made = rule(root, receiver.url, acts=["change"])
    team = f"/api/teams/{call(root, 'post', '/api/teams/', {'name': 'a'}, 201)['id']}/"
    call(root, "patch", team, {"name": "b"})
    work()
    message = receiver.requests[0][1]["webhook-id"]
    call(root, "patch", team, {"name": "c"}, **{"X-Request-Id": message})
    work()
    assert len(receiver.requests) == 1
    cut = Firing.objects.get(outcome="loop")
    assert cut.answer == "this rule has itself caused the event"
    assert cut.caused_by is not None and cut.caused_by.message == message
    for n in range(12):
        call(root, "patch", team, {"name": f"round {n}"})
        work()
    assert len(receiver.requests) < 12
    assert "within a minute" in Firing.objects.filter(rule=made["id"]).latest("id").answer


def test_what_many_acts_do_is_told_as_well(root: Client, receiver: Got) -> None:
    """Of lists, and of states that are moved through; a rule about items hears of devices."""
    rule(root, receiver.url, kinds=["items", "teams"])
    made = call(root, "post", "/api/teams/", [{"name": f"team {n}"} for n in range(3)], 201)
    assert OutboxRow.objects.filter(kind="event").count() == 1
    call(root, "delete", "/api/teams/", [m["id"] for m in made], status=204)
    device = call(root, "post", "/api/devices/", {"name": "sw1", "status": "staged"}, 201)
    call(root, "post", f"/api/devices/{device['id']}/activate/", {})
    work()
    assert sorted(told(receiver)) == [
        "device.activate", "device.create", *["team.create"] * 3, *["team.remove"] * 3,
    ]  # fmt: skip
    [moved] = [json.loads(b)["data"] for _, _, b in receiver.requests if b"device.activate" in b]
    assert (moved["before"], moved["after"], moved["record"]["status"]) == (
        {"status": "staged"}, {"status": "active"}, "active",
    )  # fmt: skip


def test_an_act_that_fails_is_no_event(root: Client, receiver: Got) -> None:
    rule(root, receiver.url)
    call(root, "post", "/api/teams/", [{"name": "a"}, {"name": "b"}, {"colour": "red"}], 400)
    work()
    assert not OutboxRow.objects.filter(kind="event").exists() and not receiver.requests


def test_whoever_may_not_read_all_of_a_kind_makes_no_rule_about_it(root: Client) -> None:
    engineer = User.objects.create_user("eva")
    roles = {r["name"]: r["id"] for r in root.get("/api/roles/", {"limit": 100}).json()["results"]}
    grant = {"role": roles["operations engineer"], "user": engineer.pk, "reason": "test"}
    call(root, "post", "/api/grants/", grant, 201)
    client = Client()
    client.force_login(engineer)
    body = {"name": "x", "address": "https://hooks.example.org/", "kinds": ["devices"]}
    call(client, "post", "/api/event-rules/", body, 201)
    answer = client.post(
        "/api/event-rules/", json.dumps({**body, "name": "y", "kinds": ["policies"]}), content_type=JSON
    )
    assert "may not read" in problem(answer, 403)["detail"]
    problem(client.post("/api/event-rules/try/", '{"kinds": ["policies"]}', content_type=JSON), 403)


def test_a_rule_notifies_people(root: Client) -> None:
    ann, bob = (User.objects.create_user(name, is_administrator=True) for name in ("ann", "bob"))
    team = Team.objects.create(name="on call")
    team.members.add(bob)
    people = {"notify_users": [ann.pk], "notify_teams": [team.pk]}
    made = rule(root, "", kinds=["devices"], does="notify", **{**people, "address": ""})
    assert "secret" not in made
    device = call(root, "post", "/api/devices/", {"name": "sw1", "status": "staged"}, 201)
    work()
    told = Notice.objects.order_by("user__username").values_list("user__username", "text", "record")
    assert list(told) == [(n, "root made device sw1", device["id"]) for n in ("ann", "bob")]


class LabelFields(serializers.Serializer[Any]):
    asset_tag = serializers.CharField()
    event = serializers.DictField()


@jobs.job("label-device", "Label a device", fields=LabelFields, needs=("change", "devices"))
def label_device(run: jobs.Run) -> str:
    """Gives the device that the event is about an asset tag."""

    def label() -> str:
        device = registry["devices"].queryset().get(pk=run.arguments["event"]["key"])
        given = serializer_of(registry["devices"])(
            device, data={"asset_tag": run.arguments["asset_tag"]}, partial=True
        )
        given.is_valid(raise_exception=True)
        doing.change(registry["devices"], run.actor, device, given)
        return str(device.pk)

    found: str = run.step("label", label)
    return found


@jobs.job("count-devices", "Count the devices", needs=("read", "devices"))
def count_devices(run: jobs.Run) -> int:
    """How many there are."""
    found: int = run.step("count", registry["devices"].queryset().count)
    return found


def running(name: str, **fields: Any) -> dict[str, Any]:
    """A rule about devices that runs a job."""
    return {"name": name, "kinds": ["devices"], "does": "run", "job": name, **fields}


def carried_out(pk: str) -> Job:
    """The job, carried out as far as its rule has started it."""
    [(claimed, attempt)] = jobs.claim("here")
    assert claimed == pk
    jobs.carry_out(pk, attempt, lambda _, do, __: do())
    return Job.objects.get(pk=pk)


def test_a_rule_runs_a_job_once_and_what_that_does_is_known_as_its_effect(root: Client) -> None:
    """The job has the id of the rule's message; a replay begins it anew when it has failed."""
    call(root, "post", "/api/event-rules/", running("label-device", arguments={"asset_tag": "A-1"}), 201)
    device = call(root, "post", "/api/devices/", {"name": "sw1", "status": "staged"}, 201)
    work()
    firing = Firing.objects.get()
    job = Job.objects.get()
    assert (firing.outcome, firing.message) == ("done", job.pk)
    assert (job.actor, job.scope, job.request_id) == ("event rule label-device", Scope.WRITE, firing.message)
    assert (job.arguments["asset_tag"], job.arguments["event"]["key"]) == ("A-1", device["id"])
    client = Client()
    client.force_login(User.objects.create_user("ann", is_administrator=True))
    assert f'href="/jobs/{job.pk}/"' in client.get(f"/firings/{firing.pk}/").content.decode()
    assert carried_out(job.pk).state == "done"
    assert root.get(f"/api/devices/{device['id']}/").json()["asset_tag"] == "A-1"
    work()
    cut = Firing.objects.get(act="change")
    assert (cut.outcome, cut.answer) == ("loop", "this rule has itself caused the event")
    for state, then in (("done", ("done", 1)), ("failed", ("waiting", 2))):
        Job.objects.update(state=state)
        call(root, "post", f"/api/firings/{firing.pk}/replay/", {})
        work()
        job = Job.objects.get()
        assert (job.state, job.attempt) == then


def test_a_job_that_takes_no_event_is_given_none(root: Client) -> None:
    call(root, "post", "/api/event-rules/", running("count-devices"), 201)
    call(root, "post", "/api/devices/", {"name": "sw1", "status": "staged"}, 201)
    work()
    assert Job.objects.get().arguments == {} and Firing.objects.get().outcome == "done"


def test_a_job_that_cannot_be_started_is_refused_when_the_rule_is_saved(root: Client) -> None:
    """One that there is not, that no rule has the rights for, or that does not take these arguments."""
    for field, said, body in (
        ("job", "there is no job 'x'", running("x")),
        ("job", "a rule may not start 'audit-verify', which needs to read audit", running("audit-verify")),
        ("job", "'forget' does not say what one has to be allowed", running("forget")),
        ("arguments", "takes no 'colour'", running("count-devices", arguments={"colour": "red"})),
        ("arguments", "asset_tag: This field is required.", running("label-device")),
    ):
        answer = root.post("/api/event-rules/", json.dumps(body), content_type=JSON)
        assert said in problem(answer, 400)["errors"][field]
    made = call(root, "post", "/api/event-rules/", running("count-devices"), 201)
    answer = root.patch(f"/api/event-rules/{made['id']}/", '{"job": "x"}', content_type=JSON)
    assert "there is no job" in problem(answer, 400)["errors"]["job"]
    assert EventRule.objects.get().job == "count-devices"


def test_nobody_runs_by_a_rule_what_they_may_not_run_themselves(root: Client) -> None:
    """Not what they may do with some records only, either, and not by changing another's rule."""
    Policy.objects.create(
        name="house rule",
        text='permit (principal in Role::"IT operator", action, resource == Kind::"event-rules");',
    )
    ann = Client()
    ann.force_login(User.objects.create_user("ann"))
    body = running("label-device", arguments={"asset_tag": "A-1"})
    answer = ann.post("/api/event-rules/", json.dumps(body), content_type=JSON)
    assert "you may not start 'label-device'" in problem(answer, 400)["errors"]["job"]
    typed = {"arguments__name": "asset_tag", "arguments__value": "A-1", "per_minute": "60"}
    page = ann.post("/event-rules/new/", {**body, **typed})
    assert page.status_code == 400 and "you may not start" in html.unescape(page.content.decode())
    theirs = call(root, "post", "/api/event-rules/", body, 201)
    mine = call(
        ann,
        "post",
        "/api/event-rules/",
        {**body, "name": "mine", "job": "count-devices", "arguments": {}},
        201,
    )
    for key, change in (
        (theirs["id"], {"arguments": {"asset_tag": "B-2"}}),
        (mine["id"], {"job": "label-device"}),
    ):
        answer = ann.patch(f"/api/event-rules/{key}/", json.dumps(change), content_type=JSON)
        problem(answer, 400)
    some = 'permit (principal in Role::"IT operator", action, resource == Kind::"devices") when { resource.name == "sw1" };'
    Policy.objects.create(name="some devices", text=some)
    answer = ann.post("/api/event-rules/", json.dumps({**body, "name": "again"}), content_type=JSON)
    assert "some of them only" in problem(answer, 400)["errors"]["job"]
    assert set(EventRule.objects.values_list("job", "arguments__asset_tag")) == {
        ("label-device", "A-1"),
        ("count-devices", None),
    }


def test_a_rule_from_before_starts_no_job_that_says_not_what_it_needs(root: Client) -> None:
    call(root, "post", "/api/event-rules/", running("count-devices"), 201)
    EventRule.objects.update(job="forget")
    call(root, "post", "/api/devices/", {"name": "sw1", "status": "staged"}, 201)
    work()
    assert not Job.objects.exists() and "does not say" in Firing.objects.get().answer


def test_a_test_is_sent_like_any_other(root: Client, receiver: Got) -> None:
    made = rule(root, receiver.url)
    call(root, "post", f"/api/event-rules/{made['id']}/test/", {})
    work()
    assert told(receiver) == ["team.test"]
    assert Firing.objects.get().outcome == "done"


def test_where_nobody_wants_to_hear_an_act_costs_one_query(root: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        call(root, "post", "/api/teams/", [{"name": f"team {n}"} for n in range(100)], 201)
    asked = [q["sql"] for q in captured if "automation_" in q["sql"] or "inbox_" in q["sql"]]
    assert len(asked) == 2  # of rules and of subscriptions, once for all hundred
    assert not OutboxRow.objects.filter(kind="event").exists()


def test_the_receivers_code_in_the_documentation_verifies(root: Client, receiver: Got) -> None:
    """As it is in docs/how-to/event-rules.md; and refuses what was altered, is old, or is signed by another."""
    page = (Path(__file__).parents[2] / "docs/how-to/event-rules.md").read_text()
    scope: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], scope)
    secret = rule(root, receiver.url)["secret"]
    call(root, "post", "/api/teams/", {"name": "a"}, 201)
    work()
    _, headers, body = receiver.requests[0]
    scope["verify"](secret, headers, body)
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    for wrong in ((secret, headers, body + b" "), (secret, late, body), (new_secret(), headers, body),
                  (secret, {**headers, "webhook-id": "msg_other"}, body)):  # fmt: skip
        with pytest.raises(ValueError):
            scope["verify"](*wrong)


def test_what_is_old_is_forgotten(root: Client, receiver: Got) -> None:
    rule(root, receiver.url)
    for name in ("old", "new"):
        call(root, "post", "/api/teams/", {"name": name}, 201)
    work()
    then = timezone.now() - timedelta(days=91)
    Firing.objects.filter(name="old").update(at=then)
    old = Firing.objects.get(name="old")
    OutboxRow.objects.filter(pk__in=[old.effect, old.event]).update(created_at=then)
    OutboxRow.objects.filter(kind="forget").update(state="due", due_at=timezone.now())
    work()
    assert Firing.objects.get().name == "new"
    assert (
        OutboxRow.objects.filter(kind="rule").count() == OutboxRow.objects.filter(kind="event").count() == 1
    )
