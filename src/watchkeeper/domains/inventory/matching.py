"""Reasons to take two items for the same thing, and how much they weigh together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

PROPOSED_FROM = 0.5  # of the score


class Rule(NamedTuple):
    """A reason as it is at the first start: see models.MatchRule."""

    weight: float
    automatic: bool
    description: str


RULES: dict[str, Rule] = {
    "hardware": Rule(0.99, True, "the same serial number and the same hardware UUID"),
    "cloud id": Rule(0.95, False, "the same id at a cloud provider"),
    "serial": Rule(0.9, False, "the same serial number"),
    "uuid": Rule(0.9, False, "the same UUID"),
    "listener": Rule(0.8, False, "calls to where one listens are answered by the other"),
    "mac": Rule(0.75, False, "ports with the same MAC address"),
    "fqdn": Rule(0.75, False, "the same full host name"),
    "service name": Rule(0.75, False, "the same service.name"),
    "host name": Rule(0.6, False, "a host name, and the full name that it begins"),
    "near name": Rule(0.5, False, "names that differ only in how they are written"),
    "address": Rule(
        0.3, False, "the same address; alone it says little: addresses are shared and given anew"
    ),
}
_OF_SCHEME = {
    "serial": "serial", "uuid": "uuid", "host.id": "uuid", "cloud.id": "cloud id", "mac": "mac", "fqdn": "fqdn",
    "hostname": "host name", "service.name": "service name", "address": "address",
}  # fmt: skip
_SHARED_MAC = re.compile(r"00:00:5e:|01:|33:33:|00:00:00:00|.[26ae]:")  # VRRP, multicast, made up locally
_DIGITS = re.compile(r"0+(\d)")
_BETWEEN = re.compile(r"[\s_.\-]+")


def rule_of(scheme: str, value: str) -> str:
    """The rule for two items that claim this identifier, "" for none: what is local to a machine, or shared by design."""
    if scheme == "mac" and _SHARED_MAC.match(value):
        return ""
    return _OF_SCHEME.get(scheme, "")


def score(weights: Iterable[float]) -> float:
    """How likely it is with independent reasons.

    >>> round(score([0.5, 0.6]), 2)
    0.8
    """
    doubt = 1.0
    for w in weights:
        doubt *= 1.0 - w
    return round(1.0 - doubt, 4)


def normal(name: str, kind: str) -> str:
    """A name without the ways in which people write the same one differently; "" when little is left.

    >>> normal("DB-01.example.org", "host"), normal("db_1", "host"), normal("7", "host")
    ('db1', 'db1', '')
    """
    word = name.strip().lower()
    word = word.partition(".")[0] if kind == "host" else word
    word = _DIGITS.sub(r"\1", _BETWEEN.sub("-", word)).replace("-", "")
    return word if len(word) > 1 and not word.isdigit() else ""
