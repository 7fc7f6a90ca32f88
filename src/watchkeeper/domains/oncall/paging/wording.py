"""What a page says on each channel."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
from django.conf import settings

from watchkeeper.domains.oncall.paging import links
from watchkeeper.domains.oncall.paging.models import Escalation, Page
from watchkeeper.domains.outgoing.chat import Message
from watchkeeper.kernel.events import text


def url_of(escalation: Escalation) -> str:
    """Where to read what it is about."""
    return f"{settings.PUBLIC_URL}/{escalation.kind}/{escalation.record}/"


def headline(escalation: Escalation) -> str:
    """In one line."""
    return f"[{escalation.severity}] {escalation.title}"


def of_page(page: Page) -> Message:
    """What one person is told."""
    escalation = page.escalation
    answer, there = links.to_page(page.pk), url_of(escalation)
    lines = [*_lines(escalation), f"You are told because: {page.because}."]
    return Message(
        title=headline(escalation), lines=lines, severity=str(escalation.severity),
        links=(("Acknowledge", answer), ("Open", there)),
        data=_data("page", escalation, person=page.person.username, acknowledge=answer),
    )  # fmt: skip


def of_step(escalation: Escalation, step: str, people: list[str]) -> Message:
    """What a channel is told of a step."""
    told = f"Told: {', '.join(people)}." if people else "Nobody could be told."
    return Message(
        title=headline(escalation), lines=[*_lines(escalation), f"{step}. {told}"],
        severity=str(escalation.severity), links=(("Open", url_of(escalation)),),
        data=_data("escalation.step", escalation, step=step, people=people),
    )  # fmt: skip


def of_test(by: str) -> Message:
    """That nothing is wrong."""
    return Message(
        title="A test: nothing is wrong", lines=[f"{by} wanted to know whether messages come here."],
        severity="info", links=(("My on-call", f"{settings.PUBLIC_URL}/my-on-call/"),),
        data={"type": "page.test", "timestamp": "", "data": {"by": by}},
    )  # fmt: skip


def of_code(code: str) -> Message:
    """The code that confirms a way."""
    return Message(
        title=f"{code} is your code for {links.host()}",
        lines=["Enter it on the page of this contact method within 15 minutes. Was it not you? Then do nothing."],
        data={},
    )  # fmt: skip


def _lines(escalation: Escalation) -> list[str]:
    since = escalation.began_at.strftime("%d %B %Y %H:%M UTC")
    said = [escalation.message] if escalation.message else []
    return [*said, f"Severity {escalation.severity}, escalated since {since}."]


def _data(type_: str, escalation: Escalation, **more: Any) -> dict[str, Any]:
    data = {
        "id": escalation.pk, "url": url_of(escalation), "kind": escalation.kind, "record": escalation.record,
        "title": escalation.title, "severity": str(escalation.severity), "urgency": escalation.urgency,
        "message": escalation.message,
    }  # fmt: skip
    plain: dict[str, Any] = msgspec.to_builtins({**data, **more}, enc_hook=str)
    return {"type": type_, "timestamp": text(escalation.began_at), "data": plain}


def short(message: Message) -> str:
    """For a text message: a line, and where to acknowledge."""
    first = f"\n{message.links[0][0]}: {message.links[0][1]}" if message.links else ""
    return message.title[:300] + first


def spoken(message: Message, answer: str) -> str:
    """For a call, as TwiML: said twice; a key acknowledges at the address `answer`, where there is one."""
    words = escape(message.title[:400])
    say = f'<Say>{words}</Say><Pause length="1"/>'
    if not answer:
        return f"<Response>{say * 2}</Response>"
    ask = "<Say>To acknowledge, press 4.</Say>"
    gather = f'<Gather numDigits="1" timeout="8" action={quoteattr(answer + "key/")}>{say}{ask}</Gather>'
    return f"<Response>{gather * 2}<Say>Nobody has acknowledged. Goodbye.</Say></Response>"
