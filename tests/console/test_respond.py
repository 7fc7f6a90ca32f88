"""From a service of this machine that stops to the report about it, in the browser and without typing an id: paged,
acknowledged by the link, ticket, problem, change, article, report."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.axe import look
from tests.console.conftest import ALLOWED, NAME, NEEDS_IT, STOPS, begin, context_of, keep, pick, watch
from tests.kernel.receivers import Got, webhook_receiver
from tests.platform import Platform
from tests.pollers.programs import grow_old, related
from tests.support import eventually


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Platform]:
    """A platform of this test's: the one that others share has seen their programs of this machine stop."""
    with Platform(tmp_path / "var", ALLOWED).start(180.0) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def page(own: Platform, browser: Browser, said: list[str]) -> Iterator[Page]:
    """Its administrator's."""
    context = context_of(browser)
    tab = context.new_page()
    watch(tab, said)
    begin(tab, own)
    yield tab
    context.close()
    assert not said, said


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _on_call(page: Page, url: str, got: Got) -> None:
    """A policy that pages me, and a way to reach me."""
    page.goto(f"{url}/escalation-policies/new/")
    page.get_by_label("Name", exact=True).fill("Ledger")
    _save(page)
    page.goto(f"{url}/escalation-steps/new/")
    pick(page, "Policy", "Ledger")
    page.get_by_label("People", exact=True).fill(NAME)
    _save(page)
    page.goto(f"{url}/escalation-rules/new/")
    page.get_by_label("Name", exact=True).fill("All that is worse than a warning")
    pick(page, "Policy", "Ledger")
    _save(page)
    page.goto(f"{url}/my-on-call/")
    page.get_by_role("link", name="Add a way…").click()
    page.get_by_label("Name", exact=True).fill("bridge")
    page.get_by_label("By", exact=True).select_option("webhook")
    page.get_by_label("Address", exact=True).fill(f"{got.url}/bridge")
    _save(page)


def _link(got: Got) -> str:
    """The link of the last page about the service."""
    told: list[dict[str, Any]] = [
        json.loads(body)["data"]
        for path, _, body in got.requests
        if path == "/bridge" and STOPS in body.decode()
    ]
    return str(told[-1].get("acknowledge", "")) if told else ""


def _paged(platform: Platform, got: Got) -> str:
    """The link; what the platform knows of it all is said where none comes."""
    try:
        return eventually(lambda: _link(got), 120, 0.5)
    except AssertionError as error:
        known = [
            platform.get(f"/api/{path}/?limit=20&{chosen}")["results"]
            for path, chosen in (
                ("alerts", "source=host&fields=name,item,status,situation,suppressed_by"),
                ("situations", "fields=id,title,severity,state,opened_at,alert_count"),
                ("escalations", "fields=record,title,state,note,urgency,due_at"),
                ("page-deliveries", "fields=channel,state,at,answer"),
                ("outbox", "state=due&fields=id,attempts,error"),
            )
        ]
        said = "\n".join(json.dumps(part) for part in known)
        raise AssertionError(f"{error}\n{said}\n{[path for path, *_ in got.requests]}") from error


def _more(page: Page, ticket: str) -> None:
    """The page of the ticket, with what is done more rarely."""
    page.goto(ticket)
    page.locator("summary", has_text="More to do with it").click()


def _press(page: Page, label: str, **fields: str) -> None:
    """An action, with what it asks for."""
    if fields:
        page.locator("summary", has_text=label).click()
        for name, value in fields.items():
            page.get_by_label(name, exact=True).fill(value)
        page.locator("details[open]").get_by_role("button", name=label, exact=True).click()
    else:
        page.get_by_role("button", name=label, exact=True).click()


def _ticket(page: Page, url: str) -> str:
    """Opened from the situation and begun; its address."""
    main = page.locator("main")
    page.goto(f"{url}/situations/")
    page.locator("table a", has_text=STOPS).first.click()
    expect(main).to_contain_text("acknowledged")
    page.get_by_role("link", name="New ticket…").click()
    _save(page)
    expect(main).to_contain_text("INC-")
    page.get_by_role("button", name="Start work").click()
    keep(page, "respond-ticket")
    return page.url


@pytest.mark.timeout(400)
def test_from_a_stopped_service_to_its_report(
    own: Platform, page: Page, browser: Browser, service: subprocess.Popen[str]
) -> None:
    url, main = own.url, page.locator("main")
    with webhook_receiver() as got:
        _on_call(page, url, got)
        grow_old(service)
        eventually(lambda: related(own, NEEDS_IT, STOPS), 120, 0.5)
        got.requests.clear()  # what else has happened since the rule was made
        service.kill()
        service.wait()
        link = _paged(own, got)
    stranger = browser.new_context().new_page()
    stranger.goto(link)
    keep(stranger, "respond-link")
    stranger.get_by_role("button", name=f"Acknowledge as {NAME}").click()
    expect(stranger.locator("main")).to_contain_text("You have it")
    stranger.context.close()

    ticket = _ticket(page, url)
    _more(page, ticket)
    page.locator("summary", has_text="Make a problem of these…").click()
    page.locator("details[open] details[open]").get_by_role(
        "button", name="Make a problem of these…", exact=True
    ).click()
    page.get_by_role("link", name="PRB-").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(STOPS)
    keep(page, "respond-problem")
    page.get_by_role("link", name="New change…").click()
    page.get_by_label("Title", exact=True).fill(f"Restart {STOPS} by itself")
    page.get_by_label("Implementation plan").fill("Let its unit restart it.")
    page.get_by_label("Back-out plan").fill("Take the line out of the unit.")
    _save(page)
    expect(main).to_contain_text("CHG-")
    keep(page, "respond-change")

    page.goto(ticket)
    _press(page, "Resolve…", **{"What was done": "Started it again."})
    expect(main).to_contain_text("Started it again.")
    _more(page, ticket)
    page.get_by_role("button", name="Write an article of this").click()
    _save(page)
    _press(page, "Publish")
    expect(main).to_contain_text("published")
    keep(page, "respond-article")

    _more(page, ticket)
    page.get_by_role("button", name="Write a report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("report")
    expect(main).to_contain_text("Started it again.")
    keep(page, "respond-report")
    assert not (wrong := look(page)), wrong
    pdf = page.request.get(page.url + "file.pdf")
    assert pdf.ok and pdf.body().startswith(b"%PDF")
