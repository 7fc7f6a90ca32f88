"""Alerts and situations as analysis makes them, for hypothesis and by hand."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.verdicts import (
    Alert,
    AlertStatus,
    Cause,
    Membership,
    Severity,
    Situation,
    SituationState,
)

NOW = 1_700_000_000_000

# What both databases hold: no NUL, no half of a pair (senders' are replaced, which `storable` is tested for).
text = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), max_size=30)
word = st.text("abcdefghij-_.:/", min_size=1, max_size=20)
times = st.integers(1, 4_000_000_000_000)
later = st.one_of(st.just(0), times)
plain = st.recursive(
    st.one_of(
        st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), text, st.booleans()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(word, inner, max_size=3)),
    max_leaves=5,
)
reasons = st.builds(
    Reason,
    kind=st.sampled_from(ReasonKind),
    text=text,
    weight=st.floats(0, 1),
    data=st.dictionaries(word, plain, max_size=3),
)
because = st.lists(reasons, max_size=3).map(tuple)
labels = st.dictionaries(word, text, max_size=4)


def alerts(fingerprint: str, situation: str) -> st.SearchStrategy[Alert]:
    """Any alert with this fingerprint."""
    return st.builds(
        Alert,
        fingerprint=st.just(fingerprint),
        item=st.one_of(st.just(""), word),
        name=text,
        severity=st.sampled_from(Severity),
        status=st.sampled_from(AlertStatus),
        summary=text,
        labels=labels,
        annotations=labels,
        url=text,
        source=word,
        starts_ms=times,
        ends_ms=later,
        first_seen_ms=times,
        last_seen_ms=st.integers(NOW, NOW + 10**9),
        count=st.integers(1, 2**60),
        firings=st.integers(1, 2**60),
        flapping=st.booleans(),
        suppressed_by=st.sampled_from(["", "silence:x"]),
        acknowledged_by=text,
        acknowledged_until_ms=later,
        score=st.floats(0, 1),
        because=because,
        situation=st.just(situation),
        times_out_ms=later,
    )


@st.composite
def worlds(draw: Any) -> tuple[dict[str, Alert], dict[str, Situation]]:
    """A few situations with their alerts."""
    found_alerts: dict[str, Alert] = {}
    situations: dict[str, Situation] = {}
    for n in range(draw(st.integers(0, 3))):
        key = f"s{n}"
        fingerprints = draw(st.lists(st.integers(0, 9), unique=True, max_size=5))
        members = []
        for f in fingerprints:
            fingerprint = f"{n:08x}{f:08x}"
            found_alerts[fingerprint] = draw(alerts(fingerprint, key))
            members.append(Membership(fingerprint, draw(times), draw(because)))
        situations[key] = draw(
            st.builds(
                Situation,
                id=st.just(key),
                state=st.sampled_from([SituationState.OPEN, SituationState.ACKNOWLEDGED]),
                severity=st.sampled_from(Severity),
                title=text,
                opened_ms=times,
                updated_ms=times,
                resolved_ms=st.just(0),
                members=st.just(tuple(members)),
                because=because,
                causes=st.lists(
                    st.builds(Cause, item=word, score=st.floats(0, 1), because=because), max_size=3
                ).map(tuple),
                follows=st.sampled_from(["", "before"]),
                assignee=text,
                version=word,
            )
        )
    return found_alerts, situations


def alert(fingerprint: str, **changes: Any) -> Alert:
    """An alert that fires, with these changes."""
    values: dict[str, Any] = {
        "fingerprint": fingerprint,
        "item": "",
        "name": "Disk is full",
        "severity": Severity.ERROR,
        "status": AlertStatus.FIRING,
        "summary": "no space is left on /",
        "labels": {"alertname": "DiskFull", "instance": "db-1"},
        "source": "alertmanager",
        "starts_ms": NOW,
        "first_seen_ms": NOW,
        "last_seen_ms": NOW,
    }
    return Alert(**{**values, **changes})


def situation(key: str, fingerprints: tuple[str, ...] = (), **changes: Any) -> Situation:
    """An open situation with these alerts, and these changes."""
    values: dict[str, Any] = {
        "id": key,
        "state": SituationState.OPEN,
        "severity": Severity.ERROR,
        "title": "Disk is full on db-1",
        "opened_ms": NOW,
        "updated_ms": NOW,
        "members": tuple(
            Membership(f, NOW, (Reason(ReasonKind.GRAPH, "both are at db-1", 0.7),)) for f in fingerprints
        ),
        "because": (Reason(ReasonKind.TIME, "they began within 40 seconds", 0.5),),
    }
    return Situation(**{**values, **changes})
