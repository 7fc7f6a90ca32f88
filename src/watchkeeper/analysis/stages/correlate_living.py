"""The situations that live, with what is counted about them while their alerts come and go. Correlate writes
everything but causes, DetermineCause those and the title."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from watchkeeper.analysis.correlators.arrival import Member
from watchkeeper.model.verdicts import (
    Alert,
    AlertStatus,
    Membership,
    Severity,
    Situation,
    SituationState,
)

SEVERITIES = tuple(Severity)
RANKS = {s: i for i, s in enumerate(SEVERITIES)}


class LivingSituation:
    """One situation: `situation` as last made, `members` and the severities of those firing as they are."""

    __slots__ = ("firing", "group", "members", "situation", "worded")

    def __init__(self, situation: Situation, group: int) -> None:
        self.situation = situation
        self.group = group  # the correlator's number
        self.members: dict[str, Membership] = {m.fingerprint: m for m in situation.members}
        self.firing: dict[str, int] = {}  # fingerprint → rank of its severity
        self.worded = 0  # members when the title was last made

    @property
    def live(self) -> bool:
        """Whether alerts can still join."""
        return self.situation.state is not SituationState.RESOLVED

    def see(self, alert: Alert) -> bool:
        """Take note of a member's status and severity; whether that is news."""
        old = self.firing.pop(alert.fingerprint, None)
        if alert.status is not AlertStatus.FIRING:
            return old is not None
        rank = RANKS[alert.severity]
        if alert.suppressed_by:  # it makes nothing worse until it is held back no longer
            rank = min(rank, RANKS[self.situation.severity] if old is None else old)
        self.firing[alert.fingerprint] = rank
        return rank != old

    def leave(self, fingerprint: str) -> None:
        """A member goes."""
        self.members.pop(fingerprint, None)
        self.firing.pop(fingerprint, None)

    @property
    def severity(self) -> Severity:
        """The worst of the alerts that fire; the last there was when none does."""
        return SEVERITIES[max(self.firing.values())] if self.firing else self.situation.severity


class LivingSituations:
    """All living situations by id."""

    def __init__(self) -> None:
        self._all: dict[str, LivingSituation] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[LivingSituation]:
        return iter(self._all.values())

    def __contains__(self, situation: str) -> bool:
        return situation in self._all

    def get(self, situation: str) -> LivingSituation | None:
        """A situation by its id; None when it is unknown or long over."""
        return self._all.get(situation)

    def add(self, situation: Situation, group: int) -> LivingSituation:
        """Begin to keep a situation."""
        made = self._all[situation.id] = LivingSituation(situation, group)
        return made

    def drop(self, situation: str) -> None:
        """Forget a situation that is long over."""
        self._all.pop(situation, None)

    def explain(self, situation: str, **changes: object) -> Situation | None:
        """Set causes, title or version; return the situation as it now is, None if unknown."""
        found = self._all.get(situation)
        if found is None:
            return None
        found.situation = replace(found.situation, **changes)
        return found.situation


def newest(members: dict[str, Member], known: dict[str, Membership]) -> list[str]:
    """The last members that are not known yet, in the order in which they came."""
    new: list[str] = []
    for f in reversed(members):
        if f in known:
            break
        new.append(f)
    return new[::-1]
