"""What a variable can be, given what is chosen of those before it."""

from __future__ import annotations

from watchkeeper.domains.dashboards import filling
from watchkeeper.domains.dashboards.definition import Variable
from watchkeeper.domains.dashboards.filling import ALL, Chosen
from watchkeeper.telemetry.promql.parsing import matchers
from watchkeeper.telemetry.promql.selecting import series
from watchkeeper.telemetry.queries.requests import answering_services
from watchkeeper.telemetry.queries.series import label_values
from watchkeeper.telemetry.queries.window import LIMIT, Window
from watchkeeper.telemetry.store import Store

MOST = 500
_SERIES = 20_000


def choices(store: Store, variable: Variable, chosen: Chosen, window: Window) -> list[str]:
    """Its values, in order. Raises QueryError and TelemetryError."""
    match variable.kind:
        case "services":
            return answering_services(store, window, most=MOST)
        case "label":
            return _of_label(store, variable, chosen)
        case _:
            return list(variable.values)


def settled(variable: Variable, there: list[str], asked: list[str]) -> list[str]:
    """What is chosen: what was asked for as far as there is such a thing, else the default, else the first."""
    if variable.kind == "text":
        return (asked or list(variable.default) or [""])[:1]
    for wanted in (asked, list(variable.default)):
        if variable.all and ALL in wanted:
            return [ALL]
        if kept := [v for v in wanted if v in there]:
            return kept if variable.multiple else kept[:1]
    return [ALL] if variable.all else there[:1]


def _of_label(store: Store, variable: Variable, chosen: Chosen) -> list[str]:
    if not variable.series:
        return label_values(store, variable.label, limit=MOST)
    wanted = matchers(filling.promql(variable.series, chosen))
    found = series(store, [wanted], _SERIES, LIMIT)
    return sorted({one[variable.label] for _, one in found if one.get(variable.label)})[:MOST]
