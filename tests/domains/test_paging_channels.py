"""Every way that a page goes, over real HTTP and SMTP against stand-ins of the providers; and answers by link and key."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import re
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone

from tests.domains import paging_setup as setup
from tests.domains.paging_setup import World, call, pass_time, person, policy, work
from tests.kernel.receivers import Got, mail_receiver, webhook_receiver
from watchkeeper.domains.oncall.paging import links, push, texting
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery
from watchkeeper.domains.oncall.paging.own_models import ContactMethod
from watchkeeper.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> Client:  # noqa: ARG001
    """A client that may do everything."""
    return setup.root()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Got]:
    """A provider on this machine."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    settings.PUBLIC_URL = "https://ops.example.org"
    with webhook_receiver() as got:
        got.answer = lambda: 201
        yield got


@pytest.fixture
def post(settings: Any) -> Iterator[Got]:
    """A mail server."""
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=watch@ops.example.org&tls=off"
        yield got


def _text(mail: str) -> str:
    return message_from_string(mail, policy=default).get_content()  # type: ignore[no-any-return,attr-defined]


def _method(root: Client, **fields: Any) -> int:
    return int(call(root, "post", "contact-methods", {"person": "ann", "name": "way", **fields}, 201)["id"])


def _link(text: str) -> str:
    found = re.search(r"https://ops\.example\.org(/page/[^/\s\"<]+/)", text)
    assert found, text
    return found[1]


def test_chats_are_told_in_their_own_form(root: Client, receiver: Got) -> None:
    person(root, "ann")
    for name in ("slack", "mattermost", "teams"):
        _method(root, name=name, channel=name, address=f"{receiver.url}/{name}")
    policy(root, {"people": ["ann"]})
    World().write(title="Disk <!channel> & @all")
    pass_time()
    sent = {path.strip("/"): json.loads(body) for path, _, body in receiver.requests}
    slack = sent["slack"]
    assert slack["text"] == "[critical] Disk &lt;!channel&gt; &amp; @all"
    assert [b["type"] for b in slack["blocks"]] == ["section", "section", "actions"]
    assert slack["blocks"][2]["elements"][1]["url"] == "https://ops.example.org/situations/s/"
    [attachment] = sent["mattermost"]["attachments"]
    assert (attachment["color"], "@all" in attachment["text"]) == ("#b3261e", False)
    [card] = sent["teams"]["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [a["title"] for a in card["content"]["actions"]] == ["Acknowledge", "Open"]


def test_a_step_tells_a_channel_whom_it_tells(root: Client, receiver: Got) -> None:
    person(root, "ann", receiver.url)
    step = {"people": ["ann"], "channel": "slack", "address": f"{receiver.url}/room"}
    policy(root, step)
    World().write()
    pass_time()
    pass_time()
    rooms = [json.loads(body) for path, _, body in receiver.requests if path == "/room"]
    assert len(rooms) == 1
    assert "Told: ann." in json.dumps(rooms[0])


def test_a_number_is_confirmed_by_a_code_before_it_is_used(root: Client, receiver: Got) -> None:
    person(root, "ann")
    provider = {
        "name": "p",
        "account": "AC1",
        "token": "secret",
        "sender": "+15005550006",
        "url": receiver.url,
    }
    call(root, "post", "telephone-providers", provider, 201)
    method = _method(root, channel="sms", address="+491701234567")
    work()
    [(path, headers, body)] = receiver.requests
    sent = {k: v[0] for k, v in parse_qs(body.decode()).items()}
    assert (path, sent["To"], sent["From"]) == (
        "/2010-04-01/Accounts/AC1/Messages.json", "+491701234567", "+15005550006",
    )  # fmt: skip
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"AC1:secret"
    code = sent["Body"][:6]
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(2):
        call(root, "post", f"contact-methods/{method}/verify", {"code": wrong}, 400)
    assert call(root, "post", f"contact-methods/{method}/verify", {"code": code})["usable"]
    other = _method(root, name="other", channel="sms", address="+491701234568")
    work()
    code = parse_qs(receiver.requests[-1][2].decode())["Body"][0][:6]
    for _ in range(5):
        call(root, "post", f"contact-methods/{other}/verify", {"code": wrong}, 400)
    call(root, "post", f"contact-methods/{other}/verify", {"code": code}, 409)
    policy(root, {"people": ["ann"]})
    World().write()
    pass_time()
    told = [parse_qs(body.decode()) for _, _, body in receiver.requests[2:]]
    assert [t["To"] for t in told] == [["+491701234567"]]
    assert "Acknowledge: https://ops.example.org/page/" in told[0]["Body"][0]
    page = Page.objects.get()
    assert page.state == "sent"
    back = told[0]["StatusCallback"][0].removeprefix("https://ops.example.org")
    assert Client().post(back, {"MessageStatus": "delivered"}).status_code == 204
    page.refresh_from_db()
    assert (page.state, PageDelivery.objects.get().state) == ("delivered", "delivered")


def test_a_call_is_acknowledged_by_a_key(root: Client, receiver: Got) -> None:
    _telephone(root, receiver, "voice")
    World().write(title="a < b")
    pass_time()
    [(path, _, body)] = receiver.requests
    twiml = parse_qs(body.decode())["Twiml"][0]
    assert path.endswith("/Calls.json") and "<Say>[critical] a &lt; b</Say>" in twiml
    key = _link(twiml) + "key/"
    assert b"another key" in Client().post(key, {"Digits": "1"}).content
    assert Escalation.objects.get().state == "running"
    assert b"You have acknowledged" in Client().post(key, {"Digits": "4"}).content
    assert (Escalation.objects.get().state, Page.objects.get().via) == ("acknowledged", "telephone")


def _provider(root: Client, url: str, token: str) -> None:
    body = {"name": "p", "account": "AC1", "token": token, "sender": "+15005550006", "url": url}
    call(root, "post", "telephone-providers", body, 201)


def _telephone(root: Client, receiver: Got, channel: str) -> None:
    """Ann is paged at her number, which is known to be hers."""
    person(root, "ann")
    _provider(root, receiver.url, "secret")
    ContactMethod.objects.filter(pk=_method(root, channel=channel, address="+491701234567")).update(
        verified_at="2026-01-01T00:00:00Z"
    )
    policy(root, {"people": ["ann"]})


def test_a_signature_is_made_as_the_provider_documents_it(root: Client, receiver: Got) -> None:
    """The example of https://www.twilio.com/docs/usage/security"""
    _provider(root, receiver.url, "12345")
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234", "From": "+12349013030",
              "To": "+18005551212"}  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert texting.genuine(url, fields, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
    assert not texting.genuine(url, {**fields, "Digits": "1235"}, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")


def test_a_text_message_that_comes_back_acknowledges(root: Client, receiver: Got) -> None:
    _telephone(root, receiver, "sms")
    world = World()
    for key in ("1", "2", "3"):
        world.write(key, title=f"{key} < 4")
        pass_time()

    def answered(body: str, sender: str = "+491701234567", token: str = "secret") -> str:
        fields = {"From": sender, "Body": body, "MessageSid": "SM1"}
        said = "https://ops.example.org/text-message/" + "".join(f"{k}{fields[k]}" for k in sorted(fields))
        signature = base64.b64encode(hmac.digest(token.encode(), said.encode(), "sha1")).decode()
        got = Client().post("/text-message/", fields, headers={"X-Twilio-Signature": signature})
        return got.content.decode() if got.status_code == 200 else str(got.status_code)

    states = Escalation.objects.filter(kind="situations").order_by("record").values_list("state", flat=True)
    assert answered("ack", token="guessed") == "403"
    assert "belongs to nobody" in answered("ack", "+491701234568")
    assert "Answer “ack”" in answered("what is it?")
    assert set(states.all()) == {"running"}
    assert "You have it: 3 &lt; 4 (2 more wait" in answered("Ack.")
    assert list(states.all()) == ["running", "running", "acknowledged"]
    assert "You have it: 2 things" in answered("ACK all")
    assert set(states.all()) == {"acknowledged"} and "Nothing waits" in answered("ack")
    assert {p.via for p in Page.objects.all()} == {"text message"}


@pytest.mark.usefixtures("receiver")
def test_a_link_in_a_mail_shows_and_only_its_button_acknowledges(root: Client, post: Got) -> None:
    person(root, "ann", email="ann@work.example", name="Ann Arbor")
    policy(root, {"people": ["ann"]})
    World().write()
    pass_time()
    [mail] = post.mails
    assert "[critical] The shop is down" in mail
    link, stranger = _link(_text(mail)), Client()
    for _ in range(2):
        shown = stranger.get(link).content.decode()
        assert "The shop is down" in shown and "Acknowledge as Ann Arbor" in shown
    assert Escalation.objects.get().state == "running"
    assert "You have it" in stranger.post(link).content.decode()
    escalation, page = Escalation.objects.get(), Page.objects.get()
    assert (escalation.state, escalation.ended_by, page.state, page.via) == (
        "acknowledged", "ann", "acknowledged", "link",
    )  # fmt: skip
    entry = AuditEntry.objects.get(act="page.acknowledge")
    assert (entry.actor_kind, entry.actor, entry.after["via"]) == ("person", "ann", "link")
    again = stranger.post(link).content.decode()
    assert "It is taken care of" in again and "ann acknowledged it" in again
    assert AuditEntry.objects.filter(act="page.acknowledge").count() == 1


@pytest.mark.parametrize("way", ["link", "text", "key", "platform"])
def test_what_nobody_has_answered_in_time_can_still_be_answered(
    root: Client, receiver: Got, way: str
) -> None:
    _telephone(root, receiver, "voice" if way == "key" else "sms")
    World().write()
    pass_time()
    pass_time(6)
    assert Escalation.objects.get().state == "unanswered"
    sent = parse_qs(receiver.requests[0][2].decode())
    link, stranger, page = _link(sent.get("Twiml", sent.get("Body", []))[0]), Client(), Page.objects.get()
    match way:
        case "link":
            assert "Do you take care of it?" in stranger.get(link).content.decode()
            assert "You have it" in stranger.post(link).content.decode()
        case "key":
            assert b"You have acknowledged" in stranger.post(link + "key/", {"Digits": "4"}).content
        case "text":
            assert "You have it" in texting.answer("+491701234567", "ack")
            assert "Nothing waits" in texting.answer("+491701234567", "ack")
        case "platform":
            call(root, "post", f"pages/{page.pk}/acknowledge")
    escalation = Escalation.objects.get()
    page.refresh_from_db()
    assert (escalation.state, page.state) == ("acknowledged", "acknowledged")
    assert escalation.note == "Nobody had answered in time."


def test_what_nobody_has_answered_for_days_waits_for_nobody(root: Client, receiver: Got) -> None:
    _telephone(root, receiver, "sms")
    World().write()
    pass_time()
    pass_time(6)
    Escalation.objects.update(ended_at=timezone.now() - links.LIFE)
    assert "Nothing waits" in texting.answer("+491701234567", "ack all")
    assert Escalation.objects.get().state == "unanswered"


@pytest.mark.usefixtures("receiver")
def test_links_that_are_not_ours_or_too_old_say_so(root: Client, post: Got, monkeypatch: Any) -> None:
    user = person(root, "ann", email="ann@work.example")
    policy(root, {"people": ["ann"]})
    World().write()
    pass_time()
    link = _link(_text(post.mails[0]))
    broken = Client().get(link[:-5] + "/")
    assert (broken.status_code, b"not complete" in broken.content) == (404, True)
    user.is_active = False
    user.save()
    assert b"no longer in use" in Client().post(link).content
    monkeypatch.setattr(links, "LIFE", links.LIFE * 0)
    assert b"expired" in Client().post(link).content
    assert Escalation.objects.get().state == "running"


def test_a_browser_is_pushed_to_encrypted_and_signed(root: Client, receiver: Got) -> None:
    person(root, "ann")
    browser, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"auth": _b64(auth), "p256dh": _b64(point)}
    said = json.dumps({"endpoint": f"{receiver.url}/push/1", "expirationTime": None, "keys": keys})
    ann = Client()
    ann.force_login(person(root, "ann"))
    assert ann.post("/my-on-call/browser/", {"subscription": said, "name": "Firefox"}).status_code == 302
    assert ann.post("/my-on-call/browser/", {"subscription": said, "name": "Firefox"}).status_code == 302
    assert ann.post("/my-on-call/browser/", {"subscription": "{}", "name": "x"}).status_code == 400
    assert ContactMethod.objects.count() == 1
    policy(root, {"people": ["ann"]})
    World().write()
    pass_time()
    [(path, headers, body)] = receiver.requests
    assert (path, headers["content-encoding"]) == ("/push/1", "aes128gcm")
    told = json.loads(_decrypted(browser, auth, point, body))
    assert told["title"] == "[critical] The shop is down" and told["url"].startswith(
        "https://ops.example.org/page/"
    )
    found = re.fullmatch(r"vapid t=(\S+), k=(\S+)", headers["authorization"])
    assert found and found[2] == push.public_key()
    claims = jwt.decode(
        found[1], push._key().public_key(), algorithms=["ES256"], audience=receiver.url.rpartition(":")[0]
    )
    assert claims["sub"] == "mailto:watchkeeper@ops.example.org"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decrypted(browser: ec.EllipticCurvePrivateKey, auth: bytes, point: bytes, body: bytes) -> bytes:
    """As a browser does: RFC 8291, section 3."""
    salt, size = body[:16], body[20]
    sender, secret = body[21 : 21 + size], body[21 + size :]
    shared = browser.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))

    def derive(length: int, salt: bytes, info: bytes, key: bytes) -> bytes:
        return HKDF(hashes.SHA256(), length, salt, info).derive(key)

    mixed = derive(32, auth, b"WebPush: info\0" + point + sender, shared)
    key = derive(16, salt, b"Content-Encoding: aes128gcm\0", mixed)
    nonce = derive(12, salt, b"Content-Encoding: nonce\0", mixed)
    return AESGCM(key).decrypt(nonce, secret, None).rstrip(b"\0")[:-1]


def test_internal_addresses_are_refused(root: Client, receiver: Got, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    person(root, "ann", receiver.url)
    policy(root, {"people": ["ann"]})
    World().write()
    pass_time()
    assert (receiver.requests, Page.objects.get().state) == ([], "failed")


def test_somebody_is_paged_by_hand_about_a_ticket(root: Client, receiver: Got) -> None:
    person(root, "ann", receiver.url)
    ticket = call(root, "post", "tickets", {"title": "it is slow"}, 201)
    body = {"kind": "tickets", "record": str(ticket["id"]), "people": ["ann"], "message": "please look"}
    call(root, "post", "escalations", body, 201)
    pass_time()
    assert json.loads(receiver.requests[0][2])["data"]["message"] == "please look"
    call(root, "post", f"tickets/{ticket['id']}/start", {})
    work()
    assert Escalation.objects.get().state == "acknowledged"
    ann = Client()
    ann.force_login(person(root, "ann"))
    assert ann.get("/api/pages/").json()["count"] == 1
    assert "it is slow" in ann.get("/my-on-call/").content.decode()
    assert "Page somebody" in root_page(ticket["id"])


def root_page(ticket: int) -> str:
    """The ticket's page as an operator sees it."""
    operator = Client()
    operator.force_login(person(setup.root(), "operator"))
    return operator.get(f"/tickets/{ticket}/").content.decode()


def test_a_notification_rule_tells_a_chat_as_well(root: Client, receiver: Got) -> None:
    rule = {"name": "room", "channel": "slack", "address": f"{receiver.url}/room", "min_severity": "error"}
    assert "secret" not in call(root, "post", "notification-rules", rule, 201)
    call(root, "post", "notification-rules", {**rule, "name": "x", "address": "me@work.example"}, 400)
    World().write(opened_ms=4_000_000_000_000)
    [(_, _, body)] = receiver.requests
    assert json.loads(body)["text"] == "[critical] The shop is down (opened)"
