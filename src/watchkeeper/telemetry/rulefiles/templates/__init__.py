"""Prometheus' templates of labels and annotations: `{{ $labels.instance }} is {{ $value | humanize }}`. They are Go's
text/template in the subset that rules use; what is not supported is refused by name when a template is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from watchkeeper.telemetry.rulefiles.templates.filling import Filling
from watchkeeper.telemetry.rulefiles.templates.functions import FUNCTIONS, OF_THE_RULE
from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate
from watchkeeper.telemetry.rulefiles.templates.parsing import parse
from watchkeeper.telemetry.rulefiles.templates.syntax import Part
from watchkeeper.telemetry.rulefiles.templates.values import Sample

__all__ = ["About", "BadTemplate", "Sample", "Surroundings", "Template"]
_KNOWN = frozenset((*FUNCTIONS, *OF_THE_RULE))
_VARIABLES = frozenset(("$", "$labels", "$value", "$externalLabels", "$externalURL"))


@dataclass(frozen=True)
class Surroundings:
    """What all templates share: `query` answers an expression, and the labels and address of this installation."""

    query: Callable[[str], list[Sample]]
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True)
class About:
    """The series that an alert is about."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Template:
    """A template that has been read."""

    parts: Sequence[Part]

    @staticmethod
    def of(text: str) -> Template:
        """Read it. Raises BadTemplate."""
        return _read(text)

    def fill(self, about: About, within: Surroundings) -> str:
        """The text. Raises BadTemplate."""
        dot: dict[str, Any] = {
            "Labels": dict(about.labels), "Value": about.value, "ExternalLabels": dict(within.labels),
            "ExternalURL": within.url,
        }  # fmt: skip
        variables = {
            "$": dot, "$labels": dot["Labels"], "$value": about.value, "$externalLabels": dot["ExternalLabels"],
            "$externalURL": within.url,
        }  # fmt: skip
        functions: dict[str, Callable[..., Any]] = {
            **FUNCTIONS, "query": within.query, "externalURL": lambda: within.url,
            "pathPrefix": lambda: urlsplit(within.url).path,
        }  # fmt: skip
        return Filling(functions, variables).text(self.parts, dot)


@lru_cache(maxsize=4096)
def _read(text: str) -> Template:
    return Template(parse(text, _KNOWN, _VARIABLES))
