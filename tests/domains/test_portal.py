"""The portal: customers see their own tickets and the public part of what is said on them, and nothing else of the platform,
on whatever way they try."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Organisation, Role, Team
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.catalog.models import CatalogItem
from watchkeeper.domains.desk.conversation import Attachment, say
from watchkeeper.domains.desk.models import Queue, Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.domains.portal.models import Contact
from watchkeeper.domains.search.indexing import catch_up
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind
from watchkeeper.kernel.hanging import Hanging
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.resource import registry

JSON = "application/json"
SECRET = "xyzzy-nobody-elses-business"
People = Callable[..., User]
#: whether the process is up; one's own inbox and how one wants to hear of it; what says that a link is none; a script
HARMLESS = re.compile(r"/(-/web/ready|healthz|api/inbox/.*|page/x/key/|push-worker.js)$")


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.FILES = tmp_path / "files"


@pytest.fixture
def people(db: None) -> People:  # noqa: ARG001
    """`people("ann", "customer")` is somebody with these roles."""

    def make(name: str, *roles: str, **scope: Any) -> User:
        user = User.objects.create_user(name, "correct horse battery", email=f"{name}@example.org")
        for role in roles:
            Grant.objects.create(
                role=Role.objects.get(name=role), user=user, reason="test", approved_by="test",
                valid_from=timezone.now(), **scope,
            )  # fmt: skip
        return user

    return make


def session(user: User) -> Client:
    """A client that they have signed in to."""
    client = Client(raise_request_exception=False, headers={"accept": "text/html,*/*;q=0.8"})
    client.force_login(user)
    return client


def token(user: User, scope: str = "write") -> Client:
    """A client with a token of theirs."""
    made = identity.create_token("theirs", scope)
    from watchkeeper.domains.identity.models import ApiToken

    ApiToken.objects.filter(name="theirs", user=None).update(user=user, name=f"of {user} {scope}")
    return Client(raise_request_exception=False, headers={"authorization": f"Bearer {made}"})


def acting(user: User) -> Actor:
    """Somebody as the platform knows who acts."""
    return Actor(ActorKind.PERSON, user.username, str(user.pk), user.scope, person=user)


def ticket(requester: User, title: str = "printer", **more: Any) -> Ticket:
    """A ticket that somebody asked for."""
    made = Ticket(title=title, requester=requester, **more)
    made.save()
    return made


def stored(text: bytes = b"of a screen") -> Attachment:
    """A file that was received."""
    from django.conf import settings

    from watchkeeper.domains.annotations.storing import Writing

    writing = Writing(settings.FILES, 1000)
    writing.take(text)
    return Attachment("screen.png", writing.keep())


def call(client: Client, method: str, url: str, body: Any = None, status: int = 200) -> Any:
    """What a call with a body answers."""
    answer = getattr(client, method)(
        url, *([json.dumps(body)] if body is not None else []), content_type=JSON
    )
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def test_a_customer_asks_is_answered_replies_closes_and_opens_again(people: People) -> None:
    ann, joe = people("ann", "customer"), people("joe", "operations engineer")
    Item.objects.create(
        id="i-shop",
        name="Web shop",
        kind="application",
        first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    browser = session(ann)
    assert browser.get("/").headers["Location"] == "/portal/"
    given = {"type": "incident", "title": "The shop is slow", "description": "since nine", "about": "web SHOP",
             "files": [SimpleUploadedFile("a.png", b"one"), SimpleUploadedFile("b.log", b"two")]}  # fmt: skip
    where = browser.post("/portal/new/", given).headers["Location"]
    made = Ticket.objects.get()
    assert where == f"/portal/tickets/{made.number}/"
    assert (made.requester, made.assignee, [i.name for i in made.items.all()]) == (ann, None, ["Web shop"])
    page = browser.get(where).content.decode()
    assert "The shop is slow" in page and "a.png" in page and "b.log" in page
    file = File.objects.get(name="b.log")
    got = browser.get(f"{where}files/{file.pk}/")
    assert b"".join(got.streaming_content) == b"two"  # type: ignore[arg-type]
    say(acting(joe), made, f"it is the database, {SECRET}", public=False, source="console")
    say(acting(joe), made, "we look at it", public=True, source="console")
    page = browser.get(where).content.decode()
    assert "we look at it" in page and SECRET not in page
    assert browser.post(f"{where}reply/", {"text": ""}).status_code == 400
    assert browser.post(f"{where}reply/", {"text": "thank you"}).status_code == 302
    call(session(joe), "post", f"/api/tickets/{made.pk}/resolve/", {"resolution": "index"})
    assert browser.post(f"{where}close/").status_code == 302
    made.refresh_from_db()
    assert (made.status, made.assignee) == ("closed", None)
    assert browser.post(f"{where}reply/", {"text": "one more"}).status_code == 409
    assert browser.post(f"{where}reopen/", {"text": ""}).status_code == 400
    assert browser.post(f"{where}reopen/", {"text": "slow again"}).status_code == 302
    made.refresh_from_db()
    assert (made.status, made.assignee) == ("in_progress", None)
    browser.post(f"{where}close/")
    made.refresh_from_db()
    assert made.status == "cancelled"
    acts = AuditEntry.objects.filter(actor="ann", kind="ticket").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["ticket.create", "ticket.close", "ticket.reopen", "ticket.cancel"]


def test_articles_answer_while_somebody_writes_and_a_ticket_finds_its_queue(people: People) -> None:
    ann = session(people("ann", "customer"))
    queue = Queue.objects.create(name="front desk", portal=True)
    told = {"everybody": "published", "customers": "published", "desk": "published", "team": "draft"}
    made = {
        audience: Article.objects.create(title=f"Printer prints stars ({audience})", body="*Turn* it off.", status=status,
                                         audience=audience)
        for audience, status in told.items()
    }  # fmt: skip
    Article.objects.create(title="Printer prints stars, a draft", audience="everybody")
    while catch_up(500):
        pass
    offered = ann.get("/portal/suggested/", {"title": "my printer prints stars"}).content.decode()
    assert {a for a in told if f"({a})" in offered} == {"everybody", "customers"} and "a draft" not in offered
    assert "Printer" not in ann.get("/portal/suggested/", {"title": "pr"}).content.decode()
    assert "<em>Turn</em>" in ann.get(f"/portal/articles/{made['customers'].number}/").content.decode()
    assert ann.get(f"/portal/articles/{made['desk'].number}/").status_code == 404
    ann.post("/portal/new/", {"type": "incident", "title": "stars", "description": "", "about": ""})
    ticket_ = Ticket.objects.get()
    assert (ticket_.source, ticket_.queue) == ("portal", queue)
    root = session(User.objects.create_user("root", "correct horse battery", is_administrator=True))
    answer = root.post("/api/queues/", json.dumps({"name": "other", "portal": True}), content_type=JSON)
    assert answer.status_code == 400 and list(answer.json()["errors"]) == ["portal"]


FORM = {
    "type": "object", "required": ["server"],
    "properties": {"server": {"type": "string", "title": "For which server"}},
}  # fmt: skip


def test_customers_order_what_is_offered_to_them_and_find_it_among_their_tickets(people: People) -> None:
    """What names nobody is for the house; what names others is not there, whatever the way."""
    cleo, rita = people("cleo", "customer"), people("rita", "requester")
    acme, other = (Organisation.objects.create(name=n) for n in ("Acme", "Other"))
    Team.objects.create(name="Acme people", organisation=acme).members.add(cleo)
    desk = Queue.objects.create(name="Desk")
    address, laptop, secret = (
        CatalogItem.objects.create(name=n, form=FORM, queue=desk, description=f"for **{n}**")
        for n in ("IP address", "Laptop", SECRET)
    )
    address.organisations.add(acme)
    secret.organisations.add(other)
    browser = session(cleo)
    listed = browser.get("/portal/catalog/").content.decode()
    assert "IP address" in listed and "Laptop" not in listed and SECRET not in listed
    assert (
        "Nothing in the catalogue has these words"
        in browser.get("/portal/catalog/?q=cheese").content.decode()
    )
    assert [browser.get(f"/portal/catalog/{i.pk}/").status_code for i in (address, laptop, secret)] == [
        200,
        404,
        404,
    ]
    page = f"/portal/catalog/{address.pk}/"
    refused = browser.post(page, {})
    assert refused.status_code == 400 and "For which server" in refused.content.decode()
    assert not Ticket.objects.exists()
    made = browser.post(page, {"server": "web1"})
    ordered = Ticket.objects.get()
    assert made.headers["Location"] == f"/portal/tickets/{ordered.number}/"
    assert (ordered.requester, ordered.assignee, ordered.queue) == (cleo, None, desk)
    assert "web1" in browser.get(made.headers["Location"]).content.decode()
    with_token = token(cleo)
    assert [i["name"] for i in call(with_token, "get", "/api/portal/catalog/")["results"]] == ["IP address"]
    body = {"item": address.pk, "answers": {"server": "web2"}}
    assert call(with_token, "post", "/api/portal/orders/", body, 201)["requester"] == cleo.called
    call(with_token, "post", "/api/portal/orders/", {**body, "item": secret.pk}, 404)
    assert "server" in json.dumps(call(with_token, "post", "/api/portal/orders/", {"item": address.pk}, 400))
    call(
        token(people("eve", "external auditor")),
        "post",
        "/api/portal/orders/",
        body | {"item": laptop.pk},
        403,
    )
    house = session(rita).get("/portal/catalog/").content.decode()
    assert "Laptop" in house and "IP address" not in house and SECRET not in house


def test_help_shows_what_was_written_for_customers(people: People) -> None:
    for audience, status, title in (("customers", "published", "Error 502"), ("everybody", "published", "Passwords"),
                                    ("desk", "published", SECRET), ("customers", "draft", SECRET)):  # fmt: skip
        Article.objects.create(title=title, body="Wait a little.", audience=audience, status=status)
    browser = session(people("cleo", "customer"))
    shown = browser.get("/portal/articles/").content.decode()
    assert "Error 502" in shown and "Passwords" in shown and SECRET not in shown
    found = browser.get("/portal/articles/?q=502 little").content.decode()
    assert "Error 502" in found and "Passwords" not in found
    assert "Ask us" in browser.get("/portal/articles/?q=cheese").content.decode()


def test_bad_input_is_named_and_nothing_of_it_is_kept(people: People) -> None:
    browser = session(people("ann", "customer"))
    bad = browser.post("/portal/new/", {"type": "wish", "title": " ", "about": "x" * 300})
    assert bad.status_code == 400
    assert bad.content.decode().count("invalid-feedback") == 2
    refused = browser.post("/portal/new/", {"title": "t", "files": SimpleUploadedFile("run.exe", b"MZ")})
    assert refused.status_code == 400 and "run.exe" in refused.content.decode()
    assert not Ticket.objects.exists() and not File.objects.exists()
    assert browser.get("/portal/?state=strange").status_code == 400
    assert browser.get("/portal/?offset=-1").status_code == 400
    assert Client().get("/portal/").status_code == 302
    body = {"title": "t", "priority": 1, "type": "wish"}
    told = call(token(User.objects.get()), "post", "/api/portal/tickets/", body, 400)
    assert set(told["errors"]) == {"priority", "type"}


def test_rest_shows_what_the_portal_shows(people: People) -> None:
    ann, bob = people("ann", "customer"), people("bob", "customer")
    mine, others = ticket(ann, "mine"), ticket(bob, SECRET)
    say(SYSTEM, mine, SECRET, public=False, source="api")
    say(SYSTEM, mine, "hello", public=True, source="api", files=[stored()])
    writes, reads = token(ann), token(ann, "read")
    assert [t["number"] for t in call(reads, "get", "/api/portal/tickets/")["results"]] == [mine.number]
    [said] = call(reads, "get", f"/api/portal/tickets/{mine.number}/messages/")
    assert (said["body"], [f["name"] for f in said["files"]]) == ("hello", ["screen.png"])
    call(reads, "post", "/api/portal/tickets/", {"title": "t"}, 403)
    call(reads, "post", f"/api/portal/tickets/{mine.number}/close/", {}, 403)
    call(writes, "post", f"/api/portal/tickets/{mine.number}/messages/", {"text": "hi"}, 201)
    made = call(writes, "post", "/api/portal/tickets/", {"title": "t", "type": "request"}, 201)
    assert made["number"].startswith("REQ-")
    url = f"/api/portal/tickets/{made['number']}/files/"
    answer = writes.post(url, {"file": SimpleUploadedFile("a.txt", b"text")})
    assert answer.status_code == 201 and answer.json()[0]["files"][0]["name"] == "a.txt"
    foreign = call(writes, "get", f"/api/portal/tickets/{others.number}/", None, 404)
    nothing = call(writes, "get", "/api/portal/tickets/INC-987654/", None, 404)
    assert foreign | {"request_id": ""} == nothing | {"request_id": ""}
    call(Client(headers={"authorization": "Bearer " + identity.create_token("nobody")}), "get",
         "/api/portal/tickets/", None, 403)  # fmt: skip
    call(Client(), "get", "/api/portal/tickets/", None, 401)


def test_a_contact_sees_what_the_people_of_the_organisation_and_its_parts_asked_for(people: People) -> None:
    ann, bob, eve = people("ann", "customer"), people("bob", "customer"), people("eve", "customer")
    acme = Organisation.objects.create(name="Acme", kind="customer")
    part = Organisation.objects.create(name="Acme Berlin", kind="customer", parent=acme)
    team = Team.objects.create(name="Acme Berlin's people", organisation=part)
    team.members.add(bob)
    its, other = ticket(bob, "of bob"), ticket(eve, SECRET)
    for n, expected in ((0, set()), (1, {its.number})):
        if n:
            Contact.objects.create(user=ann, organisation=acme)
        shown = call(token(ann, "read"), "get", "/api/portal/tickets/")["results"]
        assert {t["number"] for t in shown} == expected
    browser = session(ann)
    assert "of bob" in browser.get("/portal/").content.decode()
    assert browser.post(f"/portal/tickets/{its.number}/reply/", {"text": "me too"}).status_code == 302
    assert browser.get(f"/portal/tickets/{other.number}/").status_code == 404
    Contact.objects.all().delete()
    assert browser.get(f"/portal/tickets/{its.number}/").status_code == 404


@pytest.mark.parametrize("how", ["alone", "with operations engineer", "in an organisation"])
def test_whoever_is_a_customer_is_nothing_else(people: People, how: str) -> None:
    scope = (
        {"in_organisation": Organisation.objects.create(name="Acme")} if how == "in an organisation" else {}
    )
    ann = people("ann", "customer", **scope)
    if how == "with operations engineer":
        Grant.objects.create(role=Role.objects.get(name="operations engineer"), user=ann, reason="test",
                             approved_by="test", valid_from=timezone.now())  # fmt: skip
    assert session(ann).get("/tickets/").status_code == 404
    assert token(ann).get("/api/tickets/").status_code == 403
    root = people("root", "customer")
    root.is_administrator = True
    root.save()
    assert session(root).get("/tickets/").status_code == 200


def test_an_external_auditor_changes_nothing_here_either(people: People) -> None:
    eve = people("eve", "external auditor")
    made = ticket(eve)
    assert session(eve).get(f"/portal/tickets/{made.number}/").status_code == 200
    assert session(eve).post(f"/portal/tickets/{made.number}/close/").status_code == 403
    call(token(eve), "post", "/api/portal/tickets/", {"title": "t"}, 403)


class TestNothingElseIsThere:
    """With a session and with a token, a customer tries every kind of record and every address."""

    @pytest.fixture(autouse=True)
    def _others(self, people: People) -> None:
        self.ann, self.bob = people("ann", "customer"), people("bob", "customer")
        people("root")
        User.objects.filter(username="root").update(is_administrator=True)
        self.root = session(User.objects.get(username="root"))
        self.own, self.others = ticket(self.ann, "mine"), ticket(self.bob, SECRET, description=SECRET)
        Item.objects.create(id="i-secret", name=SECRET, kind="host", first_seen_at=timezone.now(),
                            last_seen_at=timezone.now())  # fmt: skip
        self.said = say(
            SYSTEM, self.others, SECRET, public=True, source="api", files=[stored(SECRET.encode())]
        )
        self.note = say(
            SYSTEM, self.own, SECRET, public=False, source="api", files=[stored(SECRET.encode() * 2)]
        )
        for path, body in (("notes", {"kind": "tickets", "record": str(self.own.pk), "text": SECRET}),
                           ("queues", {"name": SECRET}), ("schedules", {"name": SECRET}),
                           ("calendars", {"name": SECRET}), ("tags", {"name": SECRET})):  # fmt: skip
            call(self.root, "post", f"/api/{path}/", body, 201)

    def clients(self) -> Iterator[Client]:
        yield session(self.ann)
        yield token(self.ann)

    def test_of_no_kind_of_record(self) -> None:
        keys = {r.path: self._key(r) for r in registry}
        assert sum(k is not None for k in keys.values()) > 15
        # A session comes no further than the gate, whatever the address; a token is bound by policies alone.
        for client, deep in zip(self.clients(), (False, True), strict=True):
            for kind in registry:
                there, gone = keys[kind.path] or "987654", "987655"
                for url in (
                    f"/api/{kind.path}/",
                    f"/api/{kind.path}/?format=csv",
                ):
                    answer = client.get(url)
                    if issubclass(kind.model, Hanging) and answer.status_code == 200:
                        # What hangs on records is read by whoever may read those, so its list is there, and empty.
                        assert '"count":0' in _text(answer) or "csv" in url, url
                    elif kind.path != "tokens":
                        assert answer.status_code in (403, 404), (url, answer.content)
                    assert SECRET not in _text(answer)
                self._same(client, "get", f"/api/{kind.path}/", "", there, gone)
                for act in ("", *(f"{a.name}/" for a in kind.actions)) if deep else ():
                    for method in ("post",) if act else ("patch", "delete"):
                        self._same(client, method, f"/api/{kind.path}/", act, there, gone)
                for related in kind.related if deep else ():
                    self._same(client, "get", f"/api/{kind.path}/", f"{related}/", there, gone)
                answer = client.post(f"/api/{kind.path}/", "{}", content_type=JSON)
                assert answer.status_code in (400, 403, 404, 405), (kind.path, answer.content)
                assert answer.status_code != 400 or kind.path == "tokens" or issubclass(kind.model, Hanging)
        assert Ticket.objects.count() == 2

    def test_not_on_what_hangs_on_records(self) -> None:
        for client in self.clients():
            for kind, key in (("tickets", self.own.pk), ("tickets", self.others.pk), ("tickets", 987_654),
                              ("ticket-messages", self.note.pk), ("items", "i-secret"), ("items", "none")):  # fmt: skip
                note = json.dumps({"kind": kind, "record": str(key), "text": "x"})
                answers = [
                    client.post("/api/notes/", note, content_type=JSON),
                    client.get(f"/api/annotations/{kind}/{key}/"),
                    client.post("/api/files/upload/", {"kind": kind, "record": str(key),
                                                       "file": SimpleUploadedFile("a.txt", b"x")}),
                ]  # fmt: skip
                assert {a.status_code for a in answers} <= {400, 403, 404}, [a.content for a in answers]
        assert File.objects.count() == 2

    def _key(self, kind: Any) -> str | None:
        first = kind.queryset().order_by("pk").values_list("pk", flat=True).first()
        return None if first is None else str(first)

    def _same(self, client: Client, method: str, base: str, act: str, there: str, gone: str) -> None:
        """A record that there is answers as one that there is not."""
        more = ["{}"] if method in ("post", "patch") else []
        answers = [
            getattr(client, method)(f"{base}{k}/{act}", *more, content_type=JSON) for k in (there, gone)
        ]
        # What an act asks for is looked at before the record is, alike for one that there is not.
        assert answers[0].status_code in (400 if act else 404, 403, 404, 405), (
            method,
            base,
            act,
            answers[0].content,
        )
        assert answers[0].status_code == answers[1].status_code
        bodies = [
            re.sub(rf"\b{re.escape(key)}\b", "KEY", re.sub(r"request_id\W+\w+", "", _text(answer)))
            for answer, key in zip(answers, (there, gone), strict=True)
        ]
        assert bodies[0] == bodies[1], (method, base, act)

    def test_at_no_address(self) -> None:
        """Every address that there is, with keys of what others own in its place."""
        urls = sorted(set(_addresses(get_resolver().url_patterns, self._filling())))
        assert len(urls) > 150
        own = re.compile(r"/(sign-in|sign-out|account|password|portal|api/portal|api/tokens|calendar/)")
        odd = []
        for client, methods in zip(self.clients(), (("get",), ("get", "post")), strict=True):
            for url, method in ((u, m) for u in urls for m in methods):
                if url.startswith(("/sign-out", "/account/sessions", "/account/security", "/password")):
                    continue  # one's own, and it would end the session
                answer = getattr(client, method)(url)
                assert SECRET not in _text(answer), url
                assert answer.status_code != 500, url
                if answer.status_code == 302 and not own.match(url):
                    # To the portal; or, for a token, which the console does not know, to sign in.
                    assert answer.headers["Location"].startswith(("/portal/", "/sign-in/", "/account/")), url
                elif not own.match(url) and not self._nothing(answer, token="post" in methods):
                    odd.append((url, method, answer.status_code, _text(answer)[:200]))
        assert not [o for o in odd if not HARMLESS.match(o[0])]

    def _nothing(self, answer: Any, *, token: bool) -> bool:
        """Whether it was refused; a token may also be told that it asked wrongly, or that there is nothing for it."""
        if answer.status_code in (401, 403, 404, 405, 415):
            return True
        empty = answer.status_code == 200 and (answer.content == b"[]" or b'"count":0,' in answer.content)
        return token and (answer.status_code == 400 or empty)

    def _filling(self) -> dict[str, list[str]]:
        file = File.objects.filter(record=str(self.said.pk)).get()
        noted = File.objects.filter(record=str(self.note.pk)).get()
        return {
            "number": [self.others.number or "", str(self.others.pk), str(file.pk), str(noted.pk)],
            "key": [str(self.others.pk), str(file.pk), str(noted.pk), "i-secret"],
            "pk": [str(self.others.pk), str(self.said.pk), str(self.note.pk)],
            "path": ["tickets", "ticket-messages", "items", "audit"],
            "kind": ["tickets", "notes"],
            "name": ["x", "audit-verify"],
            "link": ["1:abc:def"],
            "secret": ["x"],
        }

    def test_a_file_of_an_internal_note_on_their_own_ticket_is_not_theirs(self) -> None:
        noted = File.objects.get(record=str(self.note.pk))
        for client in self.clients():
            for base in ("/portal", "/api/portal"):
                answer = client.get(f"{base}/tickets/{self.own.number}/files/{noted.pk}/")
                assert answer.status_code in (302, 404), base

    def test_their_own_ticket_shows_nothing_of_how_the_desk_goes_about_it(self) -> None:
        shown = token(self.ann).get(f"/api/portal/tickets/{self.own.number}/").json()
        assert set(shown) == {"number", "type", "title", "description", "status", "status_words", "requester",
                              "opened_at", "resolved_at", "closed_at"}  # fmt: skip


def _text(answer: Any) -> str:
    parts = answer.streaming_content if answer.streaming else [answer.content]
    found = b"".join(parts) if not hasattr(parts, "__aiter__") else b""
    return str(found.decode("utf-8", "replace"))


def _addresses(patterns: Any, filling: dict[str, list[str]], before: str = "") -> Iterator[str]:
    """Every address of these patterns, with each argument as it may be filled."""
    for entry in patterns:
        route = before + _route(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _addresses(entry.url_patterns, filling, route)
        elif isinstance(entry, URLPattern):
            names = re.findall(r"<(?:\w+:)?(\w+)>", route)
            for n in range(max((len(filling.get(a, ["x"])) for a in names), default=1)):
                url = route
                for a in names:
                    values = filling.get(a, ["x"])
                    url = re.sub(rf"<(?:\w+:)?{a}>", values[n % len(values)], url, count=1)
                yield "/" + url.lstrip("/")


def _route(pattern: Any) -> str:
    """A pattern of a path as it is; of a router's regular expression, with its groups as arguments."""
    text = str(pattern)
    text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", text)
    text = text.replace("\\.", ".").replace("\\Z", "").replace("/?$", "/")
    return text.strip("^$").replace("$", "")
