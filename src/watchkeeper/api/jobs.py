"""The preview of a correlation setting on history, as a job: off the path of what happens now, and bounded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.analysis.correlators.arrival import Arrival
from watchkeeper.domains.correlation.models import USUAL, CorrelationSetting
from watchkeeper.domains.correlation.resources import PREVIEW, Days
from watchkeeper.domains.inventory import load_topology
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import NotThere

if TYPE_CHECKING:
    from watchkeeper.analysis.correlators.previewing import Difference, Preview

MOST = 50_000  # alerts, the last to begin
SHOWN = 20  # differences of each sort that are told
NAMES = 3


class Wanted(Days):
    """Which setting."""

    setting = serializers.IntegerField()


@job(PREVIEW, "Preview of correlation", fields=Wanted, needs=("read", "alerts"))
def preview_correlation(run: Run) -> dict[str, Any]:
    """How many groups the alerts of the last days would have made, beside what the parameters in use make of them."""
    setting = visible(run.actor, "correlation-settings").filter(pk=run.arguments["setting"]).first()
    if setting is None:
        raise NotThere(f"there is no correlation setting {run.arguments['setting']}")
    found: dict[str, Any] = run.step("preview", lambda: _preview(run, setting, run.arguments["days"]))
    return found


def _preview(run: Run, setting: CorrelationSetting, days: int) -> dict[str, Any]:
    # Here, as numba comes with it, which every process and every command would pay for.
    from watchkeeper.analysis.correlators.previewing import preview

    since = timezone.now() - dt.timedelta(days=days)
    alerts = (
        visible(run.actor, "alerts").filter(starts_at__gte=since, suppressed_by="").order_by("-starts_at")
    )
    columns = ("pk", "starts_at", "item_id", "name", "labels")
    rows = list(alerts.values_list(*columns)[: MOST + 1])
    arrivals = sorted(map(_arrival, rows[:MOST]), key=lambda a: (a.time_ms, a.id))
    used = CorrelationSetting.objects.filter(in_use=True).first()
    wanted, now = setting.parameters, used.parameters if used else USUAL

    def told(done: int) -> None:
        run.progress(done, total=2 * len(arrivals), unit="alerts")

    made = preview(arrivals, load_topology(), now, wanted, told)
    said = in_words(made, {a.id: a for a in arrivals}, days)
    said["links"] = {"Back to the setting": f"/correlation-settings/{setting.pk}/"}
    if len(rows) > MOST:
        said["more"].append(f"Only the last {MOST:,} alerts were looked at.")
    return said


def _arrival(row: tuple[Any, ...]) -> Arrival:
    pk, at, item, name, labels = row
    told = tuple(f"{k}={v}" for k, v in labels.items() if v and k not in ("alertname", "severity"))
    return Arrival(pk, milliseconds(at), item or "", name, hash(pk), told)


def in_words(made: Preview, alerts: Mapping[str, Arrival], days: int) -> dict[str, Any]:
    """The numbers, and the differences as `_difference` says them."""
    span = "this day" if days == 1 else f"these {days} days"
    summary = (
        f"{len(alerts):,} alerts of {span} would have given {_groups(made.then)} instead of {made.now:,}."
    )
    told = [_difference(d, alerts, "would be one") for d in made.together[:SHOWN]]
    told += [_difference(d, alerts, "would come of one") for d in made.apart[:SHOWN]]
    more = [
        f"{len(rest):,} more would be {what}."
        for rest, what in ((made.together[SHOWN:], "taken together"), (made.apart[SHOWN:], "taken apart"))
        if rest
    ]
    return {
        "summary": summary if alerts else f"No alert began in {span}.",
        "differences": told, "more": more if told else ["Nothing would be grouped otherwise."],
        "alerts": len(alerts), "groups_now": made.now, "groups_then": made.then,
        "taken_together": len(made.together), "taken_apart": len(made.apart),
    }  # fmt: skip


def _groups(count: int) -> str:
    return "1 situation" if count == 1 else f"{count:,} situations"


def _difference(d: Difference, alerts: Mapping[str, Arrival], what: str) -> dict[str, Any]:
    """When it begins, a sentence, and the largest groups: the first alert of each, and how many others it has."""
    begin = dt.datetime.fromtimestamp(min(alerts[a].time_ms for a in d.whole) / 1000, dt.UTC)
    parts = [_part(p, alerts) for p in sorted(d.parts, key=lambda p: (-len(p), min(p)))[:NAMES]]
    return {
        "at": begin.isoformat(),
        "said": f"{len(d.parts):,} situations {what}",
        "groups": parts,
        "rest": len(d.parts) - len(parts),
    }


def _part(part: frozenset[str], alerts: Mapping[str, Arrival]) -> dict[str, Any]:
    first = min((alerts[a] for a in part), key=lambda a: (a.time_ms, a.id))
    return {"alert": first.id, "name": first.name, "others": len(part) - 1}
