"""A message to one person by one of their ways, or by mail to the address of their account."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.domains.oncall.paging import push, telephony, wording
from watchkeeper.domains.oncall.paging.own_models import ContactMethod
from watchkeeper.domains.outgoing import chat, mail, webhooks
from watchkeeper.domains.outgoing.chat import Message

Channel = ContactMethod.Channel


@dataclass(frozen=True, slots=True)
class Way:
    """Where a message goes."""

    channel: str
    address: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back. `arrived`: the receiver itself has it; else somebody who passes it on has."""

    said: str
    arrived: bool = False
    reference: str = ""


def send(way: Way, cause: str, message: Message, answer: str = "", told: str = "") -> Sent:
    """Send it; the same `cause` is the same message. `answer` is where a key of the telephone acknowledges, `told` where a
    provider says how it went. Raises TryAgain, GiveUp, Unwanted, NotAllowed, Unreachable or OSError."""
    match way.channel:
        case Channel.EMAIL:
            return Sent(_mail(way, cause, message))
        case Channel.SMS:
            sid = telephony.telephone().text(way.address, wording.short(message), told)
            return Sent(f"accepted as {sid}", reference=sid)
        case Channel.VOICE:
            sid = telephony.telephone().call(way.address, wording.spoken(message, answer), told)
            return Sent(f"accepted as {sid}", reference=sid)
        case Channel.PUSH:
            return Sent(push.send(way.address, way.secret, message))
    said = chat.send(way.channel, way.address, way.secret, webhooks.message_id(cause), message)
    return Sent(said, arrived=True)


def _mail(way: Way, cause: str, message: Message) -> str:
    links = [line for words, url in message.links for line in (f"{words}: {url}", "")]
    lines = [message.title, "", *message.lines, "", *links]
    made = mail.compose(webhooks.message_id(cause), [way.address], message.title, lines)
    return mail.send(made, [way.address])
