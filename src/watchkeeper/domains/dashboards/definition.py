"""What a dashboard consists of, as checked types; from JSON or YAML and back. Pure.

Panels stand on a grid of 12 columns; a row is 80 pixels high. An error names the panel or variable and its field.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from watchkeeper.model.errors import Malformed

COLUMNS = 12
LARGEST = 400_000  # characters of YAML
#: names that every query may use beside the dashboard's own variables
BUILT_IN = ("step", "range", "rate_interval")

Text = Annotated[str, Meta(max_length=200)]
Long = Annotated[str, Meta(max_length=10_000)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Colour = Literal["green", "yellow", "orange", "red", "blue"]
Kind = Literal["lines", "stat", "gauge", "bars", "table", "logs", "alerts", "situations", "health", "text"]
#: kinds that show numbers, and so need a query
MEASURED = ("lines", "stat", "gauge", "bars", "table")


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Defaults are left out when it is written."""


class Query(Struct):
    """Numbers: PromQL, or what spans tell of the requests that services answered. `legend` names a series by its
    labels: {{host.name}}."""

    promql: Long = ""
    spans: Literal["", "rate", "errors", "p50", "p95", "p99"] = ""
    service: Text = ""  # of spans; empty: all
    legend: Text = ""


class Threshold(Struct):
    """From this value upward, this colour."""

    value: float
    colour: Colour


class Panel(Struct):
    """One picture. `words`, `host`, `service` and `severity` narrow log lines and alerts; `text` is Markdown."""

    title: Text = ""
    description: Annotated[str, Meta(max_length=1000)] = ""
    kind: Kind = "lines"
    x: Annotated[int, Meta(ge=0, lt=COLUMNS)] = 0
    y: Annotated[int, Meta(ge=0, le=1000)] = 0
    w: Annotated[int, Meta(ge=1, le=COLUMNS)] = 6
    h: Annotated[int, Meta(ge=1, le=40)] = 4
    queries: Annotated[tuple[Query, ...], Meta(max_length=10)] = ()
    unit: Text = ""
    decimals: Annotated[int, Meta(ge=0, le=6)] | None = None
    min: float | None = None
    max: float | None = None
    stack: bool = False
    thresholds: Annotated[tuple[Threshold, ...], Meta(max_length=10)] = ()
    words: Text = ""
    host: Text = ""
    service: Text = ""
    severity: Literal["", "info", "warning", "error", "critical"] = ""  # at least
    text: Long = ""


class Variable(Struct):
    """What can be chosen above the panels; queries say $name or ${name}. `kind`: label (values that a label has in
    series that match), services (that sent spans), list, interval (lengths of time), text."""

    name: Name
    title: Text = ""
    kind: Literal["label", "services", "list", "interval", "text"] = "label"
    label: Text = ""
    series: Long = ""  # a selector, which may use other variables
    values: Annotated[tuple[Text, ...], Meta(max_length=200)] = ()
    default: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()  # none: the first there is
    multiple: bool = False
    all: bool = False


class Definition(Struct):
    """All of it. `last`: seconds that are shown at first; `refresh`: seconds between looks, 0 for none."""

    panels: Annotated[tuple[Panel, ...], Meta(max_length=60)] = ()
    variables: Annotated[tuple[Variable, ...], Meta(max_length=12)] = ()
    last: Annotated[int, Meta(ge=60, le=366 * 86_400)] = 3600
    refresh: Annotated[int, Meta(ge=0, le=86_400)] = 30


class BadDefinition(Malformed):
    """Not a dashboard; the detail names the place."""

    reason = "bad_dashboard"


def read(given: Any) -> Definition:
    """The definition that YAML text or plain data is. Raises BadDefinition."""
    plain = _plain(given) if isinstance(given, str) else given
    try:
        found = msgspec.convert({} if plain is None else plain, Definition)
    except msgspec.ValidationError as error:
        raise BadDefinition(_placed(str(error), plain)) from error
    _fits(found)
    return found


def plain(definition: Definition) -> dict[str, Any]:
    """As it is stored, and given over the API."""
    out: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(definition))
    return out


def as_yaml(given: Any) -> str:
    """As people edit it.

    >>> print(as_yaml({"last": 60, "panels": [{"title": "A", "kind": "text"}]}), end="")
    last: 60
    panels:
    - title: A
      kind: text
    """
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=110) if given else ""


def _plain(text: str) -> Any:
    if len(text) > LARGEST:
        raise BadDefinition(f"the text has {len(text):,} characters; {LARGEST:,} are the most")
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise BadDefinition("names that stand for other parts (*name) are not taken; write them out")
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadDefinition(f"{at}{getattr(error, 'problem', None) or error}") from error
    except (ValueError, RecursionError) as error:  # a date that there is not, or nested without end
        raise BadDefinition(f"this is not YAML that can be used: {error}") from error


def _placed(message: str, given: Any) -> str:
    """msgspec's message with the panel or variable in words.

    >>> _placed("Expected `int`, got `str` - at `$.panels[1].w`", {"panels": [{}, {"title": "CPU"}]})
    'panel 2 (CPU), w: Expected `int`, got `str`'
    """
    said, _, path = message.partition(" - at `$.")
    path = path.rstrip("`")
    found = re.match(r"(panels|variables)\[(\d+)\]\.?(.*)", path)
    if not found:
        return f"{path}: {said}" if path else said
    each, number = found[1], int(found[2])
    one = given[each][number] if isinstance(given, dict) else {}
    name = (one.get("title") or one.get("name") or "") if isinstance(one, dict) else ""
    title = f" ({name})" if isinstance(name, str) and name else ""
    return f"{each[:-1]} {number + 1}{title}{', ' + found[3] if found[3] else ''}: {said}"


def _fits(found: Definition) -> None:
    """What types cannot say."""
    for number, panel in enumerate(found.panels, 1):
        place = f"panel {number}{f' ({panel.title})' if panel.title else ''}"
        if panel.x + panel.w > COLUMNS:
            raise BadDefinition(f"{place}, w: x and w together are more than the {COLUMNS} columns")
        for query in panel.queries:
            if bool(query.promql.strip()) == bool(query.spans):
                raise BadDefinition(f"{place}, queries: each has either promql or spans")
        if panel.min is not None and panel.max is not None and panel.min >= panel.max:
            raise BadDefinition(f"{place}, max: is not over min")
    names = [v.name for v in found.variables]
    for number, variable in enumerate(found.variables, 1):
        place = f"variable {number} ({variable.name})"
        if variable.name in BUILT_IN or names.count(variable.name) > 1:
            raise BadDefinition(f"{place}, name: is taken")
        if variable.kind == "label" and not variable.label:
            raise BadDefinition(f"{place}, label: is needed")
        if variable.kind in ("list", "interval") and not variable.values:
            raise BadDefinition(f"{place}, values: are needed")
