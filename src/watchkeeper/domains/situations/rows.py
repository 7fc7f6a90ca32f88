"""Analysis's alerts and situations as database rows and back: what is loaded equals what was written.

Pure translation; no query is made here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.kernel.fields import document, storable
from watchkeeper.kernel.upserts import since, when
from watchkeeper.model import verdicts
from watchkeeper.model.reason import Reason
from watchkeeper.model.verdicts import Severity

_SEVERITIES = list(Severity)
_texts = msgspec.json.Decoder(dict[str, str]).decode
_reasons = msgspec.json.Decoder(tuple[Reason, ...]).decode
_causes = msgspec.json.Decoder(tuple[verdicts.Cause, ...]).decode
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


def alert_of(row: tuple[Any, ...]) -> verdicts.Alert:
    """What `alert_row` was given."""
    (
        fingerprint, item, name, rank, status, summary, labels, annotations, url, source, starts, ends, first,
        last, count, firings, flapping, suppressed_by, acknowledged_by, until, score, because, situation, times_out,
    ) = row  # fmt: skip
    return verdicts.Alert(
        fingerprint=fingerprint,
        item=item or "",
        name=name,
        severity=_SEVERITIES[rank],
        status=verdicts.AlertStatus(status),
        summary=summary,
        labels=_texts(labels),
        annotations=_texts(annotations),
        url=url,
        source=source,
        starts_ms=since(starts),
        ends_ms=since(ends),
        first_seen_ms=since(first),
        last_seen_ms=since(last),
        count=count,
        firings=firings,
        flapping=bool(flapping),
        suppressed_by=suppressed_by,
        acknowledged_by=acknowledged_by,
        acknowledged_until_ms=since(until),
        score=score,
        because=_reasons(because),
        situation=situation or "",
        times_out_ms=since(times_out),
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


def situation_of(row: tuple[Any, ...], members: tuple[verdicts.Membership, ...]) -> verdicts.Situation:
    """What `situation_row` was given, with its members."""
    (key, state, rank, title, opened, updated, resolved, because, causes, follows, merged_into, assignee,
     version, _) = row  # fmt: skip
    return verdicts.Situation(
        id=key,
        state=verdicts.SituationState(state),
        severity=_SEVERITIES[rank],
        title=title,
        opened_ms=since(opened),
        updated_ms=since(updated),
        resolved_ms=since(resolved),
        members=members,
        because=_reasons(because),
        causes=_causes(causes),
        follows=follows,
        merged_into=merged_into,
        assignee=assignee,
        version=version,
    )


def member_row(situation: str, position: int, m: verdicts.Membership) -> tuple[Any, ...]:
    """In the order of the model's columns, its generated key left out."""
    return situation, m.fingerprint, position, when(m.joined_ms), document(m.because)


def member_of(row: tuple[Any, ...]) -> tuple[str, int, verdicts.Membership]:
    """The situation, the position, and the membership of a row."""
    situation, fingerprint, position, joined, because = row
    return situation, position, verdicts.Membership(fingerprint, since(joined), _reasons(because))
