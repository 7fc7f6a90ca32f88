"""Rule files as Prometheus takes them: text to groups of checked rules. What could not be evaluated is refused with its
group, rule and line; what is merely odd becomes a warning."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from watchkeeper.telemetry import promql
from watchkeeper.telemetry.rulefiles.templates import BadTemplate, Template
from watchkeeper.telemetry.rulefiles.yaml_nodes import BadRules, Node, read

MOST_RULES = 5_000  # of a file
_GROUP = ("name", "interval", "query_offset", "limit", "rules", "labels", "partial_response_strategy")
_RULE = ("alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_NOTHING = re.compile(r"0(ms|s|m|h|d|w|y)?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Recording:
    """What an expression comes to becomes samples of the metric `name`."""

    name: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Alerting:
    """Every series of an expression that lasts for `for_ms` becomes an alert. Labels and annotations are templates."""

    name: str
    expr: str
    for_ms: int = 0
    keep_ms: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    line: int = 0


Rule = Recording | Alerting


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after another, every `interval_ms` (0: as the reader of the file has it). `limit`: so
    many series or alerts a rule at most, 0 as many as there are. `source` is the text of its rules."""

    name: str
    rules: tuple[Rule, ...]
    interval_ms: int = 0
    offset_ms: int = 0
    limit: int = 0
    source: str = ""


def read_file(text: str) -> list[Group]:
    """The groups of a file. Raises BadRules."""
    top = read(text).fields("a rule file", ("groups",))
    if "groups" not in top:
        raise BadRules("a rule file has a list of groups; there is none", 1)
    groups: dict[str, Group] = {}
    for node in top["groups"].items("groups"):
        group = _group(node, text)
        if group.name in groups:
            raise BadRules(f"there are two groups {group.name!r}", node.line)
        groups[group.name] = group
    if sum(len(g.rules) for g in groups.values()) > MOST_RULES:
        raise BadRules(f"a file has at most {MOST_RULES:,} rules")
    return list(groups.values())


def read_rules(text: str, group: str, shared: dict[str, str] | None = None) -> tuple[Rule, ...]:
    """The list of rules of a group. Raises BadRules."""
    found = [_rule(n, group, i, shared or {}) for i, n in enumerate(read(text).items("rules"), 1)]
    if len(found) > MOST_RULES:
        raise BadRules(f"a group has at most {MOST_RULES:,} rules")
    return tuple(found)


def doubles(groups: list[Group]) -> list[str]:
    """What is odd: rules of one name and the same labels, whose results get in each other's way."""
    met: dict[tuple[str, ...], str] = {}
    out = []
    for group in groups:
        for rule in group.rules:
            key = (type(rule).__name__, rule.name, *(f"{k}={v}" for k, v in sorted(rule.labels.items())))
            if key in met:
                out.append(f"{rule.name} of {group.name} has the name and labels of one of {met[key]}")
            met.setdefault(key, group.name)
    return out


def length(text: str, what: str, line: int) -> int:
    """A length of time in ms. Raises BadRules."""
    try:
        return 0 if _NOTHING.fullmatch(text) else promql.duration_ms(text)
    except promql.BadQuery as error:
        raise BadRules(f"{what}: {text!r} is no length of time such as 5m or 1h30m", line) from error


def _group(node: Node, text: str) -> Group:
    fields = node.fields("a group", _GROUP)
    name = fields["name"].text("a group's name") if "name" in fields else ""
    if not name:
        raise BadRules("a group needs a name", node.line)
    shared = _labels(fields.get("labels"), f"group {name!r}", templates=True)
    rules = fields.get("rules")
    parts = list(rules.items(f"the rules of group {name!r}")) if rules else []
    return Group(
        name,
        tuple(_rule(n, name, i, shared) for i, n in enumerate(parts, 1)),
        _length(fields, "interval", f"group {name!r}"),
        _length(fields, "query_offset", f"group {name!r}"),
        _limit(fields, name),
        _written(rules, shared, text) if rules and parts else "",
    )


def _written(rules: Node, shared: dict[str, str], text: str) -> str:
    """The rules as they are written, with their comments; written anew where the group has labels for all of them."""
    start, end = rules.raw.start_mark, rules.raw.end_mark
    if rules.raw.flow_style or shared:
        return _anew(rules, shared)
    lines = text.splitlines(keepends=True)
    # It ends where what comes next begins, which is at the end of the text nothing.
    first, last = start.line, len(lines) if end.index >= len(text.rstrip()) else end.line
    while lines[first - 1].lstrip().startswith("#"):  # what is said of the first rule
        first -= 1
    while (told := lines[last - 1].strip()) == "" or (
        told[0] == "#" and lines[last - 1].index("#") < start.column
    ):
        last -= 1  # and of the next group
    return textwrap.dedent("".join(lines[first:last])).rstrip() + "\n"


def _anew(rules: Node, shared: dict[str, str]) -> str:
    import yaml

    out = []
    for node in rules.items("rules"):
        rule = {k: v.words(k) if k in ("labels", "annotations") else v.text(k)
                for k, v in node.fields("a rule", _RULE).items()}  # fmt: skip
        own = rule.get("labels")
        if shared:
            rule["labels"] = {**shared, **(own if isinstance(own, dict) else {})}
        out.append(rule)
    return yaml.safe_dump(out, sort_keys=False, allow_unicode=True, width=1000)


def _limit(fields: dict[str, Node], group: str) -> int:
    text = fields["limit"].text("limit") if "limit" in fields else "0"
    if not text.isdecimal():
        raise BadRules(f"group {group!r}: limit: {text!r} is no whole number", fields["limit"].line)
    return int(text)


def _length(fields: dict[str, Node], name: str, where: str) -> int:
    if name not in fields or not (text := fields[name].text(name)):
        return 0
    return length(text, f"{where}: {name}", fields[name].line)


def _rule(node: Node, group: str, number: int, shared: dict[str, str]) -> Rule:
    fields = node.fields(f"rule {number} of group {group!r}", _RULE)
    names = [n for n in ("alert", "record") if n in fields and not fields[n].empty()]
    where = f"group {group!r}, rule {number}"
    if len(names) != 1:
        one = "one of record and alert is needed" if not names else "it is either record or alert, not both"
        raise BadRules(f"{where}: {one}", node.line)
    name = fields[names[0]].text(names[0])
    where += f", {name!r}"
    labels = {
        **shared,
        **_labels(fields.get("labels"), where, templates=names[0] == "alert"),
    }
    expr = _expression(fields, where, node.line)
    if names[0] == "record":
        if not _METRIC.fullmatch(name):
            raise BadRules(f"{where}: {name!r} cannot be the name of a metric", fields["record"].line)
        if wrong := [n for n in ("for", "keep_firing_for", "annotations") if n in fields]:
            raise BadRules(f"{where}: a recording rule has no {wrong[0]!r}", fields[wrong[0]].line)
        return Recording(name, expr, labels, node.line)
    annotations = _labels(fields.get("annotations"), where, templates=True, what="annotation")
    return Alerting(
        name, expr, _length(fields, "for", where), _length(fields, "keep_firing_for", where), labels,
        annotations, node.line,
    )  # fmt: skip


def _expression(fields: dict[str, Node], where: str, line: int) -> str:
    expr = fields["expr"].text("expr") if "expr" in fields else ""
    if not expr.strip():
        raise BadRules(f"{where}: an expression is needed, expr", line)
    try:
        kind = promql.kind_of(expr)
    except promql.BadQuery as error:
        raise BadRules(f"{where}: expr: {error.detail}", fields["expr"].line) from error
    if kind not in ("scalar", "vector"):
        raise BadRules(
            f"{where}: expr: a {kind} is no result of a rule; a vector or scalar is", fields["expr"].line
        )
    return expr


def _labels(node: Node | None, where: str, *, templates: bool, what: str = "label") -> dict[str, str]:
    if node is None:
        return {}
    out = {}
    for name, value in node.fields(f"{what}s of {where}").items():
        if not _LABEL.fullmatch(name) or (what == "label" and name == "__name__"):
            raise BadRules(f"{where}: {name!r} cannot be the name of a {what}", value.line)
        out[name] = value.text(f"{where}: {what} {name!r}")
        if templates:
            try:
                Template.of(out[name])
            except BadTemplate as error:
                raise BadRules(f"{where}: {what} {name!r}: {error}", value.line) from error
    return out
