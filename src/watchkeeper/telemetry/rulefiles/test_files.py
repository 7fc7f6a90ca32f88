"""Files of tests as `promtool test rules` takes them: what is read of them, and which rule files they name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchkeeper.telemetry.rulefiles.notation import labels_of, values_of
from watchkeeper.telemetry.rulefiles.reading import Group, length, read_file
from watchkeeper.telemetry.rulefiles.yaml_nodes import BadRules, Node, read

MINUTE = 60_000
Expected = tuple[dict[str, str], dict[str, str]]  # labels and annotations of an alert


@dataclass(frozen=True)
class AlertCheck:
    """At a time (ms from the start) just these alerts of a name fire."""

    at_ms: int
    name: str
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class QueryCheck:
    """At a time (ms from the start) an expression comes to just these samples."""

    at_ms: int
    expr: str
    expected: tuple[tuple[dict[str, str], float], ...]


@dataclass(frozen=True)
class Case:
    """One test: series with a value each `interval_ms` from time 0, and what has to come of them."""

    name: str
    interval_ms: int
    series: tuple[tuple[dict[str, str], tuple[float | None, ...]], ...]
    alerts: tuple[AlertCheck, ...]
    queries: tuple[QueryCheck, ...]
    labels: dict[str, str]
    url: str

    @property
    def last_ms(self) -> int:
        """The time of the last check."""
        return max((*(c.at_ms for c in self.alerts), *(c.at_ms for c in self.queries)), default=0)


@dataclass(frozen=True)
class TestFile:
    """Its cases, and the groups of its rule files in the order in which they are evaluated, every `step_ms`."""

    groups: tuple[Group, ...]
    step_ms: int
    cases: tuple[Case, ...]


def read_tests(path: Path) -> TestFile:
    """A file, and the rule files that it names, relative to it. Raises BadRules and OSError."""
    fields = read(path.read_text()).fields(
        "a file of tests", ("rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare")
    )
    names = [n.text("a rule file") for n in _list(fields, "rule_files")]
    groups = [g for name in names for g in _groups(path.parent, name)]
    order = [n.text("a group's name") for n in _list(fields, "group_eval_order")]
    if order:
        groups.sort(key=lambda g: order.index(g.name) if g.name in order else -1)
    step = _time(fields, "evaluation_interval", MINUTE)
    cases = [_case(n, i, step) for i, n in enumerate(_list(fields, "tests"), 1)]
    return TestFile(tuple(groups), step or MINUTE, tuple(cases))


def _groups(folder: Path, name: str) -> list[Group]:
    files = sorted(folder.glob(name)) if not Path(name).is_absolute() else [Path(name)]
    if not files:
        raise BadRules(f"there is no rule file {name!r}")
    out = []
    for file in files:
        try:
            out += read_file(file.read_text())
        except BadRules as error:
            raise BadRules(f"{file.name}: {error.detail}") from error
    return out


def _list(fields: dict[str, Node], name: str) -> list[Node]:
    return list(fields[name].items(name)) if name in fields else []


def _time(fields: dict[str, Node], name: str, default: int = 0) -> int:
    if name not in fields or not (text := fields[name].text(name)):
        return default
    return length(text, name, fields[name].line)


def _case(node: Node, number: int, step: int) -> Case:
    fields = node.fields(
        f"test {number}",
        (
            "name",
            "interval",
            "input_series",
            "alert_rule_test",
            "promql_expr_test",
            "external_labels",
            "external_url",
        ),
    )
    return Case(
        fields["name"].text("name") if "name" in fields else f"test {number}",
        _time(fields, "interval", step),
        tuple(_series(n) for n in _list(fields, "input_series")),
        tuple(_alert_check(n) for n in _list(fields, "alert_rule_test")),
        tuple(_query_check(n) for n in _list(fields, "promql_expr_test")),
        fields["external_labels"].words("external labels") if "external_labels" in fields else {},
        fields["external_url"].text("external_url") if "external_url" in fields else "",
    )


def _series(node: Node) -> tuple[dict[str, str], tuple[float | None, ...]]:
    fields = node.fields("a series", ("series", "values"))
    if len(fields) < 2:
        raise BadRules("a series has a name, series, and values", node.line)
    try:
        return labels_of(fields["series"].text("series")), tuple(values_of(fields["values"].text("values")))
    except BadRules as error:
        raise error if error.line else BadRules(error.detail, node.line) from error


def _alert_check(node: Node) -> AlertCheck:
    fields = node.fields("an alert_rule_test", ("eval_time", "alertname", "exp_alerts"))
    name = fields["alertname"].text("alertname") if "alertname" in fields else ""
    if not name:
        raise BadRules("an alert_rule_test needs an alertname", node.line)
    expected = []
    for alert in _list(fields, "exp_alerts"):
        own = alert.fields("an expected alert", ("exp_labels", "exp_annotations"))
        labels, annotations = (own[n].words(n) if n in own else {} for n in ("exp_labels", "exp_annotations"))
        expected.append(({**labels, "alertname": name}, annotations))
    return AlertCheck(_time(fields, "eval_time"), name, tuple(expected))


def _query_check(node: Node) -> QueryCheck:
    fields = node.fields("a promql_expr_test", ("expr", "eval_time", "exp_samples"))
    expr = fields["expr"].text("expr") if "expr" in fields else ""
    expected = []
    for sample in _list(fields, "exp_samples"):
        own = sample.fields("an expected sample", ("labels", "value"))
        value = values_of(own["value"].text("value")) if "value" in own else []
        if len(value) != 1 or value[0] is None:
            raise BadRules("an expected sample has one value", sample.line)
        expected.append((labels_of(own["labels"].text("labels")) if "labels" in own else {}, value[0]))
    return QueryCheck(_time(fields, "eval_time"), expr, tuple(expected))
