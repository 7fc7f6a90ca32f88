"""Messages into chat channels, through the incoming webhooks that Slack, Mattermost and Microsoft Teams (Workflows)
offer, and to a webhook of one's own: one `Message`, and what each of them takes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from watchkeeper import __version__
from watchkeeper.domains.outgoing import outbound, webhooks
from watchkeeper.kernel import outbox

WEBHOOK, SLACK, MATTERMOST, TEAMS = "webhook", "slack", "mattermost", "teams"
#: what may be told besides people: value and words
CHAT = ((WEBHOOK, "webhook"), (SLACK, "Slack"), (MATTERMOST, "Mattermost"), (TEAMS, "Microsoft Teams"))
_COLOURS = {"critical": "#b3261e", "error": "#d9480f", "warning": "#e8a317"}
_OTHER = "#4c6b8a"
_LONGEST = 2500  # characters; a section of Slack takes 3,000


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is said. `links` are words and address; `data` goes to a webhook as it is, with `type` and `timestamp`."""

    title: str
    lines: Sequence[str] = ()
    severity: str = ""
    links: Sequence[tuple[str, str]] = ()
    data: Mapping[str, Any] = {}


def send(channel: str, address: str, secret: str, message_id: str, message: Message) -> str:
    """Send it on a channel of CHAT; what came back. Raises TryAgain, GiveUp, NotAllowed, Unwanted or Unreachable."""
    if channel == WEBHOOK:
        return webhooks.post(address, secret, message_id, dict(message.data))
    headers = {"Content-Type": "application/json", "User-Agent": f"Watchkeeper/{__version__}"}
    answer = outbound.post(address, msgspec.json.encode(body_of(channel, message)), headers)
    said = f"{answer.status} {answer.body[:300].decode('utf-8', 'replace')}".strip()
    if 200 <= answer.status < 300:
        return said
    final = answer.status in (
        400,
        401,
        403,
        404,
        410,
    )  # of all three: the webhook is gone, or takes no such thing
    raise (outbox.GiveUp if final else outbox.TryAgain)(said)


def body_of(channel: str, message: Message) -> dict[str, Any]:
    """What this channel's incoming webhook takes.

    >>> body_of("slack", Message(title="Disk <full>"))["text"]
    'Disk &lt;full&gt;'
    """
    text = "\n".join(message.lines)[:_LONGEST]
    return {SLACK: _slack, MATTERMOST: _mattermost, TEAMS: _teams}[channel](message, text)


def _slack(message: Message, text: str) -> dict[str, Any]:
    """Blocks, and `text` for notifications: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""
    title = _escaped(message.title)
    blocks: list[dict[str, Any]] = [_section(f"*{title}*")]
    blocks += [_section(_escaped(text))] if text else []
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": words}, "url": url}
        for words, url in message.links
    ]
    blocks += [{"type": "actions", "elements": buttons}] if buttons else []
    return {"text": title, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str) -> str:
    """As Slack wants it: nothing of what a sender writes is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mattermost(message: Message, text: str) -> dict[str, Any]:
    """An attachment: https://developers.mattermost.com/integrate/reference/message-attachments"""
    links = "\n".join(f"[{words}]({url})" for words, url in message.links)
    return {
        "attachments": [
            {
                "fallback": message.title,
                "color": _COLOURS.get(message.severity, _OTHER),
                "title": message.title,
                "title_link": message.links[0][1] if message.links else "",
                "text": "\n\n".join(filter(None, (_plain(text), links))),
            }
        ]
    }


def _plain(text: str) -> str:
    """Without mentions: Mattermost takes @all, @here and @channel from webhooks too."""
    return text.replace("@", "@\u200b")


def _teams(message: Message, text: str) -> dict[str, Any]:
    """An adaptive card, as a workflow that posts to a channel when a webhook request is received takes it."""
    colour = {"critical": "attention", "error": "attention", "warning": "warning"}.get(
        message.severity, "default"
    )
    head = {"type": "TextBlock", "text": message.title, "weight": "bolder", "size": "medium", "wrap": True,
            "color": colour}  # fmt: skip
    body = [head, *([{"type": "TextBlock", "text": text, "wrap": True}] if text else [])]
    actions = [{"type": "Action.OpenUrl", "title": words, "url": url} for words, url in message.links]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard",
            "version": "1.4", "body": body, "actions": actions}  # fmt: skip
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}
