"""One platform with the shop's signals, one Chromium, and a page that its administrator has signed in to."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.console import shop
from tests.platform import Platform
from tests.pollers.programs import SERVER, TALKER, running
from tests.support import PATIENCE, eventually, free_port, require

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAME, PASSWORD = "ada", "correct horse battery"
STOPS, NEEDS_IT = "ledgerd", "till"
#: identity providers and receivers of the tests are on this machine
ALLOWED = {"WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8,::1/128"}


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    require(CHROMIUM.exists(), "no Chromium")
    env = {**ALLOWED, "WATCHKEEPER_SYSLOG": f"127.0.0.1:{free_port()}"}
    running = Platform(tmp_path_factory.mktemp("console") / "var", env).start(180.0)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="package")
def browser(platform: Platform) -> Iterator[Browser]:  # noqa: ARG001
    """Of this package, not of the session: while Playwright runs, nothing else in this thread can run a loop."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield running
        running.close()


def first_link(platform: Platform) -> str:
    """The one-time link, which is printed a moment after the platform has said that it serves."""
    log = platform.data.parent / f"{platform.data.name}.log"
    return eventually(lambda: re.search(r"once with: +(\S+)\s", log.read_text()))[1]  # type: ignore[index]


def begin(page: Page, platform: Platform) -> None:
    """Sign in with the one-time link."""
    page.goto(first_link(platform))
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(platform.url + "/")


def context_of(browser: Browser) -> BrowserContext:
    """Somebody at a desk."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000 * PATIENCE)
    expect.set_options(timeout=5_000 * PATIENCE)
    return context


@pytest.fixture(scope="package")
def signed_in(platform: Platform, browser: Browser) -> Iterator[BrowserContext]:
    """A context that signed in with the one-time link before anything was sent, so it saw the empty overview."""
    context = context_of(browser)
    page = context.new_page()
    begin(page, platform)
    keep(page, "overview-empty")
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A service that listens, and a program with a connection to it; it has to be old when it is killed."""
    folder = tmp_path_factory.mktemp("programs")
    with running(folder, STOPS, SERVER, "0") as (process, port), running(folder, NEEDS_IT, TALKER, "0", port):
        yield process


@pytest.fixture(scope="package")
def seeded(
    platform: Platform,
    signed_in: BrowserContext,  # noqa: ARG001
    service: subprocess.Popen[str],  # noqa: ARG001
) -> Platform:
    """The platform with the shop's signals in it."""
    shop.send(platform)
    return platform


@pytest.fixture
def said() -> list[str]:
    """What the page's console complained about."""
    return []


@pytest.fixture
def page(seeded: Platform, signed_in: BrowserContext, said: list[str]) -> Iterator[Page]:
    """A new tab, signed in. It fails the test on any error in its console: scripts, CSP, what is not found."""
    tab = signed_in.new_page()
    watch(tab, said)
    tab.goto(seeded.url + "/")
    yield tab
    tab.close()
    assert not said, said


#: how htmx tells that an older request has given way to a newer one of the same list
GAVE_WAY = ("htmx:sendAbort", "htmx:afterRequest")


def watch(page: Page, said: list[str]) -> None:
    """Gather what a page complains about."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(GAVE_WAY):
            said.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))


def pick(page: Page, label: str, name: str) -> None:
    """Find a record by typing its name into a combobox, and take it with the keyboard."""
    box = page.locator("input").and_(
        page.get_by_role("combobox", name=label, exact=True)
    )  # not the plain select
    box.press_sequentially(name)
    found = page.get_by_role("listbox", name=label, exact=True).get_by_role("option")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(name)
    box.press("Enter")


def unfold(page: Page) -> None:
    """Open the sections of a form that are closed at first."""
    closed = page.locator("details.wk-section:not([open]) > summary:visible")
    while closed.count():
        closed.first.click()


def keep(page: Page, name: str) -> None:
    """Save screenshots of the page where somebody wants them: wide in light and narrow in dark, or with
    WATCHKEEPER_LOOKS=all at both widths in both themes."""
    folder = os.environ.get("WATCHKEEPER_ARTEFACTS")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state()  # what was clicked just now may lead elsewhere
    looks = (("light", 1280, 900), ("dark", 390, 844), ("dark", 1280, 900), ("light", 390, 844))
    for scheme, width, height in looks if os.environ.get("WATCHKEEPER_LOOKS") == "all" else looks[:2]:
        page.evaluate("scheme => document.documentElement.setAttribute('data-bs-theme', scheme)", scheme)
        page.evaluate("document.dispatchEvent(new Event('theme'))")
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(120)
        page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
