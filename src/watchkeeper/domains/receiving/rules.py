"""When a user of SNMPv3, and a subscription to MQTT, can be one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from watchkeeper.model.expressions import Expression, WrongExpression
from watchkeeper.model.topics import Topic

SECRET = 8  # characters at least: RFC 3414, section 11.2
#: what a mapping may say of an event, beside `label.…` and `annotation.…`
FIELDS = ("name", "severity", "summary", "resolved", "key", "time", "url")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_METRIC = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:.]*|\{[a-zA-Z_][a-zA-Z0-9_.]*\})+")


def wrong_with_user(auth: str, auth_secret: str, privacy: str, privacy_secret: str) -> dict[str, str]:
    """Field → what is wrong with it."""
    wrong = {}
    signed, hidden = auth != "none", privacy != "none"
    if hidden and not signed:
        wrong["auth"] = "what is encrypted has to be signed as well"
    if signed and len(auth_secret) < SECRET:
        wrong["auth_secret"] = f"a pass phrase of at least {SECRET} characters is needed"
    if hidden and len(privacy_secret) < SECRET:
        wrong["privacy_secret"] = f"a pass phrase of at least {SECRET} characters is needed"
    return wrong


def wrong_topic(topics: Iterable[str]) -> str:
    """What is wrong with one of them; "" when all are good."""
    for topic in topics:
        try:
            Topic(topic)
        except ValueError as error:
            return f"{topic!r}: {error}"
    return ""


def wrong_mapping(mapping: Mapping[str, str]) -> str:
    """What is wrong with a mapping; "" when nothing is."""
    for field, expression in mapping.items():
        group, _, name = field.partition(".")
        if field not in FIELDS and not (group in ("label", "annotation") and name):
            return f"{field!r} is none of {', '.join(FIELDS)}, label.<name> and annotation.<name>"
        try:
            Expression(expression)
        except WrongExpression as error:
            return f"{field}: {error.detail}"
    return ""


def wrong_labels(labels: Mapping[str, str]) -> str:
    """What is wrong with labels; "" when nothing is."""
    return next((f"{name!r} is no name of a label" for name in labels if not _LABEL.fullmatch(name)), "")


def wrong_metric(metric: str, topics: Iterable[str]) -> str:
    """What is wrong with the name of a metric; "" when nothing is."""
    if metric and not _METRIC.fullmatch(metric):
        return "a metric is called such as room_temperature, or room_{measure}"
    given = [set(Topic(t).labels) for t in topics]
    for label in re.findall(r"\{([^}]+)\}", metric):
        if any(label not in labels for labels in given):
            return f"not every topic has a part {{{label}}}"
    return ""
