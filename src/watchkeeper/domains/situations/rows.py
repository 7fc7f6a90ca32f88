"""Analysis's alerts and situations as database rows and back: what is loaded equals what was written.

Pure translation; no query is made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from watchkeeper.domains.situations import models
from watchkeeper.kernel.fields import document, milliseconds, storable
from watchkeeper.kernel.upserts import when
from watchkeeper.model import verdicts
from watchkeeper.model.verdicts import Severity

_RANK = {s: s.rank for s in Severity}
_TITLE = 500


def alert_row(a: verdicts.Alert) -> tuple[Any, ...]:
    """In the order of the model's columns."""
    return (
        a.fingerprint,
        a.item or None,
        storable(a.name)[:_TITLE],
        _RANK[a.severity],
        a.status.value,
        storable(a.summary),
        document(a.labels),
        document(a.annotations),
        storable(a.url),
        a.source,
        when(a.starts_ms or 1),
        when(a.ends_ms),
        when(a.first_seen_ms or 1),
        when(a.last_seen_ms or 1),
        a.count,
        a.firings,
        a.flapping,
        a.suppressed_by,
        storable(a.acknowledged_by),
        when(a.acknowledged_until_ms),
        a.score,
        document(a.because),
        a.situation or None,
        when(a.times_out_ms),
    )


def alert_of(r: models.Alert) -> verdicts.Alert:
    """The record as analysis knows it."""
    return verdicts.Alert(
        fingerprint=r.fingerprint,
        item=r.item_id or "",
        name=r.name,
        severity=r.severity,
        status=verdicts.AlertStatus(r.status),
        summary=r.summary,
        labels=r.labels,
        annotations=r.annotations,
        url=r.url,
        source=r.source,
        starts_ms=milliseconds(r.starts_at),
        ends_ms=milliseconds(r.ends_at),
        first_seen_ms=milliseconds(r.first_seen_at),
        last_seen_ms=milliseconds(r.last_seen_at),
        count=r.count,
        firings=r.firings,
        flapping=r.flapping,
        suppressed_by=r.suppressed_by,
        acknowledged_by=r.acknowledged_by,
        acknowledged_until_ms=milliseconds(r.acknowledged_until),
        score=r.score,
        because=r.because,
        situation=r.situation_id or "",
        times_out_ms=milliseconds(r.times_out_at),
    )


def situation_row(s: verdicts.Situation) -> tuple[Any, ...]:
    """In the order of the model's columns."""
    return (
        s.id,
        s.state.value,
        _RANK[s.severity],
        storable(s.title)[:_TITLE],
        when(s.opened_ms or 1),
        when(s.updated_ms or 1),
        when(s.resolved_ms),
        document(s.because),
        document(s.causes),
        s.follows,
        s.merged_into,
        storable(s.assignee),
        s.version,
        len(s.members),
    )


def situation_of(r: models.Situation, members: Iterable[models.Membership]) -> verdicts.Situation:
    """The record and its memberships, in their order, as analysis knows it."""
    return verdicts.Situation(
        id=r.id,
        state=verdicts.SituationState(r.state),
        severity=r.severity,
        title=r.title,
        opened_ms=milliseconds(r.opened_at),
        updated_ms=milliseconds(r.updated_at),
        resolved_ms=milliseconds(r.resolved_at),
        members=tuple(verdicts.Membership(m.alert_id, milliseconds(m.joined_at), m.because) for m in members),
        because=r.because,
        causes=r.causes,
        follows=r.follows,
        merged_into=r.merged_into,
        assignee=r.assignee,
        version=r.version,
    )


def member_row(situation: str, position: int, m: verdicts.Membership) -> tuple[Any, ...]:
    """In the order of the model's columns, its generated key left out."""
    return situation, m.fingerprint, position, when(m.joined_ms), document(m.because)


def plain(value: Any) -> Any:
    """Structs as dicts and lists, for answers and templates."""
    return msgspec.to_builtins(value)
