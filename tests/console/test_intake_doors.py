"""Doors of webhooks as people meet them: a mapping of any JSON is tried before it is saved and works; a subscription that
waits for its confirmation; doors that nobody uses."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from tests.console.conftest import keep, pick, unfold
from tests.platform import Platform
from tests.support import eventually

PAYLOAD = {
    "site": "north",
    "events": [
        {"id": 7, "rule": {"title": "Door open"}, "level": "critical", "state": "open", "server": {"name": "rack-1"},
         "since": "2026-11-22T21:58:41Z", "text": "<b>The door</b> of rack 1 is open", "link": "https://rooms.example/7"},
        {"id": 8, "rule": {"title": "Too warm"}, "level": "warning", "state": "ok", "server": {"name": "rack-2"}},
    ],
}  # fmt: skip
MAPPING = {
    "Name from": "rule.title", "Severity from": "level", "Status from": "state", "Summary from": "text",
    "Labels from": "{host: server.name, site: payload().site}", "Identity from": "to_string(id)", "Starts from": "since",
    "Link from": "link", "Annotations from": "{level: level}",
}  # fmt: skip


def test_a_mapping_is_tried_on_a_payload_before_it_is_saved(
    page: Page, platform: Platform, said: list[str]
) -> None:
    key = platform.do("/api/intake-keys/", {"name": "rooms", "doors": ["custom"]}).json()
    secret = key["secret"]
    page.goto(f"{platform.url}/payload-mappings/new/")
    tried, name = page.locator("#tried"), page.get_by_label("Name from")

    def attempt() -> None:
        page.get_by_role("button", name="Try it").click()

    attempt()
    expect(tried).to_contain_text("Paste a payload first")
    page.get_by_label("A payload to try it on").fill("{no json")
    name.fill("rule.title")
    attempt()
    expect(tried).to_contain_text("JSON is malformed")
    page.get_by_label("A payload to try it on").fill(json.dumps(PAYLOAD))
    attempt()
    expect(tried).to_contain_text("Name from (rule.title): it gives nothing for this payload")
    page.get_by_label("Alerts from").fill("events[")
    attempt()
    expect(tried).to_contain_text("Alerts from (events[): it ends in the middle")
    keep(page, "mapping-wrong")
    unfold(page)
    page.get_by_label("Alerts from").fill("events[]")
    for label, text in MAPPING.items():
        page.get_by_label(label).fill(text)
    attempt()
    expect(tried).to_contain_text("It finds 2 alerts here")
    expect(tried).to_contain_text("<b>The door</b> of rack 1 is open")
    expect(tried.get_by_text("resolved")).to_be_visible()
    keep(page, "mapping-tried")
    assert platform.get("/api/payload-mappings/")["results"] == [], "nothing is saved yet"
    pick(page, "Intake key", "rooms")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="mapping of rooms")).to_be_visible()
    keep(page, "mapping")

    eventually(lambda: sent(platform, secret, PAYLOAD) == 204)
    eventually(lambda: "Door open" in names(platform, "firing"))
    over: dict[str, Any] = {"site": "north", "events": [PAYLOAD["events"][0] | {"state": "resolved"}]}  # type: ignore[operator,index]
    assert sent(platform, secret, over) == 204
    eventually(lambda: "Door open" in names(platform, "resolved"))
    change(page, platform, secret)
    said[:] = [s for s in said if "400" not in s]  # the form that was refused


def change(page: Page, platform: Platform, secret: str) -> None:
    """A mapping that is changed works within seconds; one that is wrong is not saved."""
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Alerts from").fill("")
    page.get_by_label("Name from").fill("rule.title || foo(@)")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#e-name_from")).to_contain_text("there is no function foo()")
    page.get_by_label("Name from").fill("title")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="mapping of rooms")).to_be_visible()
    (mapping,) = platform.get("/api/payload-mappings/")["results"]
    assert (mapping["alerts_from"], mapping["name_from"]) == ("", "title")
    eventually(lambda: sent(platform, secret, {"title": "Flooded", "id": 1}) == 204)
    assert sent(platform, secret, PAYLOAD) == 400
    eventually(lambda: "Flooded" in names(platform, "firing"))


def names(platform: Platform, status: str) -> set[str]:
    return {a["name"] for a in platform.get(f"/api/alerts/?status={status}")["results"]}


def sent(platform: Platform, secret: str, payload: dict[str, Any]) -> int:
    return platform.do(f"/intake/custom/{secret}", payload).status


def test_doors_that_nobody_has_used_are_folded_away(page: Page, platform: Platform) -> None:
    page.goto(f"{platform.url}/doors/")
    idle = page.locator("details", has_text="Webhooks that nobody has used yet")
    expect(idle.get_by_text("/intake/grafana")).to_be_hidden()
    idle.locator("summary").click()
    expect(idle.get_by_text("/intake/grafana")).to_be_visible()
    keep(page, "doors-idle")
    key = platform.do("/api/intake-keys/", {"name": "grafana", "doors": ["grafana"]}).json()["secret"]
    body = {"alerts": [{"status": "firing", "labels": {"alertname": "From Grafana"}}]}
    eventually(lambda: platform.do(f"/intake/grafana/{key}", body).status == 204)
    page.reload()
    expect(page.locator("#doors tr", has_text="Grafana webhook")).to_be_visible()


def test_a_subscription_that_has_no_way_out_waits_for_a_person(page: Page, platform: Platform) -> None:
    made = platform.do("/api/intake-keys/", {"name": "aws", "doors": ["cloudwatch"]}).json()
    url = "https://sns.nowhere-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"  # a region that there is not
    question = {
        "Type": "SubscriptionConfirmation",
        "TopicArn": "arn:aws:sns:nowhere-1:1:alarms",
        "SubscribeURL": url,
    }
    path = f"/intake/cloudwatch/{made['secret']}"
    eventually(lambda: platform.do(path, question).status == 204)
    waiting = "SNS subscription waits for confirmation"
    eventually(lambda: waiting in names(platform, "firing"))
    page.goto(f"{platform.url}/alerts/?status=firing")
    page.get_by_role("link", name=waiting).click()
    expect(
        page.get_by_role("link", name="sns.nowhere-1.amazonaws.com")
        .or_(page.locator(f'a[href="{url}"]'))
        .first
    ).to_be_visible()
    keep(page, "subscription")
    alarm = {
        "AlarmName": "cpu",
        "NewStateValue": "ALARM",
        "AlarmArn": "arn:aws:cloudwatch:nowhere-1:1:alarm:cpu",
    }
    told = {"Type": "Notification", "TopicArn": question["TopicArn"], "Message": json.dumps(alarm)}
    assert platform.do(path, told).status == 204
    eventually(lambda: waiting in names(platform, "resolved") and "cpu" in names(platform, "firing"))
