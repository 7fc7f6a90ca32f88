"""A policy and its rule made in the browser; the situation that pages, the link that answers, and one's own page."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep, pick, unfold, watch
from tests.platform import Platform
from tests.support import eventually


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _escalate(page: Page, url: str, me: str) -> None:
    """A policy with one step that names me, and a rule for pumps."""
    page.goto(f"{url}/escalation-policies/new/")
    page.get_by_label("Name", exact=True).fill("Pressing")
    _save(page)
    page.goto(f"{url}/escalation-steps/new/")
    pick(page, "Policy", "Pressing")
    page.get_by_label("People", exact=True).fill(me)
    keep(page, "escalation-step-new")
    assert not (wrong := look(page)), wrong
    _save(page)
    page.goto(f"{url}/escalation-rules/new/")
    page.get_by_label("Name", exact=True).fill("Pumps")
    pick(page, "Policy", "Pressing")
    unfold(page)
    page.get_by_label("Words", exact=True).fill("PumpStopped")
    keep(page, "escalation-rule-new")
    _save(page)


def _be_reached(page: Page, url: str) -> None:
    """A way of my own, which is to be confirmed."""
    page.goto(f"{url}/my-on-call/")
    expect(page.locator("main")).to_contain_text("How I am reached")
    page.get_by_role("link", name="Add a way…").click()
    page.get_by_label("Name", exact=True).fill("work mail")
    page.get_by_label("Address", exact=True).fill("me@work.example")
    keep(page, "contact-method-new")
    _save(page)
    page.goto(f"{url}/my-on-call/")
    expect(page.get_by_placeholder("Code")).to_be_visible()


def test_from_a_policy_to_an_answer(seeded: Platform, page: Page, browser: Browser) -> None:
    url, main = seeded.url, page.locator("main")
    me = seeded.get("/api/users/")["results"][0]["username"]
    _escalate(page, url, me)
    _be_reached(page, url)
    assert seeded.alerts(shop.alert("PumpStopped", "cellar-pump", "critical", "0 l/s")).status == 200
    found = eventually(lambda: shop.situation_of(seeded, "PumpStopped"), 30)
    eventually(lambda: seeded.get(f"/api/escalations/?record={found['id']}")["count"], 20)
    asked = eventually(lambda: seeded.get("/api/pages/")["results"], 20)[0]
    page.goto(f"{url}/situations/{found['id']}/")
    expect(main).to_contain_text("Pressing")
    expect(page.get_by_role("link", name="Page somebody…")).to_be_visible()
    keep(page, "situation-paged")
    page.get_by_role("link", name="Page somebody…").click()
    keep(page, "page-somebody")
    assert not (wrong := look(page)), wrong
    page.get_by_label("People", exact=True).fill(me)
    page.get_by_label("Message", exact=True).fill("Please look at the pump.")
    _save(page)
    expect(main).to_contain_text("Please look at the pump.")
    page.goto(f"{url}/my-on-call/")
    expect(main).to_contain_text("PumpStopped")
    keep(page, "my-on-call")
    assert not (wrong := look(page)), wrong
    page.goto(f"{url}/pages/{asked['id']}/")
    keep(page, "page")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(main).to_contain_text("acknowledged")
    page.goto(f"{url}/escalations/")
    keep(page, "escalations")
    assert not (wrong := look(page)), wrong
    stranger = browser.new_context().new_page()
    said: list[str] = []
    watch(stranger, said)
    stranger.goto(f"{url}/page/not-a-link/")
    expect(stranger.locator("main")).to_contain_text("not complete")
    keep(stranger, "page-link-broken")
    stranger.context.close()
