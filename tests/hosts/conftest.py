"""One platform that nobody has sent anything to, with syslog's door open, and a browser that is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.console.conftest import ARGUMENTS, CHROMIUM, begin, context_of, watch
from tests.platform import Platform
from tests.support import free_port, require


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    require(CHROMIUM.exists(), "no Chromium")
    syslog = {"WATCHKEEPER_SYSLOG": f"127.0.0.1:{free_port()}"}
    running = Platform(tmp_path_factory.mktemp("hosts") / "var", syslog).start(180.0)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="package")
def tab(platform: Platform) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        context = context_of(browser)
        opened = context.new_page()
        begin(opened, platform)
        yield opened
        browser.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab; it fails the test on any error in its console but that of a form that was refused."""
    said: list[str] = []
    watch(tab, said)
    yield tab
    assert not [s for s in said if "status of 400" not in s], said


def ask(
    page: Page, platform: Platform, *ways: str, name: str = "", address: str = "", port: str = ""
) -> None:
    """Fill in the form, and have the files made."""
    page.goto(f"{platform.url}/hosts/add/")
    for box in page.locator('input[name="ways"]').all():
        box.set_checked(box.get_attribute("value") in ways, force=True)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address", exact=True).fill(address)
    if port:
        page.get_by_label("Port of its node exporter").fill(port)
    page.get_by_role("button", name="Make its key and files").click()


def file(page: Page, way: str) -> str:
    """What the page gives for a way."""
    shown = page.locator(f"#f-{way}")
    expect(shown).to_be_visible()
    copied = page.locator(f"section:has(#f-{way}) div:has(> #f-{way}) [data-copy]").get_attribute("data-copy")
    text = shown.text_content() or ""
    assert copied == text
    return text
