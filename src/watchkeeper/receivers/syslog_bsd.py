"""Syslog as it was before RFC 5424: what RFC 3164 found in the wild, and what is in the wild today. A time, a
host and a tag are each there or not; Cisco puts a number in front; firewalls write key=value and no more.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from watchkeeper.receivers import syslog_time

_HOST_NAME = r"[A-Za-z0-9._-]{1,255}"
_LEAD = re.compile(
    r"(?:(?P<seq>\d{1,12}) ?: ?|: ?)?"  # Cisco's sequence number; NX-OS: nothing but the colon
    rf"(?:(?P<host>{_HOST_NAME})(?:: ?| (?=(?:RP|LC)/)))?"  # Cisco's origin-id
    r"(?:(?P<part>(?:RP|LC)/[\w/]{1,40}) ?: ?)?"  # IOS-XR: which card
    r"(?:(?P<task>\*\w{1,60}): ?)?"  # wireless controllers: which task
    r"[*.]?",  # the clock was never set, or is not in step
    re.ASCII,
)
_GAP = re.compile(" *(?P<colon>:? *)")
_HOST = re.compile(rf"(?P<host>{_HOST_NAME}|[0-9A-Fa-f:]{{2,39}}(?:%\w{{1,15}})?)(?: +(?:: *)?|$)", re.ASCII)
_TAG = re.compile(r"(?P<tag>[A-Za-z0-9._/()+@,-]{1,128})(?:\[(?P<pid>[^\]\s]{1,64})\])? ?:(?: |$)", re.ASCII)
_CISCO = re.compile(r"%(?P<facility>[A-Z][A-Za-z0-9_-]{1,60})-[0-7]-(?P<mnemonic>\w{1,80}) ?:", re.ASCII)
_RELAYED = re.compile(r"(?:(?P<seq>\d{1,12}) ?: ?)?(?:[*.]?\w[^%]{10,60}: ?)?(?=%)", re.ASCII)
_F5 = re.compile(
    r"(?:emerg|alert|crit|err|warning|notice|info|debug) (?=[\w./-]{1,60}(?:\[\d+\])?: )", re.ASCII
)
_ARUBA = re.compile(r"(?P<event>\d{5}) (?=[\w./-]{1,60}: )", re.ASCII)
_NETAPP = re.compile(r"\[(?P<host>[A-Za-z0-9._-]{1,255}):(?P<event>[\w.-]{1,120}):\w{1,20}\]: ?", re.ASCII)
_PAIRS = re.compile(r"(?:date|device_name|devname|device|logver)=")
_PAIR = re.compile(r'(\w{1,40})=(?:"([^"]*)"|([^\s"]*))', re.ASCII)
_PAIRS_READ = 2000  # characters at the beginning, where firewalls name themselves


class Said(NamedTuple):
    """What a message says of itself; None or "" where it says nothing. `time_ns` is Unix nanoseconds."""

    time_ns: int | None
    host: str
    source: str
    body: str
    labels: dict[str, str]


def read_bsd(text: str, now_ms: int, zone: int) -> Said:
    """What is behind the priority. Never fails: what is not recognised is body. Times without a zone are in
    `zone`, minutes east of Greenwich."""
    text = text.lstrip(" ")
    if _PAIRS.match(text):
        return _firewall(text, now_ms, zone)
    stamp = syslog_time.find(text, 0, now_ms, zone)
    if stamp is not None:
        gap = _gap(text, stamp.end)
        return _content(text, gap.end(), stamp.time_ns, "", {}, named=not gap["colon"])
    lead = _LEAD.match(text)
    if lead is not None and lead.end():
        labels = {k: v for k, v in lead.groupdict().items() if v and k != "host"}
        host = lead["host"] or ""
        stamp = syslog_time.find(text, lead.end(), now_ms, zone)
        if stamp is not None:
            return _content(text, _gap(text, stamp.end).end(), stamp.time_ns, host, labels, named=False)
        if _CISCO.match(text, lead.end()):
            return _content(text, lead.end(), None, host, labels, named=False)
    return _content(text, 0, None, "", {}, named=False)


def _gap(text: str, at: int) -> re.Match[str]:
    gap = _GAP.match(text, at)
    assert gap is not None
    return gap


def _content(
    text: str, at: int, time_ns: int | None, host: str, labels: dict[str, str], *, named: bool
) -> Said:
    """Host (if one is to be expected), tag and body from `at` on."""
    tag = _TAG.match(text, at)
    if tag is not None and not tag["pid"] and _CISCO.match(text, tag.end()):
        host, at, tag = tag["tag"], tag.end(), None
    elif named and tag is None and (found := _HOST.match(text, at)) is not None:
        host, at = found["host"], found.end()
        tag = _TAG.match(text, at)
        relayed = _RELAYED.match(text, at) if tag is None or tag["tag"].isdigit() else None
        if relayed is not None and _CISCO.match(text, relayed.end()):
            labels = labels | ({"seq": relayed["seq"]} if relayed["seq"] else {})
            at = relayed.end()
        elif (severity := _F5.match(text, at)) is not None:
            at = severity.end()
        elif (event := _ARUBA.match(text, at)) is not None:
            labels, at = {**labels, "msgid": event["event"]}, event.end()
        tag = _TAG.match(text, at)
    if tag is not None:
        labels = labels | ({"pid": tag["pid"]} if tag["pid"] else {})
        at = tag.end()
    source = tag["tag"] if tag else ""
    if (cisco := _CISCO.match(text, at)) is not None:
        labels = {**labels, "msgid": cisco["mnemonic"]}
        source = source or cisco["facility"]
    elif tag is None and (ems := _NETAPP.match(text, at)) is not None:
        labels = {**labels, "msgid": ems["event"]}
        host, source = ems["host"], "ems"
    return Said(time_ns, host, source, text[at:], labels)


def _firewall(text: str, now_ms: int, zone: int) -> Said:
    """FortiGate and Sophos: the device, the time and the kind of event are among the pairs."""
    pairs = {k: quoted or bare for k, quoted, bare in _PAIR.findall(text[:_PAIRS_READ])}
    time_ns: int | None = None
    epoch = pairs.get("eventtime", "")
    if epoch.isascii() and epoch.isdigit() and 10 <= len(epoch) <= 19:
        time_ns = int(epoch.ljust(19, "0"))  # seconds, milli-, micro- or nanoseconds
    elif "date" in pairs:
        written = f"{pairs['date']} {pairs.get('time', '')}{pairs.get('tz', '')}"
        stamp = syslog_time.find(written, 0, now_ms, zone)
        time_ns = stamp.time_ns if stamp else None
    host = pairs.get("devname") or pairs.get("device_name") or pairs.get("device", "")
    source = pairs.get("type") or pairs.get("log_type", "")
    msgid = pairs.get("logid") or pairs.get("log_id", "")
    return Said(time_ns, host, source, text, {"msgid": msgid} if msgid else {})
