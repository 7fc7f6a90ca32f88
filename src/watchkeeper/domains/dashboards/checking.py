"""Whether what a definition asks can be answered: its queries are PromQL, and know their variables."""

from __future__ import annotations

from collections.abc import Collection

from watchkeeper.domains.dashboards import filling
from watchkeeper.domains.dashboards.definition import BadDefinition, Definition, Panel
from watchkeeper.telemetry.promql.aggregating import AGGREGATIONS
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.evaluating import KNOWN
from watchkeeper.telemetry.promql.parsing import matchers, parse


def check(definition: Definition) -> None:
    """Raises BadDefinition naming the panel or variable."""
    some = filling.sample(definition.variables)
    for number, panel in enumerate(definition.panels, 1):
        place = f"panel {number}{f' ({panel.title})' if panel.title else ''}"
        _known(panel, some.keys(), place)
        for query in panel.queries:
            if query.promql:
                _parsed(filling.promql(query.promql, some), f"{place}, query")
    for number, variable in enumerate(definition.variables, 1):
        if variable.series:
            place = f"variable {number} ({variable.name}), series"
            _parsed(filling.promql(variable.series, some), place, selector=True)


def _known(panel: Panel, names: Collection[str], place: str) -> None:
    texts = (panel.words, panel.host, panel.service, *(f"{q.promql} {q.service}" for q in panel.queries))
    for name in sorted(filling.used(" ".join(texts))):
        if name not in names:
            raise BadDefinition(f"{place}: there is no variable ${name}")


def _parsed(text: str, place: str, *, selector: bool = False) -> None:
    try:
        if selector:
            matchers(text)
        else:
            parse(text, KNOWN, AGGREGATIONS)
    except BadQuery as error:
        raise BadDefinition(f"{place}: {error.detail}") from error
