"""Dashboards and the health of services in a real browser: put together by clicking, chosen from, shared, and the ready
ones with what this machine and the shop really sent."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.axe import RULES, look, violations
from tests.console.conftest import keep
from tests.console.shop import post
from tests.platform import Platform
from tests.support import eventually

SLOW = 20_000  # ms that a panel may take on a busy machine


@pytest.fixture(scope="module", autouse=True)
def measured(seeded: Platform) -> None:
    """Panels have values to show: a platform that has just begun has series, and none at the last step of a chart."""
    for name in ("system.cpu.utilization", "system.cpu.load_average.1m", "watchkeeper_journal_lag_entries"):
        query = "/api/v1/query?" + urlencode({"query": f'{{"{name}"}} offset 1m'})
        eventually(lambda query=query: seeded.get(query)["data"]["result"], 110, 0.5)


def made(platform: Platform, name: str, definition: dict[str, Any]) -> int:
    """A dashboard of this definition, and its id."""
    answer = platform.do("/api/dashboards/", {"name": name, "definition": definition})
    assert answer.status == 201, answer.body
    number: int = answer.json()["id"]
    return number


def ready(platform: Platform, slug: str) -> str:
    """The address of a ready dashboard."""
    [found] = platform.get(f"/api/dashboards/?ready={slug}")["results"]
    return f"{platform.url}/dashboards/{found['id']}/"


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True).locator(".wk-panel-body")


def requests() -> dict[str, Any]:
    """Requests that the shop answered in the last minutes, every tenth in vain."""
    now, spans = time.time_ns(), []
    for i in range(60):
        start = now - i * 10_000_000_000
        spans.append(
            {"traceId": f"{i + 7000:032x}", "spanId": f"{i + 7000:016x}", "name": "GET /", "kind": 2,
             "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 40_000_000),
             "status": {"code": 2 if i % 10 == 0 else 1}}
        )  # fmt: skip
    of = {"attributes": [{"key": "service.name", "value": {"stringValue": "storefront"}}]}
    return {"resourceSpans": [{"resource": of, "scopeSpans": [{"spans": spans}]}]}


def test_one_is_put_together_by_clicking(page: Page, seeded: Platform) -> None:
    page.goto(seeded.url + "/dashboards/new/")
    page.get_by_label("Name", exact=True).fill("Pools")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is no panel yet")).to_be_visible()
    page.get_by_role("button", name="Change panels").click()
    page.get_by_role("button", name="Add a panel").click()
    form = page.get_by_role("dialog", name="Add a panel")
    form.get_by_label("Title", exact=True).fill("Connections")
    form.get_by_role("combobox", name="Metric").press_sequentially("load_average 1m")
    options = form.get_by_role("listbox", name="Metric").get_by_role("option")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("gauge")
    options.click()
    expect(form.get_by_label("Query", exact=True)).to_have_value('{"system.cpu.load_average.1m"}')
    form.get_by_label("One line for each").select_option("host.name")
    expect(form.get_by_label("Query", exact=True)).to_have_value(
        'avg by ("host.name") ({"system.cpu.load_average.1m"})'
    )
    expect(form.locator(".wk-panel-body")).to_have_attribute("data-state", "drawn", timeout=SLOW)
    keep(page, "dashboard-panel-form")
    form.get_by_text("Where it stands").click()
    form.get_by_label("Columns wide").fill("8")
    form.get_by_role("button", name="Use it").click()
    expect(panel(page, "Connections")).to_have_attribute("data-state", "drawn", timeout=SLOW)
    page.get_by_role("button", name="Double Connections").click()
    expect(page.locator("[data-panel]")).to_have_count(2)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Change panels")).to_be_visible()
    expect(page.locator('[data-state="drawn"]')).to_have_count(2, timeout=SLOW)
    [kept] = seeded.get("/api/dashboards/?name=Pools")["results"]
    first, second = kept["definition"]["panels"]
    assert (first["w"], second["w"]) == (8, 8)
    assert second["y"] >= 4
    keep(page, "dashboard-of-ones-own")


def test_a_panel_is_moved_by_hand_and_what_cannot_be_saved_is_kept(
    page: Page, seeded: Platform, said: list[str]
) -> None:
    text = {"kind": "text", "text": "**Look** at <b>me</b>", "w": 4, "h": 2}
    number = made(seeded, "Moved", {"panels": [{**text, "title": "A"}, {**text, "title": "B", "x": 4}]})
    page.goto(f"{seeded.url}/dashboards/{number}/")
    expect(panel(page, "A").locator("strong")).to_have_text("Look")
    expect(panel(page, "A")).to_contain_text("<b>me</b>")
    page.get_by_role("button", name="Change panels").click()
    expect(page.locator(".grid-stack")).to_be_visible()
    handle = page.get_by_role("region", name="A", exact=True).locator(".card-title")
    at, to = handle.bounding_box(), panel(page, "B").bounding_box()
    assert at is not None and to is not None
    page.mouse.move(at["x"] + 5, at["y"] + 5)
    page.mouse.down()
    page.mouse.move(at["x"] + 60, at["y"] + 20, steps=4)
    page.mouse.move(to["x"] + to["width"] + 40, at["y"] + 5, steps=12)
    page.mouse.up()
    moved = page.locator("[data-panel]", has=page.get_by_role("region", name="A", exact=True))
    expect(moved).not_to_have_attribute("gs-x", "0")
    changed = {"definition": {"panels": [{**text, "title": "Theirs"}]}}
    assert seeded.do(f"/api/dashboards/{number}/", {"folder": "elsewhere"}, "PATCH").status == 200
    with page.expect_response(lambda r: r.status == 412):
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="Somebody else has changed")).to_be_visible()
    expect(page.get_by_role("region", name="A", exact=True)).to_be_visible()
    assert all("412" in one for one in said)
    said.clear()
    page.once("dialog", lambda d: d.accept())
    assert seeded.do(f"/api/dashboards/{number}/", changed, "PATCH").status == 200
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("region", name="Theirs")).to_be_visible()


def test_variables_and_a_link_that_shows_the_same(page: Page, seeded: Platform) -> None:
    definition = {
        "variables": [
            {"name": "host", "label": "host.name", "series": '{"system.uptime"}', "title": "Host"},
            {"name": "way", "label": "network.io.direction", "series": '{"system.network.io", "host.name"="$host"}',
             "title": "Direction", "multiple": True, "all": True},
        ],
        "panels": [{"title": "Traffic of $host", "unit": "By", "kind": "table", "queries": [
            {"promql": 'sum by ("network.io.direction") ({"system.network.io", "host.name"="$host", '
                       '"network.io.direction"=~"$way"})'}]}],
    }  # fmt: skip
    number = made(seeded, "Chosen", definition)
    page.goto(f"{seeded.url}/dashboards/{number}/")
    table = page.locator("[data-panel] tbody tr")
    expect(table).to_have_count(2, timeout=SLOW)
    expect(page.get_by_role("heading", name="Traffic of ")).not_to_contain_text("$host")
    page.locator("summary", has_text="All").click()
    page.get_by_label("receive").check()
    page.get_by_role("button", name="Show these").click()
    expect(table).to_have_count(1, timeout=SLOW)
    page.get_by_label("Time").select_option("21600")
    expect(table).to_have_count(1, timeout=SLOW)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["var-way"] == ["receive"] and asked["last"] == ["21600"]
    page.reload()
    expect(table).to_have_count(1, timeout=SLOW)
    expect(page.get_by_label("Time")).to_have_value("21600")
    page.go_back()
    expect(page.get_by_label("Time")).to_have_value("3600")


def test_an_error_stays_in_its_panel(page: Page, seeded: Platform, said: list[str]) -> None:
    queries = [{"promql": "node_load1 + on (job) node_load1"}]
    number = made(seeded, "Wrong", {"panels": [
        {"title": "Many", "queries": [{"promql": '{"system.cpu.utilization"} / on () {"system.cpu.utilization"}'}]},
        {"title": "None", "x": 6, "queries": queries},
        {"title": "Right", "y": 4, "kind": "stat", "queries": [{"promql": "vector(42)"}]},
    ]})  # fmt: skip
    page.goto(f"{seeded.url}/dashboards/{number}/")
    expect(panel(page, "Many")).to_have_attribute("data-state", "failed", timeout=SLOW)
    expect(panel(page, "Many")).to_contain_text("many-to-many")
    expect(panel(page, "None")).to_contain_text("There are no values in this time")
    expect(panel(page, "Right")).to_contain_text("42")
    assert all("422" in one for one in said)
    said.clear()


@pytest.mark.parametrize(
    ("slug", "titles"),
    [
        ("hosts", ("Hosts that report", "Processor use", "Memory use", "File systems", "Network traffic")),
        ("services", ("Requests", "Requests that failed", "Duration, 95 % of the requests")),
        ("watchkeeper", ("Entries that consumers have still to read", "Alerts that fire", "Journal")),
    ],
)
def test_ready_ones_show_what_was_really_sent(
    page: Page, seeded: Platform, slug: str, titles: tuple[str, ...]
) -> None:
    if slug == "services":
        post(seeded, "/v1/traces", requests())
        arrived = "SELECT 1 AS x FROM spans WHERE kind = 'server' LIMIT 1"
        eventually(lambda: seeded.telemetry().rows(arrived), 30)
    if slug == "watchkeeper":  # it tells of itself every half minute
        eventually(
            lambda: seeded.telemetry().rows(
                "SELECT 1 AS x FROM series WHERE name = 'watchkeeper_journal_bytes'"
            ),
            60,
        )
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.goto(ready(seeded, slug) + "?last=900")
    for title in titles:
        expect(panel(page, title)).to_have_attribute("data-state", "drawn", timeout=SLOW)
    if slug == "services":
        expect(panel(page, "Requests that failed")).to_contain_text("storefront")
        expect(panel(page, "Duration, 95 % of the requests")).to_contain_text("40 ms")
    expect(page.get_by_role("link", name="Copy to change it")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    keep(page, f"dashboard-{slug}")


def test_the_health_of_a_service_and_its_reasons(page: Page, seeded: Platform) -> None:
    items = {i["name"]: i["id"] for i in seeded.get("/api/items/?kind=service&limit=200")["results"]}
    page.goto(f"{seeded.url}/items/{items['checkout']}/")
    page.get_by_role("link", name="Say by what its health is judged").click()
    page.get_by_label("Name", exact=True).fill("Alerts")
    page.get_by_role("button", name="Save").click()
    more = {"item": items["checkout"], "name": "Requests", "source": "query", "query": "vector(3)", "low": 1,
            "critical": 9, "importance": 10}  # fmt: skip
    assert seeded.do("/api/service-indicators/", more).status == 201
    lost = {**more, "name": "Nobody knows", "query": "no_such_metric"}
    assert seeded.do("/api/service-indicators/", lost).status == 201
    address = f"/api/service-health/?item={items['checkout']}"
    [found] = eventually(lambda: [h for h in seeded.get(address)["results"] if len(h["parts"]) == 3], 30)
    parts = {p["name"]: p["state"] for p in found["parts"]}
    assert parts == {"Alerts": "high", "Requests": "low", "Nobody knows": "unknown"}
    assert round(found["score"], 2) == round((30 * 5 + 70 * 10) / 15, 2)
    query = (
        "SELECT s.labels AS labels FROM series AS s INNER JOIN samples ON samples.series = s.id "
        "WHERE s.name = 'service_health_score'"
    )
    series, *_ = eventually(lambda: seeded.telemetry().rows(query), 30)
    assert series["labels"]["service"] == "checkout"
    page.goto(f"{seeded.url}/items/{items['checkout']}/")
    health = page.get_by_role("region", name="Health")
    expect(health).to_contain_text("56.7")
    expect(health.get_by_role("row", name="Requests")).to_contain_text("20.0 points")
    expect(health.get_by_role("row", name="Nobody knows")).to_contain_text("There are no values.")
    expect(health.locator(".wk-chart")).to_have_attribute("data-state", "drawn", timeout=SLOW)
    keep(page, "service-health")
    expect(page.get_by_role("link", name="On the dashboard “Services”")).to_be_visible()
    page.goto(seeded.url + "/health/")
    expect(page.get_by_role("link", name="checkout")).to_contain_text("57")
    keep(page, "healths")
    for name in ("Alerts", "Requests", "Nobody knows"):
        [one] = seeded.get(
            f"/api/service-indicators/?item={items['checkout']}&name={name.replace(' ', '%20')}"
        )["results"]
        assert seeded.do(f"/api/service-indicators/{one['id']}/", method="DELETE").status == 204
    assert json.dumps(items) == json.dumps(
        {i["name"]: i["id"] for i in seeded.get("/api/items/?kind=service&limit=200")["results"]}
    )


@pytest.mark.timeout(240)
def test_everybody_can_use_them(page: Page, seeded: Platform) -> None:
    """axe-core, at both widths and in both looks, and nothing is wider than the screen."""
    panels = [
        {
            "title": "Lines",
            "queries": [{"promql": "vector(1)"}],
            "thresholds": [{"value": 0.5, "colour": "red"}],
        },
        {"title": "Stat", "x": 6, "kind": "stat", "queries": [{"promql": "vector(2)"}]},
        {"title": "Gauge", "y": 4, "kind": "gauge", "queries": [{"promql": "vector(0.4)"}], "unit": "1"},
        {"title": "Bars", "y": 4, "x": 6, "kind": "bars", "queries": [{"promql": "vector(3)"}]},
        {"title": "Table", "y": 8, "kind": "table", "queries": [{"promql": '{"system.uptime"}'}]},
        {"title": "Logs", "y": 8, "x": 6, "kind": "logs"},
        {"title": "Alerts", "y": 12, "kind": "alerts"},
        {"title": "Text", "y": 12, "x": 6, "kind": "text", "text": "- a\n- [b](https://example.org)"},
    ]
    number = made(seeded, "Every kind", {"panels": panels, "refresh": 0})
    wrong = []
    page.emulate_media(reduced_motion="reduce")  # colours that are on their way are no colours to judge
    for path in (f"/dashboards/{number}/", "/dashboards/", "/health/"):
        page.goto(seeded.url + path)
        if number and path.endswith(f"{number}/"):
            page.set_viewport_size({"width": 1280, "height": 2400})
            expect(page.locator('[data-state="drawn"]')).to_have_count(8, timeout=SLOW)
        wrong += look(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{seeded.url}/dashboards/{number}/")
    page.get_by_role("button", name="Change panels").click()
    wrong += violations(page, RULES)
    page.get_by_role("button", name="Change Lines").click()
    expect(page.get_by_role("dialog", name="Change a panel").locator(".wk-panel-body")).to_have_attribute(
        "data-state", "drawn", timeout=SLOW
    )
    wrong += violations(page, RULES)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Variables").click()
    page.get_by_role("button", name="Add a variable").click()
    wrong += violations(page, RULES)
    assert not wrong, "\n".join(wrong)
