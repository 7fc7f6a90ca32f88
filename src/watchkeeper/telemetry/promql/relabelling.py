"""label_replace and label_join: labels from labels."""

from __future__ import annotations

import re
from dataclasses import replace

import re2

from watchkeeper.model.relabelling import filled
from watchkeeper.telemetry.promql.errors import BadQuery
from watchkeeper.telemetry.promql.values import Labels, Vector

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def require_label(name: str, function: str) -> None:
    """Raises BadQuery for what cannot be the name of a label."""
    if not _LABEL.fullmatch(name):
        raise BadQuery(f"invalid label name in {function}(): {name}")


def label_replace(of: Vector, target: str, template: str, source: str, pattern: str) -> Vector:
    """Where `pattern` matches the whole of the label `source`, `target` becomes `template` with its $1, $name filled
    in. Raises BadQuery."""
    require_label(target, "label_replace")
    try:
        compiled = re2.compile(f"^(?s:{pattern})$")
    except re2.error as error:
        raise BadQuery(f"invalid regular expression in label_replace(): {pattern}") from error
    labels = []
    for one in of.labels:
        found = compiled.search(one.get(source, ""))
        labels.append(_with(one, target, filled(template, found)) if found else one)
    return replace(of, labels=labels).merged()


def label_join(of: Vector, target: str, separator: str, sources: list[str]) -> Vector:
    """`target` becomes the values of the labels `sources`, joined. Raises BadQuery."""
    for name in (target, *sources):
        require_label(name, "label_join")
    labels = [_with(one, target, separator.join(one.get(s, "") for s in sources)) for one in of.labels]
    return replace(of, labels=labels).merged()


def _with(labels: Labels, name: str, value: str) -> Labels:
    """A label with an empty value is none."""
    rest = {k: v for k, v in labels.items() if k != name}
    return {**rest, name: value} if value else rest
