"""A mail as an event: what its subject says without what varies from mail to mail, how bad, and whether it is over. Pure:
no connection here. What is built to be costly to read is refused.
"""

from __future__ import annotations

import html
import re
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr

import nh3

from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.events import Reported

NAME = "mail"
MOST = 1024 * 1024  # bytes of a mail
LASTS_MS = 24 * 3_600_000  # a mail that is never told to be over stands for a day
_MULTIPARTS = 50
_PARTS = 500
_READ = 64 * 1024  # bytes of text that are looked at
_SUMMARY = 5  # lines
_LONGEST = 1000  # characters of them

_REPLY = re.compile(r"\s*(?:(?:re|fwd?|aw|wg|sv|vs|tr|rv)\s*:|\[(?:ext|external|extern)\])\s*", re.IGNORECASE)
_OVER = re.compile(
    r"[\s*]*(?:\[?\s*(?:resolved|ok|recovery|recovered|cleared|closed|up)\b(?:\s+in\s[^:\]]*)?\s*(?:[\]:]|-\s|:\d+\])"
    r"|(?:resolved|recovery|recovered)\b)[\s:]*",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"[\s*]*\[?\s*(?:problem|firing|alert|alarm|triggered|down|critical|error|warning|notice|info)\b(?::\d+)?"
    r"\s*(?:[\]:]|-\s|(?=service alert|host alert))[\s:]*",
    re.IGNORECASE,
)
_IS = re.compile(r"\s+is\s+(?:ok|up|down|warning|critical|unknown|unreachable)\b", re.IGNORECASE)
#: what differs between two mails about the same thing: ids, times, and numbers that are no part of a name
_VOLATILE = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=[a-f]*\d)[0-9a-f]{12,}\b"
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?\b|\b\d{1,2}:\d\d(?::\d\d)?\b"
    r"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|(?<![\w.:/-])[#+-]?\d+(?:[.,]\d+)*(?:\s?%|[a-z]{1,2}\b)?(?![\w./:-])",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(<(?:br|/p|/div|/tr|/li|/h\d)\b)", re.IGNORECASE)
#: how monitoring systems say in the text which host they mean
_HOST = re.compile(
    r"^[ \t]*host(?:[ ]?name)?[ \t]*:[ \t]*([\w.:-]{1,250})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_SEVERITIES = (
    ("critical", re.compile(r"\b(?:critical|crit|fatal|emergency|disaster|down|outage|unreachable)\b", re.IGNORECASE)),
    ("error", re.compile(r"\b(?:error|fail(?:ed|ure|s)?|problem|high|major)\b", re.IGNORECASE)),
    ("warning", re.compile(r"\b(?:warning|warn|average|minor)\b", re.IGNORECASE)),
    ("info", re.compile(r"\b(?:info|information|notice|success(?:ful)?|completed)\b", re.IGNORECASE)),
)  # fmt: skip


def reported(raw: bytes, sender: str, now_ms: int) -> Reported:
    """The event of a mail; `sender` is the address that its envelope gives. Raises Malformed or TooLarge."""
    _weigh(raw)
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        subject = header(mail, "Subject")
        text = _text(mail)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed(f"the mail cannot be read: {type(error).__name__}") from error
    name, over = tamed(subject)
    origin = parseaddr(header(mail, "From"))[1] or sender
    said = _HOST.search(text)
    host = header(mail, "X-Host") or (said[1] if said else "")
    labels = {"from": origin.lower(), "host": host, "service": header(mail, "X-Service")}
    lines = [line for line in (" ".join(x.split()) for x in text.splitlines()) if line][:_SUMMARY]
    return Reported(
        name=name or "Mail without a subject",
        labels={k: v for k, v in labels.items() if v},
        firing=not over,
        severity="info" if over else _severity(mail, subject),
        summary="\n".join(lines)[:_LONGEST] or subject,
        starts_ms=0 if over else now_ms,
        ends_ms=0 if over else now_ms + LASTS_MS,
        annotations={"subject": subject, "message_id": header(mail, "Message-ID")},
    )


def tamed(subject: str) -> tuple[str, bool]:
    """A subject without what varies, and whether it says that something is over.

    >>> tamed("Re: PROBLEM: disk /var at 91% on web1"), tamed("RESOLVED: disk /var at 84% on web1")
    (('disk /var at … on web1', False), ('disk /var at … on web1', True))
    """
    rest = subject.strip()
    while found := _REPLY.match(rest):
        rest = rest[found.end() :]
    over = _OVER.match(rest)
    if over:
        rest = rest[over.end() :]
    elif state := _STATE.match(rest):
        rest = rest[state.end() :]
    rest = _VOLATILE.sub("…", _IS.sub("", rest.strip(" *")))
    return " ".join(rest.split())[:300].strip(), over is not None


def header(mail: Message, name: str) -> str:
    """A header as text in one line, "" when there is none."""
    value = mail.get(name)
    if value is None:
        return ""
    try:
        text = str(make_header(decode_header(str(value)[:4000])))
    except (MessageError, ValueError, LookupError):
        text = str(value)[:4000]
    return " ".join(text.encode("utf-8", "replace").decode().split())[:1000]


def _weigh(raw: bytes) -> None:
    if len(raw) > MOST:
        raise TooLarge(f"a mail may have {MOST} bytes")
    multiparts = raw.lower().count(b"boundary")
    if multiparts > _MULTIPARTS or (multiparts and raw.count(b"\n--") > _PARTS):
        raise TooLarge("the mail has too many parts", reason="too_many_parts")


def _text(mail: Message) -> str:
    """The first text of a mail; of HTML what one reads."""
    found = ""
    for part in mail.walk():
        kind = part.get_content_type()
        if part.is_multipart() or kind not in ("text/plain", "text/html"):
            continue
        if part.get_content_disposition() == "attachment":
            continue
        payload = part.get_payload(decode=True)
        data = payload[:_READ] if isinstance(payload, bytes) else b""
        text = _decoded(data, part.get_content_charset() or "utf-8")
        if kind == "text/plain" and text.strip():
            return text
        found = found or (_readable(text) if kind == "text/html" else "")
    return found


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _readable(text: str) -> str:
    broken = _BREAK.sub(r"\n\1", text)
    return html.unescape(
        nh3.clean(broken, tags=set(), clean_content_tags={"script", "style", "head", "title"})
    )


def _severity(mail: Message, subject: str) -> str:
    """What the mail says itself, else what words of the subject say."""
    if told := header(mail, "X-Severity"):
        return told
    found = next((severity for severity, words in _SEVERITIES if words.search(subject)), "")
    if found:
        return found
    urgent = header(mail, "X-Priority")[:1] in ("1", "2") or header(mail, "Importance").lower() == "high"
    return "error" if urgent else "warning"
