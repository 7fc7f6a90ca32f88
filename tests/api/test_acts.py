"""What people do to alerts and situations: through REST into the journal, through analysis into the records."""

from __future__ import annotations

from typing import Any

from tests.api.platform_parts import Web
from tests.domains.analysis_structs import NOW, alert, situation
from tests.support import eventually
from watchkeeper.domains.situations.models import AppliedAct
from watchkeeper.kernel.models import AuditEntry


def an_alert(name: str, **labels: str) -> dict[str, Any]:
    """As Prometheus posts it."""
    return {"labels": {"alertname": name, "instance": "db-1:9100", "severity": "critical", **labels}}


def situation_of(web: Web, *names: str) -> dict[str, Any]:
    """The situation of these alerts, once there is one."""
    web.tell(*(an_alert(n) for n in names))

    def found() -> Any:
        listed = web.call("GET", "/api/situations/").json["results"]
        return next((s for s in listed if s["alert_count"] >= len(names)), None)

    made: dict[str, Any] = eventually(found)
    return made


def after(web: Web, url: str, act: str, **body: Any) -> dict[str, Any]:
    """The record once an act is applied: at once, or a little later where the machine is busy (202)."""
    before = AppliedAct.objects.count()
    answer = web.call("POST", f"{url}/{act}/", body)
    assert answer.status in (200, 202), answer.body
    if answer.status == 202:
        eventually(lambda: AppliedAct.objects.count() > before)
    found: dict[str, Any] = web.call("GET", f"{url}/").json
    return found


def test_a_situation_is_worked_on(web: Web) -> None:
    """Each act is applied when its answer comes, is on the timeline, and in the audit trail."""
    from watchkeeper.domains.identity.models import User

    User.objects.create_user("ann")
    key = situation_of(web, "DiskFull", "DiskSlow")["id"]
    url = f"/api/situations/{key}"
    assert after(web, url, "acknowledge")["state"] == "acknowledged"
    assert web.call("POST", f"{url}/acknowledge/", {}).status == 409
    assert after(web, url, "assign", assignee="ann")["assignee"] == "ann"
    assert web.call("POST", f"{url}/assign/", {"assignee": "eve"}).status == 400
    assert after(web, url, "note", text="looking at it")
    assert web.call("POST", f"{url}/note/", {}).json["errors"]["text"]
    assert after(web, url, "unacknowledge")["state"] == "open"
    assert web.call("POST", f"{url}/resolve/", {}, scope="read").status == 403
    assert after(web, url, "resolve")["state"] == "resolved"
    assert web.call("POST", f"{url}/resolve/", {}).status == 409
    told = [t["kind"] for t in web.call("GET", f"{url}/timeline/").json["results"]][::-1]
    assert [k for k in told if k in ("acknowledge", "assign", "note", "unacknowledge", "resolve")] == [
        "acknowledge", "assign", "note", "unacknowledge", "resolve",
    ]  # fmt: skip
    acts = AuditEntry.objects.filter(kind="situation").order_by("id").values_list("act", "actor", "record")
    assert next(iter(acts)) == ("situation.acknowledge", "write", key)
    assert len(acts) == 5


def test_split_and_taken_back(web: Web) -> None:
    """One alert leaves for a situation of its own, and comes back."""
    key = situation_of(web, "DiskFull", "DiskSlow")["id"]
    url = f"/api/situations/{key}"
    alerts = [a["fingerprint"] for a in web.call("GET", f"{url}/alerts/").json["results"]]
    assert web.call("POST", f"{url}/split/", {"alerts": alerts}).status == 400
    assert web.call("POST", f"{url}/split/", {"alerts": ["0" * 16]}).status == 400
    assert after(web, url, "split", alerts=alerts[:1])["alert_count"] == 1
    assert web.call("GET", "/api/situations/?state=open").json["count"] == 2
    assert after(web, url, "undo")["alert_count"] == 2
    assert web.call("POST", f"{url}/undo/", {}).status == 409


def test_two_are_merged(web: Web) -> None:
    """The other one is resolved and says where its alerts went."""
    key = situation_of(web, "DiskFull")["id"]
    web.tell({"labels": {"alertname": "CertificateExpires", "site": "elsewhere"}})
    others = eventually(
        lambda: [s["id"] for s in web.call("GET", "/api/situations/").json["results"] if s["id"] != key]
    )
    assert web.call("POST", f"/api/situations/{key}/merge/", {"others": [key]}).status == 400
    assert web.call("POST", f"/api/situations/{key}/merge/", {"others": ["nothing"]}).status == 400
    assert after(web, f"/api/situations/{key}", "merge", others=others)["alert_count"] == 2
    assert web.call("GET", f"/api/situations/{others[0]}/").json["merged_into"] == key


def test_an_alert_is_acknowledged(web: Web) -> None:
    """By its fingerprint, until a time."""
    situation_of(web, "DiskFull")
    [alert] = web.call("GET", "/api/alerts/").json["results"]
    url = f"/api/alerts/{alert['fingerprint']}"
    answer = web.call("POST", f"{url}/acknowledge/", {"until": "2099-01-01T00:00:00Z"})
    assert (answer.json["acknowledged_by"], answer.json["acknowledged_until"]) == (
        "write",
        "2099-01-01T00:00:00Z",
    )
    assert after(web, url, "unacknowledge")["acknowledged_by"] == ""


def test_many_are_acknowledged_or_none(web: Web) -> None:
    """One append for all; when one cannot be, nothing has gone into the journal, and nothing is in the audit trail."""
    web.tell(*(an_alert(n) for n in ("DiskFull", "DiskSlow", "DiskGone")))
    listed = "/api/alerts/?status=firing&fields=fingerprint,acknowledged_by"

    def alerts() -> list[dict[str, str]]:
        found: list[dict[str, str]] = web.call("GET", listed).json["results"]
        return found

    eventually(lambda: len(alerts()) == 3)
    keys = [a["fingerprint"] for a in alerts()]
    answer = web.call("POST", "/api/alerts/acknowledge/", {"ids": keys[:2]})
    assert answer.status == 202 and [a["fingerprint"] for a in answer.json] == keys[:2]
    eventually(lambda: sorted(a["acknowledged_by"] for a in alerts()) == ["", "write", "write"])
    refused = web.call("POST", "/api/alerts/acknowledge/", {"ids": keys[::-1]})
    assert refused.status == 409 and set(refused.json["errors"]) == {"1", "2"}
    assert web.call("POST", "/api/alerts/acknowledge/", {"ids": keys[2:]}, scope="read").status == 403
    assert AuditEntry.objects.filter(act="alert.acknowledge").count() == 2
    assert web.call("POST", "/api/alerts/unacknowledge/", {"ids": keys[:2]}).status == 202
    eventually(lambda: {a["acknowledged_by"] for a in alerts()} == {""})


def test_silences_suppress_and_end(web: Web) -> None:
    """Made and ended through REST; the alert says which silence holds it back."""
    situation_of(web, "DiskFull")
    matchers = [{"name": "alertname", "value": "Disk.*", "isRegex": True}]
    body = {"matchers": matchers, "ends_at": "2099-01-01T00:00:00Z", "comment": "moving it"}
    answer = web.call("POST", "/api/silences/", body)
    assert answer.status in (201, 202), answer.body
    url = f"/api/silences/{answer.json['id']}/"
    eventually(lambda: web.call("GET", url).status == 200)
    made = web.call("GET", url).json
    assert (made["state"], made["created_by"], made["comment"]) == ("active", "write", "moving it")

    def held_back_by() -> str:
        return str(web.call("GET", "/api/alerts/").json["results"][0]["suppressed_by"])

    assert held_back_by() == f"silence:{made['id']}"
    everything = [{"name": "a", "value": ".*", "isRegex": True}]
    for wrong in (
        [],
        [{"name": "a", "value": "(", "isRegex": True}],
        everything,
        [{"name": "a b", "value": "c"}],
    ):
        assert web.call("POST", "/api/silences/", {**body, "matchers": wrong}).status == 400
    assert web.call("DELETE", url).status == 204
    eventually(lambda: web.call("GET", url).json["state"] == "expired")
    assert held_back_by() == ""


def test_without_analysis_an_act_is_on_its_way(web_alone: Web) -> None:
    """202: it is in the journal, and will be applied; nobody waits for ever. Without a journal it is refused."""
    from watchkeeper.domains.situations import AnalysisWriter, models
    from watchkeeper.kernel.ports import ports

    AnalysisWriter().write({"a": alert("a")}, {"s": situation("s", ("a",))}, offset=0, now_ms=NOW)
    before = web_alone.journal.end()
    answer = web_alone.call("POST", "/api/situations/s/acknowledge/", {})
    assert (answer.status, answer.json["state"]) == (202, "open")
    assert web_alone.journal.end() > before
    silence = {"matchers": [{"name": "a", "value": "b"}], "ends_at": "2099-01-01T00:00:00Z"}
    answer = web_alone.call("POST", "/api/silences/", silence)
    assert (answer.status, list(answer.json)) == (202, ["id"])
    assert not models.AppliedAct.objects.exists()
    ports.acts = None
    answer = web_alone.call("POST", "/api/situations/s/acknowledge/", {})
    assert (answer.status, answer.json["type"]) == (503, "urn:watchkeeper:problem:not_ready")
