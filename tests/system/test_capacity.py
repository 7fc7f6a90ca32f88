"""Capacity on a running platform: disks that fill come by remote write over past times, a certificate over REST; what is
foreseen is kept and shown, becomes an alert, and stops being one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.console.axe import look
from tests.console.conftest import ARGUMENTS, CHROMIUM, begin, keep, watch
from tests.platform import Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import PATIENCE, eventually, require

HOURS = 14 * 24
GIB = 1024**3


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("capacity") / "var").start() as running:
        now = int(time.time() * 1000)
        _write(running, "system.filesystem.utilization", lambda h: 0.9 - 0.011 / 24 * h, now, HOURS, host="db1",
               **{"system.filesystem.mountpoint": "/var"})  # fmt: skip
        _write(running, "system.filesystem.utilization", lambda _: 0.4, now, HOURS, host="db1",
               **{"system.filesystem.mountpoint": "/"})  # fmt: skip
        _write(running, "system.filesystem.utilization", lambda _: 0.5, now, 5, host="new1",
               **{"system.filesystem.mountpoint": "/"})  # fmt: skip
        size = {"mountpoint": "/srv", "fstype": "ext4", "instance": "web1:9100", "job": "node"}
        _write(running, "node_filesystem_avail_bytes", lambda h: (40 + 2 * h / 24) * GIB, now, HOURS, **size)
        _write(running, "node_filesystem_size_bytes", lambda _: 100 * GIB, now, HOURS, **size)
        _write(running, "license_seats_used", lambda h: round(470 - 20 * h / 24), now, HOURS, product="Draw")
        ends = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9, hours=5)).isoformat()
        www = {"name": "www.example.org", "subject": "CN=www.example.org", "expires_at": ends}
        made = running.do("/api/certificates/", www)
        assert made.status == 201, made.body
        _record_devices(running)
        seats = {
            "name": "Licences",
            "measure": "used",
            "metric": "license_seats_used",
            "limit_value": 500,
            "lead_days": 30,
        }
        assert running.do("/api/capacity-rules/", seats).status == 201
        _looked(running, lambda: _whole(_forecasts(running)))
        yield running


def _record_devices(platform: Platform) -> None:
    """Twelve whose warranty ends in one month, soon, and forty of which it ended long ago."""
    maker = platform.do("/api/manufacturers/", {"name": "Northwind"}).json()["id"]
    model = platform.do("/api/device-types/", {"manufacturer": maker, "model": "R7"}).json()["id"]
    first = (dt.date.today() + dt.timedelta(days=32)).replace(day=11)
    ends = [first + dt.timedelta(days=n % 5) for n in range(12)] + [
        dt.date.today() - dt.timedelta(days=100 + 20 * n) for n in range(40)
    ]
    rows = [
        {"name": f"r7-{n:02}", "device_type": model, "warranty_until": f"{at}"} for n, at in enumerate(ends)
    ]
    assert platform.do("/api/devices/", rows).status == 201


def _write(
    platform: Platform,
    name: str,
    value: Callable[[int], float],
    now: int,
    hours: int,
    host: str = "",
    **labels: str,
) -> None:
    """A value an hour, `value(hours ago)`, the last of now."""
    named = {"__name__": name, **({"host.name": host} if host else {}), **labels}
    samples = [(float(value(h)), now - 3_600_000 * h) for h in reversed(range(hours))]
    answer = platform.send("/api/v1/write", packed(request([(named, samples)])), "application/x-protobuf",
                           Content_Encoding="snappy")  # fmt: skip
    assert answer.status in (200, 204), answer.body


def _forecasts(platform: Platform, more: str = "") -> dict[str, dict[str, Any]]:
    return {f["name"]: f for f in platform.get(f"/api/forecasts/?limit=100{more}")["results"]}


def _whole(found: dict[str, dict[str, Any]]) -> bool:
    """Whether all is foreseen, and from the last of what was written: it is rolled up a part at a time. Of what is
    new, analysis makes an item meanwhile."""
    return len(found) >= 6 and found["/var on db1"]["value"] > 0.899 and bool(found["/var on db1"]["item"])


def _rule(platform: Platform, name: str) -> str:
    [found] = [r for r in platform.get("/api/capacity-rules/?limit=100")["results"] if r["name"] == name]
    return f"/api/capacity-rules/{found['id']}/"


def _looked(platform: Platform, done: Callable[[], bool]) -> None:
    """A rule that is changed makes it look at once; samples have to be rolled up before."""
    for _ in range(20):
        answer = platform.do(_rule(platform, "Memory"), {"description": f"{time.time()}"}, method="PATCH")
        assert answer.status == 200, answer.body
        end = time.monotonic() + 6
        while time.monotonic() < end:
            if done():
                return
            time.sleep(0.3)
    raise AssertionError(f"{_forecasts(platform)}\n{platform.said()[-2000:]}")


def test_what_fills_is_foreseen_and_what_does_not_is_not(platform: Platform) -> None:
    found = _forecasts(platform)
    var = found["/var on db1"]
    assert var["state"] == "soon" and var["alerting"]
    days = (dt.datetime.fromisoformat(var["expected_at"]) - dt.datetime.now(dt.UTC)) / dt.timedelta(days=1)
    assert 8 <= days <= 10.5  # a tenth is left, and 1.1 % of the whole goes a day
    assert var["earliest_at"] <= var["expected_at"] <= var["latest_at"]
    assert "it grew by 1.1 % a day" in var["because"]
    assert found["/ on db1"]["state"] == "calm" and not found["/ on db1"]["alerting"]
    srv = found["/srv on web1:9100"]
    assert srv["unit"] == "By" and srv["limit"] == 100 * GIB and srv["state"] == "coming"
    assert "it grew by 2 GiB a day" in srv["because"]
    names = list(found)
    assert names.index("/var on db1") < names.index("/srv on web1:9100") < names.index("/ on db1")


def test_of_too_little_nothing_is_said_but_why(platform: Platform) -> None:
    new = _forecasts(platform)["/ on new1"]
    assert new["state"] == "not_known" and new["expected_at"] is None
    assert (
        new["because"].startswith("Not known: It has been measured for")
        and "2 days are needed" in new["because"]
    )


def test_licences_and_certificates(platform: Platform) -> None:
    found = _forecasts(platform)
    seats = found["Draw"]
    assert seats["state"] == "soon" and seats["limit"] == 500
    certificate = found["www.example.org"]
    assert certificate["state"] == "soon" and certificate["expected_at"] == certificate["latest_at"]
    assert "expires in 9 days, on " in certificate["because"]


def _alerts(platform: Platform, status: str) -> dict[str, dict[str, Any]]:
    found = platform.get(f"/api/alerts/?status={status}&source=capacity&limit=100")["results"]
    return {a["labels"]["capacity"]: a for a in found}


def test_what_is_near_is_an_alert_until_it_is_not(platform: Platform) -> None:
    firing = eventually(lambda: x if len(x := _alerts(platform, "firing")) >= 3 else None, 40)
    measured = {"/var on db1", "Draw", "www.example.org"}
    dated = {_month(platform), "Devices that have gone out of warranty"}
    assert measured | dated == set(firing), "52 devices are two alerts"
    var = firing["/var on db1"]
    assert var["summary"].startswith("/var on db1 is full in about ") and var["severity"] == "warning"
    assert var["item"]["id"] == _forecasts(platform)["/var on db1"]["item"]
    rule = _rule(platform, "File systems")
    assert platform.do(rule, {"lead_days": 8.4}, method="PATCH").status == 200
    time.sleep(6)  # an alert that is there ends only well beyond the lead
    assert "/var on db1" in _alerts(platform, "firing")
    assert platform.do(rule, {"lead_days": 1}, method="PATCH").status == 200
    assert eventually(lambda: _alerts(platform, "resolved").get("/var on db1"), 40)
    assert platform.do(rule, {"lead_days": 14}, method="PATCH").status == 200
    eventually(lambda: _forecasts(platform)["/var on db1"]["state"] == "soon", 40)


@pytest.fixture(scope="module")
def page(platform: Platform) -> Iterator[Page]:
    """A browser of somebody who has signed in."""
    require(CHROMIUM.exists(), "no Chromium")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(30_000 * PATIENCE)
        watch(page, said)
        begin(page, platform)
        yield page
        browser.close()
    assert not said, said


def test_people_see_it(platform: Platform, page: Page) -> None:
    key = _forecasts(platform)["/var on db1"]["id"]
    page.get_by_role("link", name="Capacity", exact=True).click()
    expect(page.get_by_role("row", name="/var on db1")).to_contain_text("soon", ignore_case=True)
    assert look(page) == []
    page.goto(f"{platform.url}/forecasts/{key}/")
    expect(page.locator(".wk-chart")).to_have_attribute("data-state", "drawn", timeout=30_000 * PATIENCE)
    expect(page.locator("main")).to_contain_text("/var on db1 is full in about")
    keep(page, "forecast")
    assert look(page) == []
    page.get_by_role("link", name="db1", exact=True).click()
    expect(page.get_by_role("region", name="Capacity")).to_contain_text("/var on db1 is full in about")


def _month(platform: Platform) -> str:
    """The forecast of the twelve devices."""
    [name] = [n for n in _forecasts(platform) if n.startswith("Devices of Northwind R7, ")]
    return name


def test_people_see_what_ends_and_of_what(platform: Platform, page: Page) -> None:
    page.goto(f"{platform.url}/forecasts/")
    row = page.get_by_role("row", name="Devices of Northwind R7, ")
    expect(row).to_contain_text("12 devices")
    expect(row).to_contain_text("soon", ignore_case=True)
    keep(page, "forecasts")
    wrong = look(page)
    row.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("12 devices of Northwind R7 go out of warranty in ")
    ends = page.get_by_role("region", name="What ends")
    expect(ends.get_by_role("row")).to_have_count(13)
    keep(page, "forecast-of-dates")
    wrong += look(page)
    ends.get_by_role("link", name="As a list").click()
    expect(page.get_by_role("link", name="r7-11", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="r7-12", exact=True)).to_have_count(0)
    page.get_by_role("link", name="r7-11", exact=True).click()
    expect(page.get_by_role("region", name="Capacity")).to_contain_text("12 devices of Northwind R7")
    page.goto(f"{platform.url}/forecasts/")
    page.get_by_role("link", name="Devices that have gone out of warranty", exact=True).click()
    expect(page.locator("main")).to_contain_text("40 devices have gone out of warranty")
    page.get_by_role("link", name="All 40 devices", exact=True).click()
    expect(page.get_by_role("link", name="r7-12", exact=True)).to_be_visible()
    keep(page, "devices-out-of-warranty")
    page.goto(f"{platform.url}/capacity-rules/")
    expect(page.get_by_role("row", name="Device warranties")).to_contain_text("warranty of devices")
    keep(page, "capacity-rules")
    page.goto(f"{platform.url}/capacity-rules/new/")
    page.get_by_label("Measures").select_option("recorded")
    expect(page.get_by_label("The date")).to_be_visible()
    expect(page.get_by_label("Metric", exact=True)).to_be_hidden()
    keep(page, "capacity-rule-form")
    wrong += look(page)
    assert not wrong


def test_a_rule_that_goes_takes_its_forecasts_and_alerts_along(platform: Platform) -> None:
    assert platform.do(_rule(platform, "Licences"), method="DELETE").status == 204
    _looked(platform, lambda: "Draw" not in _forecasts(platform))
    assert eventually(lambda: _alerts(platform, "resolved").get("Draw"), 40)
