"""Signing in as people do: at a provider, with a second factor, with a passkey of a virtual device; and one's own
sessions. The browser reaches the platform as localhost, because passkeys need a name."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from collections.abc import Iterator
from typing import Any

import oidc_provider_mock
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.console.conftest import PASSWORD, keep, unfold, watch
from tests.platform import Platform
from tests.support import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def local(platform: Platform) -> str:
    return platform.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def running(platform: Platform, signed_in: BrowserContext) -> Platform:  # noqa: ARG001
    """With its first administrator, and without any signals."""
    return platform


@pytest.fixture
def context(running: Platform, browser: Browser) -> Iterator[BrowserContext]:  # noqa: ARG001
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(15_000 * PATIENCE)
    yield made
    made.close()


@pytest.fixture
def visitor(running: Platform, context: BrowserContext) -> Iterator[Page]:
    tab, said = context.new_page(), list[str]()
    watch(tab, said)
    yield tab
    assert not [s for s in said if s.startswith(local(running)) and "status of 40" not in s], said


def person(platform: Platform, name: str, **more: Any) -> None:
    made = platform.do("/api/users/", {"username": name, "password": PASSWORD, **more})
    assert made.status == 201, made.body


def sign_in(page: Page, platform: Platform, name: str) -> None:
    page.goto(f"{local(platform)}/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def code_of(secret: str, steps: int = 0) -> str:
    """RFC 6238: what an authenticator app shows."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    mac = hmac.digest(base64.b32decode(secret), counter, "sha1")
    number = struct.unpack(">I", mac[mac[-1] & 15 :][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def test_a_code_is_asked_for_once_there_is_an_app(running: Platform, visitor: Page) -> None:
    """Added, used at the next sign-in, not twice; a recovery code instead; and who needs one cannot do without."""
    person(running, "tom")
    roles = running.get("/api/roles/?name=operations+engineer")["results"]
    users = running.get("/api/users/?username=tom")["results"]
    rule = running.do("/api/second-factor-rules/", {"role": roles[0]["id"]})
    running.do("/api/grants/", {"role": roles[0]["id"], "user": users[0]["id"], "reason": "test"})
    sign_in(visitor, running, "tom")
    expect(visitor.locator("main")).to_contain_text("needs a second factor. Set one up to go on.")
    visitor.goto(f"{local(running)}/alerts/")
    expect(visitor).to_have_url(re.compile("/account/security/$"))
    keep(visitor, "second-factor-missing")
    visitor.get_by_role("link", name="Add an authenticator app").click()
    secret = visitor.get_by_label("Or enter this secret in the app").input_value()
    keep(visitor, "authenticator-app")
    visitor.get_by_label("Code", exact=True).fill("000000")
    visitor.get_by_role("button", name="Add").click()
    expect(visitor.get_by_role("alert")).to_contain_text("Incorrect code")
    visitor.get_by_label("Code", exact=True).fill(code_of(secret))
    visitor.get_by_role("button", name="Add").click()
    expect(visitor.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = visitor.locator("main .font-monospace > div").first.inner_text()
    keep(visitor, "recovery-codes")
    visitor.get_by_role("link", name="Done").click()
    keep(visitor, "second-factors")
    visitor.goto(f"{local(running)}/alerts/")
    expect(visitor.get_by_role("heading", name="Alerts")).to_be_visible()

    visitor.get_by_role("button", name="Sign out").click()
    sign_in(visitor, running, "tom")
    expect(visitor.get_by_role("heading", name="Second step")).to_be_visible()
    keep(visitor, "second-step")
    visitor.goto(f"{local(running)}/alerts/")
    expect(visitor).to_have_url(re.compile("/sign-in/"))
    visitor.goto(f"{local(running)}/sign-in/second-step/")
    visitor.get_by_label("Code of your").fill("000000")
    visitor.get_by_role("button", name="Continue").click()
    expect(visitor.get_by_role("alert")).to_contain_text("Incorrect code")
    visitor.get_by_label("Code of your").fill(recovery)
    visitor.get_by_role("button", name="Continue").click()
    visitor.wait_for_url(f"{local(running)}/")
    visitor.goto(f"{local(running)}/account/")
    expect(visitor.locator("main")).to_contain_text("password and recovery code")
    visitor.goto(f"{local(running)}/account/security/app/remove/")
    expect(visitor.get_by_role("alert")).to_contain_text("You cannot deactivate")
    assert running.do(f"/api/second-factor-rules/{rule.json()['id']}/", method="DELETE").status == 204


def test_a_passkey_signs_in_alone(running: Platform, visitor: Page) -> None:
    """Kept by a virtual device of Chromium's, which verifies its user."""
    person(running, "pat")
    devices = visitor.context.new_cdp_session(visitor)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True}})  # fmt: skip
    sign_in(visitor, running, "pat")
    visitor.goto(f"{local(running)}/account/security/passkeys/add/")
    visitor.get_by_label("Name").fill("This laptop")
    keep(visitor, "passkey-add")
    visitor.get_by_role("button", name="Add").click()
    expect(visitor.get_by_role("heading", name="Recovery codes")).to_be_visible()
    visitor.get_by_role("link", name="Done").click()
    expect(visitor.locator("main")).to_contain_text("Passkey: This laptop")
    visitor.get_by_role("button", name="Sign out").click()
    visitor.get_by_role("button", name="Use a passkey").click()
    visitor.wait_for_url(f"{local(running)}/")
    visitor.goto(f"{local(running)}/account/")
    expect(visitor.locator("main")).to_contain_text("with passkey")
    visitor.get_by_role("button", name="Sign out").click()
    sign_in(visitor, running, "pat")
    visitor.get_by_role("button", name="Use a passkey").click()
    visitor.wait_for_url(f"{local(running)}/")
    visitor.goto(f"{local(running)}/account/security/")
    visitor.get_by_role("link", name="Remove", exact=True).click()
    visitor.get_by_role("button", name="Remove").click()
    expect(visitor.locator("main")).to_contain_text("a password alone lets you in")


def test_a_provider_is_set_up_and_signs_people_in(
    running: Platform, signed_in: BrowserContext, visitor: Page
) -> None:
    """By an administrator in the console, and then with the real pages of the provider."""
    page = signed_in.new_page()
    claims = {"preferred_username": "olga", "name": "Olga Ops", "email": "olga@example.org"}
    with oidc_provider_mock.run_server_in_thread(
        user_claims=[oidc_provider_mock.User(sub="o1", claims=claims)]
    ) as idp:
        page.goto(f"{running.url}/oidc-providers/new/")
        page.get_by_label("Short name").fill("keycloak")
        page.get_by_label("Name", exact=True).fill("Keycloak")
        page.get_by_label("Issuer").fill(f"http://localhost:{idp.server_port}")
        page.get_by_label("Client ID").fill("watchkeeper")
        page.get_by_label("Client secret").fill("hush")
        unfold(page)
        page.get_by_label("Create accounts").check()
        keep(page, "oidc-provider-new")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("main")).to_contain_text("/sign-in/with/keycloak/callback/")
        keep(page, "oidc-provider")
        visitor.goto(f"{local(running)}/sign-in/")
        keep(visitor, "sign-in-with-providers")
        visitor.get_by_role("link", name="Sign in with Keycloak").click()
        visitor.get_by_placeholder("sub").fill("o1")
        visitor.get_by_role("button", name="Authorize").click()
        visitor.wait_for_url(f"{local(running)}/")
        visitor.goto(f"{local(running)}/account/")
        expect(visitor.locator("main")).to_contain_text("Olga Ops")
        expect(visitor.locator("main")).to_contain_text("with keycloak")
        visitor.get_by_role("button", name="Sign out").click()
        visitor.get_by_role("link", name="Sign in with Keycloak").click()
        visitor.get_by_role("button", name="Deny").click()
        expect(visitor.get_by_role("alert").first).to_contain_text(
            "The sign-in by Keycloak did not come about."
        )
        keep(visitor, "sign-in-cancelled")
    page.close()


def test_sessions_are_seen_and_ended(running: Platform, browser: Browser, visitor: Page) -> None:
    """One's own; by an administrator anybody's; and a new password ends the others."""
    person(running, "sam")
    other = browser.new_context().new_page()
    for tab in (visitor, other):
        sign_in(tab, running, "sam")
        tab.wait_for_url(f"{local(running)}/")
    visitor.get_by_title("your settings").click()
    visitor.get_by_role("link", name="Your account").click()
    expect(visitor.locator("main")).to_contain_text("Chrome")
    keep(visitor, "account")
    visitor.get_by_role("button", name="End all others").click()
    other.goto(f"{local(running)}/alerts/")
    expect(other).to_have_url(re.compile("/sign-in/"))
    sign_in(other, running, "sam")
    other.wait_for_url(f"{local(running)}/")
    visitor.goto(f"{local(running)}/password/")
    visitor.get_by_label("Password now").fill(PASSWORD)
    visitor.get_by_label("New password").fill(PASSWORD + " staple")
    visitor.get_by_role("button", name="Change").click()
    expect(visitor.get_by_role("status").filter(has_text="Your password is changed.")).to_be_visible()
    other.goto(f"{local(running)}/alerts/")
    expect(other).to_have_url(re.compile("/sign-in/"))
    other.context.close()
    found = running.get("/api/sessions/?search=sam")["results"]
    assert len(found) == 1
    assert running.do(f"/api/sessions/{found[0]['id']}/", method="DELETE").status == 204
    visitor.goto(f"{local(running)}/alerts/")
    expect(visitor).to_have_url(re.compile("/sign-in/"))
