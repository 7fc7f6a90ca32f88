"""Definitions of dashboards, and variables in queries: what is understood, what is refused, and where it says so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains.dashboards import bringing, filling
from watchkeeper.domains.dashboards.checking import check
from watchkeeper.domains.dashboards.choices import settled
from watchkeeper.domains.dashboards.definition import BadDefinition, Variable, as_yaml, plain, read
from watchkeeper.telemetry.promql.parsing import matchers

LINES = {"title": "CPU", "queries": [{"promql": 'up{job="$job"}'}], "w": 6, "h": 4}
JOB = {"name": "job", "label": "job"}

#: definition → what has to be said
HOSTILE: dict[str, tuple[Any, str]] = {
    "a list": ([], "Expected `object`"),
    "a word": ("hello", "Expected `object`"),
    "an unknown field": ({"panels": [{**LINES, "color": "red"}]}, "panel 1 (CPU): Object contains unknown field"),
    "a wrong type": ({"panels": [LINES, {"title": "B", "w": "wide"}]}, "panel 2 (B), w: Expected `int`"),
    "an unknown kind": ({"panels": [{"kind": "pie"}]}, "panel 1, kind: Invalid enum value 'pie'"),
    "too wide": ({"panels": [{"x": 8, "w": 6}]}, "panel 1, w: x and w together"),
    "too many panels": ({"panels": [LINES] * 61}, "panels: Expected `array` of length <= 60"),
    "both": ({"panels": [{"queries": [{"promql": "up", "spans": "rate"}]}]}, "either promql or spans"),
    "neither": ({"panels": [{"queries": [{"legend": "x"}]}]}, "either promql or spans"),
    "bounds": ({"panels": [{"min": 2, "max": 1}]}, "panel 1, max: is not over min"),
    "no PromQL": ({"panels": [{"title": "A", "queries": [{"promql": "sum("}]}]}, "panel 1 (A), query: parse error"),
    "no variable": ({"panels": [LINES]}, "panel 1 (CPU): there is no variable $job"),
    "twice": ({"variables": [JOB, JOB]}, "variable 1 (job), name: is taken"),
    "a name of ours": ({"variables": [{**JOB, "name": "step"}]}, "variable 1 (step), name: is taken"),
    "a bad name": ({"variables": [{"name": "A b"}]}, "variable 1 (A b), name: Expected `str` matching"),
    "no label": ({"variables": [{"name": "job"}]}, "variable 1 (job), label: is needed"),
    "no values": ({"variables": [{"name": "job", "kind": "list"}]}, "variable 1 (job), values: are needed"),
    "no selector": ({"variables": [{**JOB, "series": "sum(up)"}]}, "variable 1 (job), series: "),
    "no YAML": ("panels: [", "line 1: "),
    "an alias": ("a: &a [1]\npanels: *a", "names that stand for other parts"),
    "an object": ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    "a date": ("last: 2026-13-45", "not YAML that can be used"),
    "too long": ("#" * 500_000, "are the most"),
    "no number": ({"panels": [{"max": float("nan"), "thresholds": [{"value": "x", "colour": "red"}]}]}, "panel 1"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "said"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_dashboard_is_refused_and_says_where(given: Any, said: str) -> None:
    with pytest.raises(BadDefinition) as error:
        check(read(given))
    assert said in error.value.detail


def test_yaml_goes_round() -> None:
    for told in bringing.files().values():
        definition = plain(read(told["definition"]))
        check(read(definition))
        text = as_yaml(definition)
        assert plain(read(text)) == definition == yaml.safe_load(text)


@given(st.text(min_size=1).filter(lambda t: "\n" not in t and "\x00" not in t and t != filling.ALL))
def test_a_value_stays_itself_in_a_query(value: str) -> None:
    """Whatever it holds, it is the value of its matcher, and cannot end it."""
    [equal] = matchers(filling.promql('{a="$v"}', {"v": [value]}))
    assert (equal.label, equal.operator, equal.value) == ("a", "=", value)
    [pattern] = matchers(filling.promql('{a=~"x$v"}', {"v": [value, "b"]}))
    assert pattern.label == "a" and pattern.operator == "=~" and pattern.value.endswith("|b)")


def test_all_is_every_value() -> None:
    chosen = {"host": [filling.ALL], "rate_interval": ["2m"]}
    text = filling.promql('rate(x{host=~"$host", a="1"}[$rate_interval])', chosen)
    assert text == 'rate(x{host=~".*", a="1"}[2m])'
    assert filling.words("Load of ${host}", {"host": ["a"]}) == "Load of a"


def test_what_is_chosen_is_there() -> None:
    one, many = Variable(name="a", label="a"), Variable(name="a", label="a", multiple=True, all=True)
    assert settled(one, ["x", "y"], ["y", "x"]) == ["y"]
    assert settled(one, ["x", "y"], ["gone"]) == ["x"]
    assert settled(one, [], ["gone"]) == []
    assert settled(many, ["x", "y"], ["y", "x", "gone"]) == ["y", "x"]
    assert settled(many, ["x"], []) == settled(many, ["x"], [filling.ALL]) == [filling.ALL]
    assert settled(Variable(name="a", kind="text"), [], ["typed"]) == ["typed"]
