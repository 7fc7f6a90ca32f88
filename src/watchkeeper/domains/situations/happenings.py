"""Events of what analysis writes: alerts that fire and end, situations that open, escalate and are resolved, and what
people did to them, once it is so. An id is made of the record and the moment, so a replay of the journal adds nothing.

Nobody wants to hear of them: then it costs a look-up a batch, and no row is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model

from watchkeeper.domains.situations import models
from watchkeeper.kernel import events
from watchkeeper.kernel.audit import state_of
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.fields import moment
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.verdicts import Severity

State = dict[str, Any]
ANALYSIS = By("system", "watchkeeper")
ALERTS, SITUATIONS, SILENCES = "alerts", "situations", "silences"
_MODELS: dict[str, type[Model]] = {
    ALERTS: models.Alert,
    SITUATIONS: models.Situation,
    SILENCES: models.Silence,
}
#: columns that change with every signal and tell nothing by themselves
_RESTLESS = {"last_seen_at", "count", "updated_at", "times_out_at", "score", "because", "causes", "version"}
_CHUNK = 500


class Witness:
    """Looks at the records before a batch is written, and tells what has happened after it; both in its transaction."""

    def __init__(self, alerts: Collection[str], situations: Collection[str]) -> None:
        self._wanted = events.wanted((ALERTS, SITUATIONS, SILENCES))
        self._keys = {ALERTS: list(alerts), SITUATIONS: list(situations)}
        self._before = self._states()

    def _states(self) -> dict[str, dict[str, State]]:
        return {p: _states(_MODELS[p], keys) for p, keys in self._keys.items() if p in self._wanted}

    def tell(self, acts: Sequence[Act], now_ms: int) -> None:
        """What the batch has changed, and these acts, which no batch had before."""
        if self._wanted:
            after = self._states()
            told = [e for path, states in after.items() for e in self._changes(path, states, acts)]
            done = (self._of_act(act, after, now_ms) for act in acts)
            events.tell([*told, *(e for e in done if e is not None)])

    def _changes(self, path: str, after: dict[str, State], acts: Sequence[Act]) -> Iterator[Event]:
        acted = {a.target for a in acts}
        for key, now in after.items():
            before = self._before[path].get(key)
            act = (situation_act if path == SITUATIONS else alert_act)(before, now)
            if act and not (key in acted and act in ("change", "resolve")):  # else the act tells it
                changed = {k for k in now if before is not None and before.get(k) != now[k]} - _RESTLESS
                yield Event(
                    id=f"event:{path}:{key}:{act}:{now.get('updated_at') or now['firings']}", kind=path, act=act,
                    key=key, name=str(now.get("title") or now.get("name"))[:200],
                    at=now.get("updated_at") or now["last_seen_at"], actor=ANALYSIS, record=now,
                    before={k: before[k] for k in changed} if before else {}, after={k: now[k] for k in changed},
                )  # fmt: skip

    def _of_act(self, act: Act, after: dict[str, dict[str, State]], now_ms: int) -> Event | None:
        if act.kind in (
            ActKind.MAINTENANCE,
            ActKind.UNUSUAL,
        ):  # the record tells of itself; nobody was told of it
            return None
        path, name = SITUATIONS, act.kind.value
        if act.kind in (ActKind.SILENCE, ActKind.UNSILENCE):
            path, name = SILENCES, "create" if act.kind is ActKind.SILENCE else "remove"
        elif act.target in self._keys[ALERTS]:
            path = ALERTS
        if path not in self._wanted:
            return None
        record = after.get(path, {}).get(act.target) or _states(_MODELS[path], [act.target]).get(act.target)
        if record is None:
            return None
        called = str(record.get("title") or record.get("name") or record.get("comment") or act.target)
        at = events.text(moment(act.time_ms or now_ms) or dt.datetime.now(dt.UTC))
        by = By("person", act.actor)
        return Event(
            f"event:act:{act.id}", path, name, act.target, called[:200], at, by, record, {}, dict(act.data)
        )


def _states(model: type[Model], keys: Sequence[str]) -> dict[str, State]:
    return {
        str(row.pk): state_of(row)
        for start in range(0, len(keys), _CHUNK)
        for row in model._default_manager.filter(pk__in=keys[start : start + _CHUNK])
    }


def situation_act(before: State | None, now: State) -> str:
    """What happened to a situation; "" for nothing that anybody would want to hear of.

    >>> situation_act(None, {"state": "open", "severity": "error"})
    'open'
    """
    if before is None:
        return "open"
    if now["state"] == "resolved" != before["state"]:
        return "resolve"
    return _graver(before, now)


def alert_act(before: State | None, now: State) -> str:
    """What happened to an alert; "" for nothing that anybody would want to hear of. One that is held back by maintenance
    fires when that is over."""
    held, was_held = (_in_maintenance(state) for state in (now, before or {}))
    begins = before is None or was_held or before["firings"] != now["firings"]
    if now["status"] == "firing" and begins and not held:
        return "fire"
    if before is not None and now["status"] == "resolved" != before["status"]:
        return "resolve"
    act = _graver(before or now, now)
    return "change" if held and act == "escalate" else act


def _in_maintenance(state: State) -> bool:
    return str(state.get("suppressed_by", "")).startswith("maintenance:")


def _graver(before: State, now: State) -> str:
    if Severity(now["severity"]).rank > Severity(before["severity"]).rank:
        return "escalate"
    return "change" if any(before.get(k) != v for k, v in now.items() if k not in _RESTLESS) else ""


#: lines of a timeline that are no act of a person → what happened
_LINES = {"opened": "open", "resolved": "resolve", "merged": "change", "joined": "change", "left": "change",
          "cause": "change", "state": "change"}  # fmt: skip


def past_situations(most: int) -> Iterable[Event]:
    """From the timelines, newest first."""
    lines = list(models.TimelineEntry.objects.select_related("situation").order_by("-id")[:most])
    for line in lines:
        act = _LINES.get(line.kind, line.kind)
        if line.kind == "severity":
            act = "escalate" if "rose" in line.text else "change"
        by = By("person", line.actor) if line.actor else ANALYSIS
        yield Event(
            f"event:timeline:{line.pk}", SITUATIONS, act, line.situation.pk, line.situation.title[:200],
            events.text(line.at), by, state_of(line.situation),
        )  # fmt: skip


def past_alerts(most: int) -> Iterable[Event]:
    """How each of the alerts seen last came to be as it is, newest first."""
    for alert in models.Alert.objects.order_by("-last_seen_at")[:most]:
        act = "fire" if alert.status == "firing" else "resolve"
        at = events.text((alert.ends_at if act == "resolve" else alert.starts_at) or alert.last_seen_at)
        yield Event(
            f"event:alert:{alert.pk}", ALERTS, act, alert.pk, alert.name[:200], at, ANALYSIS, state_of(alert)
        )


events.written[SITUATIONS] = events.Written(("open", "escalate"), past_situations)
events.written[ALERTS] = events.Written(("fire", "escalate", "resolve"), past_alerts)
