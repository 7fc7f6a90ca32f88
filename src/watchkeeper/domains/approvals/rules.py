"""When a step is approved, and what an approval is bound to. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

ALL = 0  # as a quorum: everybody who is asked
ROUNDS = 10  # of reminding about one step


class Standing(StrEnum):
    """How the approval of a record stands. CHANGED: it was asked for something that the record no longer is."""

    NONE = "none"
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A step: whom to ask (users and teams), how many of them have to approve (ALL: everybody), within how many hours, and
    who is asked as well when they do not answer in twice that time."""

    name: str
    people: Sequence[Any] = ()
    teams: Sequence[Any] = ()
    quorum: int = 1
    hours: int | None = None
    then_people: Sequence[Any] = ()
    then_teams: Sequence[Any] = ()


def needed(quorum: int, asked: int) -> int:
    """How many have to approve where so many are asked.

    >>> needed(ALL, 4), needed(1, 4), needed(9, 4)
    (4, 1, 4)
    """
    return asked if quorum == ALL else min(quorum, asked)


def outcome(quorum: int, answers: Collection[str]) -> str:
    """ "approved" once enough have approved, "declined" as soon as anybody has declined, "" while it is open. `answers` has
    one of open, approved and declined for everybody who is asked.

    >>> outcome(2, ["approved", "open", "approved"]), outcome(1, ["declined", "open"]), outcome(ALL, ["approved", "open"])
    ('approved', 'declined', '')
    """
    given = list(answers)
    if "declined" in given:
        return "declined"
    return "approved" if given and given.count("approved") >= needed(quorum, len(given)) else ""


def fingerprint(values: Mapping[str, Any]) -> str:
    """What stands for these values of a record: the same for the same values, whatever their order.

    >>> fingerprint({"a": 1, "b": "x"}) == fingerprint({"b": "x", "a": 1}), fingerprint({"a": 1}) == fingerprint({"a": 2})
    (True, False)
    """
    text = msgspec.json.encode(msgspec.to_builtins(values, enc_hook=str), order="deterministic")
    return hashlib.sha256(text).hexdigest()


def standing(state: str, asked_for: str, now: str) -> Standing:
    """How a request in this state stands, whose fingerprint was `asked_for`, for a record that is `now`.

    >>> standing("approved", "f1", "f1").value, standing("approved", "f1", "f2").value
    ('approved', 'changed')
    """
    if state == "outdated" or (asked_for != now and state != "withdrawn"):
        return Standing.CHANGED
    return Standing(state)
