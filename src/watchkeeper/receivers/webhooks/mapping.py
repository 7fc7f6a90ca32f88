"""What a mapping finds in a payload: JMESPath expressions that give the name, severity, labels and so on of each alert in
it. The door `custom` and the console, which tries a mapping before it is saved, ask the same `read`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from watchkeeper.model.doors import Mapping
from watchkeeper.model.errors import TooLarge
from watchkeeper.model.expressions import Evaluation, Expression, WrongExpression
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.payload import OVER, text, texts, time_ms

ALERTS = 1000  # in a payload


def read(mapping: Mapping, payload: Any) -> list[Reported]:
    """The alerts that a mapping finds in a payload. Raises WrongExpression naming the expression, TooLarge."""
    compiled = _compiled(mapping)
    evaluation = Evaluation(payload)
    found = [payload]
    if mapping.alerts_from:
        found = _ask(evaluation, compiled, "alerts_from", payload)
        if not isinstance(found, list):
            raise WrongExpression(_said("alerts_from", mapping.alerts_from, "it gives no list"))
        if len(found) > ALERTS:
            raise TooLarge(
                f"{len(found)} alerts; at most {ALERTS} are taken at once", reason="too_many_elements"
            )
    return [_reported(evaluation, compiled, mapping, alert) for alert in found]


@lru_cache(512)
def _compiled(mapping: Mapping) -> dict[str, Expression]:
    """The expressions of a mapping by field. Raises WrongExpression."""
    compiled = {}
    for name, written in msgspec.structs.asdict(mapping).items():
        if written:
            try:
                compiled[name] = Expression(written)
            except WrongExpression as error:
                raise WrongExpression(_said(name, written, error.detail)) from error
    return compiled


def _ask(evaluation: Evaluation, compiled: dict[str, Expression], field: str, value: Any) -> Any:
    expression = compiled.get(field)
    if expression is None:
        return None
    try:
        return evaluation.of(expression, value)
    except WrongExpression as error:
        raise WrongExpression(_said(field, expression.text, error.detail), reason=error.reason) from error


def _reported(
    evaluation: Evaluation, compiled: dict[str, Expression], mapping: Mapping, alert: Any
) -> Reported:
    given = {field: _ask(evaluation, compiled, field, alert) for field in compiled if field != "alerts_from"}
    name = text(given.get("name_from"))
    if not name:
        raise WrongExpression(_said("name_from", mapping.name_from, "it gives nothing for this payload"))
    for field in ("labels_from", "annotations_from"):
        if not isinstance(given.get(field), dict | None):
            raise WrongExpression(
                _said(field, getattr(mapping, field), "it gives no object, as {host: server} does")
            )
    labels = texts(given.get("labels_from"))
    if mapping.identity_from:
        labels[DEDUP_KEY] = text(given["identity_from"])
        if not labels[DEDUP_KEY]:
            raise WrongExpression(
                _said("identity_from", mapping.identity_from, "it gives nothing for this payload")
            )
    over = text(given.get("status_from")).lower() in OVER
    return Reported(
        name=name,
        labels=labels,
        firing=not over,
        severity=text(given.get("severity_from")),
        summary=text(given.get("summary_from")),
        starts_ms=time_ms(given.get("starts_from")),
        ends_ms=time_ms(given.get("ends_from")) if over else 0,
        annotations=texts(given.get("annotations_from")),
        url=text(given.get("url_from")),
    )


def _said(field: str, written: str, trouble: str) -> str:
    """What is wrong with which expression, in the words of the form."""
    label = "Link from" if field == "url_from" else field.replace("_", " ").capitalize()
    return f"{label} ({written[:100]}): {trouble}"
