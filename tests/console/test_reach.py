"""How people get about: the palette, single keys, settings, search, deep links; and that everybody can: axe-core over
every sort of page, in light and dark, at both widths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually

AXE = Path(__file__).parents[2] / "src/watchkeeper/console/assets/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "/", "/situations/", "/alerts/", "/items/", "/items/?search=nothing-like-it", "/devices/", "/devices/new/", "/items/import/",
    "/inventory/", "/map/", "/explore/metrics/", "/explore/logs/", "/doors/", "/doors/dead-letters/",
    "/notification-rules/new/", "/policies/1/edit/", "/users/", "/roles/1/", "/audit/", "/audit/1/", "/access/",
    "/search/?q=orders", "/search/?q=nothing-like-it", "/settings/", "/shortcuts/", "/password/", "/no/such/page/",
]  # fmt: skip


@pytest.fixture(params=["light", "dark"])
def theme(page: Page, request: pytest.FixtureRequest) -> Iterator[str]:
    """This browser's, without a choice of the person's."""
    page.evaluate("theme => localStorage.setItem('theme', theme)", request.param)
    yield request.param
    page.evaluate("localStorage.removeItem('theme')")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong, with the place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(r => r.violations)", RULES
    )
    return [
        f"{page.url} {v['id']}: {n['target']} {n['failureSummary'].splitlines()[1].strip()}"
        for v in found
        for n in v["nodes"]
    ]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_every_page(seeded: Platform, page: Page, theme: str, width: int, said: list[str]) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    found = shop.situation_of(seeded, "DatabaseDown")
    assert found
    alert = next(a["id"] for a in seeded.get(f"/api/alerts/?situation={found['id']}")["results"])
    item = seeded.get("/api/items/?name=checkout")["results"][0]["id"]
    more = [f"/situations/{found['id']}/", f"/alerts/{alert}/", f"/items/{item}/", f"/items/{item}/impact/"]
    wrong = []
    for path in (*PAGES, *more):
        page.goto(seeded.url + path)
        page.wait_for_load_state("networkidle") if path in more else None
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        wrong += violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{path} is wider than the screen")
    page.goto(seeded.url + "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    expect(page.get_by_role("option", name="orders-db").first).to_be_visible()
    wrong += violations(page)
    said[:] = [s for s in said if "404" not in s]  # the page that is not there
    assert not wrong, "\n".join(wrong)
