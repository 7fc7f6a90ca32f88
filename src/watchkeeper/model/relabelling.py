"""Prometheus' relabelling: rules that choose, change and name labels, of targets before they are scraped and of samples
before they are stored. Pure; expressions are RE2's and match the whole of a text.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import md5
from typing import Any

import msgspec

from watchkeeper.model.errors import Malformed

MOST_RULES = 100
MOST_TEXT = 2_000  # characters of an expression
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_TARGET = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
Labels = dict[str, str]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of relabel_configs, with Prometheus' names and defaults."""

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = "(.*)"
    modulus: int = 0
    target_label: str = ""
    replacement: str = "$1"
    action: str = "replace"


_ACTIONS = ("replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep",
            "lowercase", "uppercase")  # fmt: skip
_NEED_TARGET = {"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"}
#: action → what has to be left alone
_UNUSED = {
    **dict.fromkeys(("lowercase", "uppercase"), ("replacement",)),
    **dict.fromkeys(("keepequal", "dropequal"), ("regex", "separator", "modulus", "replacement")),
    **dict.fromkeys(
        ("labeldrop", "labelkeep"), ("source_labels", "separator", "modulus", "target_label", "replacement")
    ),
}  # fmt: skip


def read_rules(data: Any) -> tuple[Rule, ...]:
    """Rules of a list of objects as `relabel_configs` has them. Raises Malformed naming the rule and its part."""
    if not isinstance(data, list | tuple) or not all(isinstance(one, Mapping) for one in data):
        raise Malformed("write a list of rules, such as - {source_labels: [job], regex: node, action: keep}")
    if len(data) > MOST_RULES:
        raise Malformed(f"there are {len(data)} rules, of which {MOST_RULES} are the most")
    return tuple(_read(number, one) for number, one in enumerate(data, 1))


def _read(number: int, data: Mapping[str, Any]) -> Rule:
    texts = {k: _text(v) if k not in ("source_labels", "modulus") else v for k, v in data.items()}
    try:
        rule = msgspec.convert(texts, Rule)
    except (msgspec.ValidationError, TypeError) as error:
        raise Malformed(f"rule {number}: {error}") from error
    rule = msgspec.structs.replace(rule, action=rule.action.lower())
    if wrong := _wrong(rule):
        raise Malformed(f"rule {number}: {wrong}")
    return rule


def _text(value: Any) -> Any:
    """YAML takes `regex: 8080` for a number, which Prometheus takes for a text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _wrong(rule: Rule) -> str:
    """What is wrong with a rule, "" for nothing."""
    if rule.action not in _ACTIONS:
        return f"action: {rule.action[:50]!r} is none of {', '.join(_ACTIONS)}"
    if bad := next((name for name in rule.source_labels if not LABEL.fullmatch(name)), None):
        return f"source_labels: {bad[:50]!r} cannot be the name of a label"
    if rule.action in _NEED_TARGET and not rule.target_label:
        return f"target_label: {rule.action} needs one"
    if unused := [n for n in _UNUSED.get(rule.action, ()) if getattr(rule, n) != getattr(Rule(), n)]:
        return f"{unused[0]}: {rule.action} has no use for it"
    if rule.target_label and not (_TARGET if rule.action == "replace" else LABEL).fullmatch(
        rule.target_label
    ):
        return f"target_label: {rule.target_label[:50]!r} cannot be the name of a label"
    if rule.action == "labelmap" and not _TARGET.fullmatch(rule.replacement):
        return f"replacement: {rule.replacement[:50]!r} cannot become the name of a label"
    if rule.action == "hashmod" and not 0 < rule.modulus < 2**64:
        return "modulus: hashmod needs one that is greater than 0"
    return _wrong_expression(rule.regex)


def _wrong_expression(text: str) -> str:
    import re2

    if len(text) > MOST_TEXT:
        return f"regex: it has more than {MOST_TEXT} characters"
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)  # alone too: "a)|(b" is none, though it would be one in parentheses
        _matcher(text)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        return f"regex: no regular expression: {why.decode() if isinstance(why, bytes) else why}"
    return ""


def relabelled(labels: Mapping[str, str], rules: Sequence[Rule]) -> Labels | None:
    """The labels after all rules; None when one of them leaves this out. A label with an empty value is none.

    >>> relabelled({"a": "x-1"}, [Rule(("a",), regex="(.*)-(.*)", target_label="b", replacement="$2/$1")])
    {'a': 'x-1', 'b': '1/x'}
    >>> relabelled({"a": "x"}, [Rule(("a",), regex="y", action="keep")])
    """
    found = {name: value for name, value in labels.items() if value}
    for rule in rules:
        value = rule.separator.join(found.get(name, "") for name in rule.source_labels)
        match rule.action:
            case "keep" | "drop" | "keepequal" | "dropequal":
                if _is_left_out(rule, found, value):
                    return None
            case "labelmap" | "labeldrop" | "labelkeep":
                found = _by_name(rule, found)
            case _:
                _set(found, rule, value)
    return found


def _is_left_out(rule: Rule, labels: Labels, value: str) -> bool:
    if rule.action.endswith("equal"):
        meets = labels.get(rule.target_label, "") == value
    else:
        meets = _matcher(rule.regex)(value) is not None
    return meets == rule.action.startswith("drop")


def _by_name(rule: Rule, labels: Labels) -> Labels:
    match_ = _matcher(rule.regex)
    if rule.action != "labelmap":
        return {n: v for n, v in labels.items() if (match_(n) is not None) == (rule.action == "labelkeep")}
    found = dict(labels)
    for name, value in labels.items():
        if (met := match_(name)) is not None:
            found[filled(rule.replacement, met)] = value
    return found


def _set(labels: Labels, rule: Rule, value: str) -> None:
    """Of the actions that give the target label a value."""
    target, new = rule.target_label, ""
    match rule.action:
        case "replace":
            met = _matcher(rule.regex)(value)
            target = filled(target, met) if met is not None else ""
            if met is None or not LABEL.fullmatch(target):
                return
            new = filled(rule.replacement, met)
        case "hashmod":
            digest = md5(value.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
            new = str(int.from_bytes(digest[8:]) % rule.modulus)
        case "lowercase":
            new = "".join(one if len(c := one.lower()) > 1 else c for one in value)
        case "uppercase":
            new = "".join(one if len(c := one.upper()) > 1 else c for one in value)
    if new:
        labels[target] = new
    else:
        labels.pop(target, None)


@lru_cache(1000)
def _matcher(text: str) -> Callable[[str], re.Match[str] | None]:
    """Matches the whole of a text. Raises re2.error."""
    import re2  # loaded with the first rule

    options = re2.Options()
    options.log_errors = False
    found: Callable[[str], re.Match[str] | None] = re2.compile(f"(?s:{text})", options).fullmatch
    return found


def filled(template: str, met: re.Match[str]) -> str:
    """A template of Go's regexp.Expand: `$1`, `${1}`, `$name`, and `$$`; what names no group is nothing."""

    def group(reference: re.Match[str]) -> str:
        dollar, *names = reference.groups()
        name = names[0] or names[1]
        if dollar:
            return "$"
        if name.isascii() and name.isdigit():
            known = str(int(name)) == name and int(name) <= met.re.groups
            return (met.group(int(name)) or "") if known else ""
        return met.groupdict().get(name) or ""

    return _REFERENCE.sub(group, template)
