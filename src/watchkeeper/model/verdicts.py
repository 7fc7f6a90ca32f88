"""What analysis concludes: Finding, Alert, Situation, Cause, each with its reasons. Times: Unix milliseconds."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

import msgspec

from watchkeeper.model.reason import Reason


class Severity(StrEnum):
    """How bad, from best to worst; `rank` orders them."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 3 for critical."""
        return list(Severity).index(self)

    @classmethod
    def parse(cls, word: str) -> Severity:
        """What senders write, tamed: unknown words are warnings.

        >>> Severity.parse("page"), Severity.parse("none")
        (<Severity.CRITICAL: 'critical'>, <Severity.INFO: 'info'>)
        """
        return _SEVERITIES.get(word.strip().lower(), cls.WARNING)


_SEVERITIES = {
    **dict.fromkeys(
        ("info", "information", "informational", "none", "notice", "debug", "ok", "low"), Severity.INFO
    ),
    **dict.fromkeys(
        ("warning", "warn", "minor", "average", "medium", "moderate", "p3", "p4"), Severity.WARNING
    ),
    **dict.fromkeys(("error", "err", "major", "high", "p2"), Severity.ERROR),
    **dict.fromkeys(
        ("critical", "crit", "page", "fatal", "emergency", "emerg", "alert", "disaster", "p1"),
        Severity.CRITICAL,
    ),
}


#: a label that says alone which alert of its door is meant, whatever else is told of it, so that a sender may end it by
#: this label and nothing else
DEDUP_KEY = "dedup_key"


def fingerprint(name: str, labels: dict[str, str], door: str = "") -> str:
    """Which alert is meant, 16 hex digits: of the whole label set and the name, the same in whatever order the labels
    come; with a label DEDUP_KEY of that and the door.

    >>> fingerprint("Down", {"a": "1", "b": "2"}) == fingerprint("Down", {"b": "2", "a": "1"})
    True
    >>> fingerprint("Down", {"dedup_key": "7", "b": "2"}, "x") == fingerprint("", {"dedup_key": "7"}, "x")
    True
    """
    if key := labels.get(DEDUP_KEY):
        parts = ["key", door, key]
    else:
        parts = sorted(f"{k}\xfe{v}" for k, v in labels.items())
        parts.append(name)
    return blake2b("\xff".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class AlertStatus(StrEnum):
    """Whether the condition holds."""

    FIRING = "firing"
    RESOLVED = "resolved"


class SituationState(StrEnum):
    """Where people stand with a situation."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A detector's verdict about one series, template or item at one time. `key` is what deduplication
    turns into a fingerprint; `active` is False when the condition has ended."""

    key: str  # "detector|series id" or "detector|template id|item" …
    kind: str  # level joint silence new_template rate new_talker stuck drift threshold
    item: str  # item id, "" when none is known
    name: str  # short title: "CPU use far above normal"
    severity: Severity
    time_ms: int
    score: float  # 0 to 1
    active: bool = True
    summary: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    because: tuple[Reason, ...] = ()


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One living thing per fingerprint, whatever the number of times it was told."""

    fingerprint: str  # 16 hex digits
    item: str  # item id, "" when none is known
    name: str
    severity: Severity
    status: AlertStatus
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    url: str = ""
    source: str  # the door or detector
    starts_ms: int  # begin of this firing, as the sender says
    ends_ms: int = 0  # 0 while firing
    first_seen_ms: int
    last_seen_ms: int
    count: int = 1  # how often it was told, over all firings
    firings: int = 1  # how often it went from resolved to firing
    flapping: bool = False
    suppressed_by: str = ""  # silence:<id>, maintenance:<id>, alert:<fingerprint>; recorded all the same
    acknowledged_by: str = ""
    acknowledged_until_ms: int = 0  # 0: for the whole firing
    score: float = 1.0
    because: tuple[Reason, ...] = ()
    situation: str = ""
    times_out_ms: int = 0  # resolved on its own then if not told again; 0: never


class Membership(msgspec.Struct, frozen=True):
    """Why an alert belongs to a situation."""

    fingerprint: str
    joined_ms: int
    because: tuple[Reason, ...] = ()


class Cause(msgspec.Struct, frozen=True):
    """A candidate cause: a configuration item, or a change to one, with its evidence. Scores of one
    situation's causes lie between 0 and 1, the best first."""

    item: str
    score: float
    because: tuple[Reason, ...] = ()
    change: str = ""  # event id of the change, "" when it is the item itself


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that belong together, and what is behind them."""

    id: str
    state: SituationState
    severity: Severity
    title: str
    opened_ms: int
    updated_ms: int
    resolved_ms: int = 0
    members: tuple[Membership, ...] = ()
    because: tuple[Reason, ...] = ()
    causes: tuple[Cause, ...] = ()
    follows: str = ""  # the resolved situation that this one comes after
    merged_into: str = ""
    assignee: str = ""
    version: str = ""  # the algorithms that decided, e.g. "graph-time-1 coverage-1"
