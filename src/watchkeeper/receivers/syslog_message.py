"""One syslog message, of RFC 5424 or RFC 3164, as what a log row says. Complete and slow: what most senders
write most of the time is read by syslog_fields, which agrees with this.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec

from watchkeeper.model.errors import Malformed
from watchkeeper.receivers import syslog_time
from watchkeeper.receivers.syslog_bsd import Said, read_bsd

SEVERITIES = (21, 19, 18, 17, 13, 10, 9, 5)
"""OpenTelemetry's SeverityNumber of emergency … debug (OpenTelemetry's log data model, appendix B)."""

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", *(f"local{i}" for i in range(8)),
)  # fmt: skip

_PRIORITY = re.compile(rb"<(\d{1,3})>")
_HEADER = re.compile(
    rf"1 (?:-|(?P<time>{syslog_time.ISO.pattern})|(?P<epoch>\d{{9,10}})(?:\.(?P<part>\d{{1,9}}))?) "
    r"(?P<host>\S{1,255}) (?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_FIELDS = re.compile(
    r"(?P<app>\S{1,255}) (?P<pid>\S{1,255}) (?P<msgid>\S{1,255})(?: (?P<rest>.*))?", re.ASCII | re.DOTALL
)
_NAME = r'[^\s=\]"]{1,255}+'
_ELEMENT = re.compile(rf'\[({_NAME})((?: +{_NAME}="(?:[^"\\]|\\.)*+")*+) *\]', re.DOTALL)
_PARAMETER = re.compile(rf' +({_NAME})="((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_PARAMETERS = 64  # of one message that become labels
encode_labels = msgspec.json.Encoder(order="sorted").encode
"""Labels as JSON, keys sorted."""


class Message(NamedTuple):
    """What one message says: Unix nanoseconds, SeverityNumber, and the columns; `labels` is JSON."""

    time_ns: int
    severity: int
    host: str
    source: str
    body: str
    labels: bytes


def read(raw: bytes, sender: str, now_ms: int, zone: int) -> Message:
    """One message without its framing. `sender` is the address it came from, its host if it names none;
    `zone` is this place's, in minutes east of Greenwich.

    Raises Malformed with the reasons `no_priority`, `bad_priority`, `bad_header`, `empty`.
    """
    raw = raw.rstrip(b"\r\n\0")
    found = _PRIORITY.match(raw)
    if found is None:
        raise Malformed("a syslog message begins with <0> to <191>", reason="no_priority")
    priority = int(found[1])
    if priority > 191:
        raise Malformed(f"<{priority}> is no priority: 191 is the highest", reason="bad_priority")
    text = _text(raw[found.end() :])
    if not text.strip():
        raise Malformed("there is nothing behind the priority", reason="empty")
    severity = SEVERITIES[priority & 7]
    labels = {"facility": FACILITIES[priority >> 3]}
    said = _rfc5424(text, now_ms) if text.startswith("1 ") else read_bsd(text, now_ms, zone)
    labels |= said.labels
    time_ns = now_ms * 1_000_000
    if said.time_ns is not None and syslog_time.plausible(said.time_ns, now_ms):
        time_ns = said.time_ns
    elif said.time_ns is not None:
        labels["device_time"] = syslog_time.iso(said.time_ns)
    return Message(time_ns, severity, said.host or sender, said.source, said.body, encode_labels(labels))


def _rfc5424(text: str, now_ms: int) -> Said:
    header = _HEADER.fullmatch(text)
    if header is None:
        raise Malformed(f"not a header of RFC 5424: {text[:80]!r}", reason="bad_header")
    host = _not_nil(header["host"])
    if header["epoch"]:  # Meraki: version, time and host, then program and text
        time_ns = int(header["epoch"]) * 10**9 + int((header["part"] or "").ljust(9, "0"))
        source, _, body = header["rest"].partition(" ")
        return Said(time_ns, host, source, body, {})
    stamp = syslog_time.unix_ns(header, now_ms, 0) if header["time"] else None
    fields = _FIELDS.fullmatch(header["rest"])
    if fields is None or (header["time"] and stamp is None):
        raise Malformed(f"not a header of RFC 5424: {text[:80]!r}", reason="bad_header")
    labels = {k: fields[k] for k in ("pid", "msgid") if fields[k] != "-"}
    rest = fields["rest"] or "-"
    more, body = structured_data(rest)
    body = body.removeprefix("\ufeff")
    if not body and rest[0] == "[":  # all that is said is in the structured data
        body = rest.removesuffix("\ufeff").removesuffix(" ")
    return Said(stamp, host, _not_nil(fields["app"]), body, {**labels, **more})


def structured_data(text: str) -> tuple[dict[str, str], str]:
    """The parameters of the structured data that the text begins with, as `id.name` → value, and the text
    behind it. What is no structured data, though it should be, is text."""
    if text == "-" or text.startswith("- "):
        return {}, text[2:]
    at = 0
    elements: list[str] = []
    while (element := _ELEMENT.match(text, at)) is not None:
        elements.append(element[0])
        at = element.end()
    if at == 0 or text[at : at + 1] not in ("", " "):
        return {}, text
    return _parameters(tuple(elements)), text[at + 1 :]


@lru_cache(4096)
def _parameters(elements: tuple[str, ...]) -> dict[str, str]:
    """Senders repeat most of their elements in every message."""
    found: dict[str, str] = {}
    for element in elements:
        name = _ELEMENT.fullmatch(element)
        assert name is not None
        for parameter in _PARAMETER.finditer(name[2]):
            if len(found) < _PARAMETERS:
                found[f"{name[1]}.{parameter[1]}"] = _ESCAPED.sub(r"\1", parameter[2])
    return found


def _not_nil(field: str) -> str:
    return "" if field == "-" else field


def _text(raw: bytes) -> str:
    """UTF-8, or what senders had before it: every byte a character."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
