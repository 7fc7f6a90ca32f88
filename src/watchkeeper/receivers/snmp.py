"""What an SNMP notification says, as an event: its name and severity, which alert it begins or ends, and its variables
in readable names. Pure: no packets here, and no sockets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.snmp_names import Notification, in_words, notification, variable

NAME = "snmp"
_VALUE = 1000  # characters of a variable that are kept
_MOST = 64  # variables that are kept
_ENVELOPE = frozenset(
    ("sysUpTime", "snmpTrapOID", "snmpTrapAddress", "snmpTrapCommunity", "snmpTrapEnterprise")
)


class Told(msgspec.Struct):
    """One notification in the terms of SNMPv2 (a v1 trap is translated as RFC 3584 says). `variables` are OID and text,
    without the two that every notification begins with."""

    sender: str  # address that it came from
    version: str  # 1 2c 3
    trap: str  # OID
    variables: Sequence[tuple[str, str]] = ()
    uptime: int = 0  # hundredths of a second
    user: str = ""
    signed: bool = False  # proven to be of this user


def reported(told: Told, now_ms: int) -> Reported:
    """The event."""
    meaning = notification(told.trap)
    named = [(*variable(oid), text[:_VALUE]) for oid, text in told.variables[:_MOST]]
    first: dict[str, str] = {}
    for name, _, text in named:
        if name:
            first.setdefault(name, text)
    host = _host(told, first)
    about, instance = _about(meaning, named, first)
    labels = {"host": host, "trap": meaning.name, **about}
    if meaning.about or meaning.over:
        labels["trap"] = meaning.over or meaning.name
        labels[DEDUP_KEY] = f"{host} {labels['trap']} {instance}"
    firing = not meaning.over
    return Reported(
        name=meaning.over or meaning.name,
        labels=labels,
        firing=firing,
        severity=meaning.severity,
        summary=_summary(meaning.name, host, about, named),
        starts_ms=now_ms if firing else 0,
        ends_ms=now_ms + meaning.lasts if meaning.lasts else 0,
        annotations=_annotations(told, named),
    )


def _host(told: Told, first: dict[str, str]) -> str:
    """Who is meant: by name where the notification has one; behind a proxy the address it gives, else the sender's."""
    address = first.get("snmpTrapAddress", "")
    return first.get("sysName") or (address if address not in ("", "0.0.0.0") else told.sender)


def _about(
    meaning: Notification, named: Sequence[tuple[str, str, str]], first: dict[str, str]
) -> tuple[dict[str, str], str]:
    """Labels for the part of the host that is meant, and the instance that tells it from others of its kind."""
    if meaning.about == "ifIndex":
        index = first.get("ifIndex") or next((i for name, i, _ in named if name.startswith("if")), "")
        interface = first.get("ifName") or first.get("ifDescr") or index
        return ({"interface": interface} if interface else {}), index
    if meaning.about == "bgpPeer":
        peer = next((i for name, i, _ in named if name.startswith("bgpPeer")), "")
        return ({"peer": peer} if peer else {}), peer
    if meaning.about:
        value = first.get(meaning.about, "")
        return ({meaning.about: value} if value else {}), value
    return {}, ""


def _annotations(told: Told, named: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    out = {"snmp.version": told.version, "snmp.trap": told.trap, "snmp.sender": told.sender}
    if told.user:
        out["snmp.user"] = told.user
    if told.uptime:
        out["sysUpTime"] = f"{told.uptime / 100:.2f} s"
    for name, instance, text in named:
        if name in ("snmpTrapCommunity", "sysUpTime", "snmpTrapOID"):
            continue  # a community is a password of sorts; the others are there
        key = instance if not name else name if instance == "0" else f"{name}.{instance}"
        out[key] = in_words(name, text)
    return out


def _summary(name: str, host: str, about: dict[str, str], named: Sequence[tuple[str, str, str]]) -> str:
    if name == "linkDown" or name == "linkUp":
        return f"Interface {about.get('interface', '?')} of {host} is {name.removeprefix('link').lower()}"
    told = ", ".join(
        f"{variable or instance.rpartition('.')[2]} = {in_words(variable, text)}"
        for variable, instance, text in named
        if variable not in _ENVELOPE
    )
    return f"{name} from {host}" + (f": {told}" if told else "")
