"""What the meter of a plan says of an item."""

from __future__ import annotations

import datetime as dt
import math

from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.upkeep.models import MaintenancePlan
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.telemetry import promql

#: a meter may be told seldom: its last value within a day, where it has none of the last five minutes
_SELDOM = "last_over_time(({})[1d:5m])"


def reading(plan: MaintenancePlan, item: Item, now: dt.datetime) -> float | None:
    """Its value, the greatest where there are several; None where nothing was measured within a day. Raises NotReady,
    QueryError or TelemetryError."""
    name = item.name.replace("\\", "\\\\").replace('"', '\\"')
    query = plan.query.replace("$item", name)
    values: list[float] = []
    for asked in (query, _SELDOM.format(query)):
        values = values or _numbers(promql.query(ports.the_telemetry(), asked, milliseconds(now)))
    return max(values, default=None)


def _numbers(answer: promql.Value) -> list[float]:
    """The values of an answer for one instant."""
    match answer:
        case promql.Scalar():
            found = answer.values
        case promql.Vector():
            found = answer.values[answer.present]
        case _:
            return []
    return [v for v in found.tolist() if math.isfinite(v)]
