"""A mail from its bytes: who, about what, the text, what was attached. It never raises: of what is broken, or built to be
costly, it gives what can be had and says why. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser

from watchkeeper.domains.desk.mail import bodies, quoting
from watchkeeper.domains.desk.mail.automatic import Bounce, Writer, bounce, writer
from watchkeeper.domains.desk.mail.headers import addresses, message_ids, raw_headers, text

MOST_PARTS, MOST_MULTIPARTS, MOST_FILES = 500, 60, 100
HEAD = 256 * 1024  # bytes of a mail in which its own headers have to end
_WRONG = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)


@dataclass(frozen=True, slots=True)
class Part:
    """Something attached, or shown within the text (`inline`)."""

    name: str
    type: str
    data: bytes = field(repr=False)
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. Addresses are in lower case; `broken` says in words why not all of it could be read."""

    message_id: str = ""
    refers: tuple[str, ...] = ()  # In-Reply-To and References, the nearest last
    name: str = ""
    address: str = ""
    to: tuple[str, ...] = ()  # of To and Cc, and where it was delivered to
    copies: tuple[tuple[str, str], ...] = ()  # name and address of those in To and Cc
    subject: str = ""
    text: str = ""
    quoted: str = ""
    parts: tuple[Part, ...] = ()
    writer: Writer = Writer.PERSON
    bounce: Bounce | None = None
    broken: str = ""
    identity: str = ""  # the same for the same mail, however often it comes


def read(raw: bytes, cut: bool = False) -> Mail:
    """The mail that these bytes are. `cut`: they are its beginning, and the rest is too much."""
    wrong = "The mail was too large; this is its beginning." if cut else _costly(raw)
    try:
        if wrong and not cut:
            return _headers_alone(raw, wrong)
        return _whole(raw, wrong)
    except _WRONG as error:
        return _headers_alone(raw, f"The mail could not be read ({type(error).__name__}).")


def _costly(raw: bytes) -> str:
    """Why this mail is not read in whole; "" for nearly all."""
    low = raw.lower()
    multiparts = low.count(b"boundary") + low.count(b"message/rfc822")
    if multiparts > MOST_MULTIPARTS or (multiparts and raw.count(b"\n--") > MOST_PARTS * 2):
        return "The mail has too many parts, or too many within one another."
    return ""


def _whole(raw: bytes, wrong: str) -> Mail:
    mail = message_from_bytes(raw, policy=policy.compat32)
    leaves = list(_leaves(mail))
    body, used = _body(leaves)
    files, more = _files(leaves, used)
    defects = "" if body or not mail.defects else "The mail is not put together as mails are."
    said, quoted = quoting.split(body)
    reported = bounce(mail, leaves)
    broken = " ".join(filter(None, (wrong, defects, more)))
    return _mail(raw, mail, said, quoted, files, reported, broken)


def _headers_alone(raw: bytes, why: str) -> Mail:
    try:
        mail: Message = BytesHeaderParser(policy=policy.compat32).parsebytes(raw[:HEAD])
        return _mail(raw, mail, "", "", (), None, why)
    except _WRONG:
        return Mail(broken=why, identity=hashlib.sha256(raw).hexdigest())


def _mail(
    raw: bytes, mail: Message, said: str, quoted: str, files: Iterable[Part], reported: Bounce | None, broken: str
) -> Mail:  # fmt: skip
    headers = raw_headers(mail)
    senders = addresses(headers.get("from", [])) or addresses(headers.get("sender", [])) or [("", "")]
    copies = addresses([*headers.get("to", []), *headers.get("cc", [])])
    to = addresses([*headers.get("delivered-to", []), *headers.get("x-original-to", [])])
    ids = message_ids(headers.get("message-id", []))
    told = "\n".join(x for n in ("message-id", "from", "date", "subject") for x in headers.get(n, []))
    return Mail(
        message_id=ids[0] if ids else "",
        refers=tuple(message_ids([*headers.get("references", []), *headers.get("in-reply-to", [])])),
        name=senders[0][0],
        address=senders[0][1],
        to=tuple(dict.fromkeys(a for _, a in (*copies, *to))),
        copies=tuple(copies),
        subject=text(" ".join(headers.get("subject", [])[:1])),
        text=said,
        quoted=quoted,
        parts=tuple(files),
        writer=Writer.BOUNCE if reported else writer(headers),
        bounce=reported,
        broken=broken,
        identity=hashlib.sha256(told.encode("utf-8", "replace") if ids else raw).hexdigest(),
    )


def _leaves(mail: Message) -> Iterable[Message]:
    """The parts that hold something, in their order; a mail within the mail is one of them. Bounded."""
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        inner = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if isinstance(inner, list):
            waiting += [p for p in reversed(inner) if isinstance(p, Message)]
        else:
            yield part


def _body(leaves: list[Message]) -> tuple[str, set[int]]:
    """The text and which parts it is of: plain text, else HTML; each text that is no file."""
    texts: dict[str, tuple[str, int]] = {}
    used = set()
    for n, part in enumerate(leaves):
        kind = part.get_content_type()
        if (
            kind not in ("text/plain", "text/html")
            or part.get_content_disposition() == "attachment"
            or part.get_filename()
        ):
            continue
        charset = str(part.get_content_charset() or "utf-8")
        convert = bodies.plain if kind == "text/plain" else bodies.from_html
        if kind not in texts:
            texts[kind] = (convert(_data(part), charset), n)
            used.add(n)
    chosen = texts.get("text/plain", ("", 0))[0] or texts.get("text/html", ("", 0))[0]
    return chosen, used


def _files(leaves: list[Message], used: set[int]) -> tuple[list[Part], str]:
    found: list[Part] = []
    more = ""
    for n, part in enumerate(leaves):
        if n in used or _is_no_file(part):
            continue
        data = _data(part)
        if not data:
            continue
        if len(found) == MOST_FILES:
            more = f"The mail has more than {MOST_FILES} attachments."
            break
        inline = part.get_content_disposition() != "attachment" and bool(part.get("Content-ID"))
        found.append(Part(_name(part, n), part.get_content_type(), data, inline))
    return found, more


def _is_no_file(part: Message) -> bool:
    return part.get_content_maintype() == "multipart" or part.get_content_type() == "message/delivery-status"


def _data(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        return (
            inner[0].as_bytes()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message)
            else b""
        )
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _name(part: Message, n: int) -> str:
    named = part.get_filename()
    if named:
        return text(str(named))[:200]
    return f"mail-{n + 1}.eml" if part.get_content_type() == "message/rfc822" else f"part-{n + 1}"
