"""YAML that people or other programs have written. Its C library calls itself at every level, so that a text with enough
brackets ends the process: levels are counted first."""

from __future__ import annotations

from typing import Any

import yaml

from watchkeeper.model.errors import Malformed

DEEPEST = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str | bytes) -> Any:
    """What one document says, plain values only. Raises Malformed."""
    try:
        require_shallow(text)
        return yaml.load(text, _LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        raise Malformed(f"is no YAML{f' at line {where.line + 1}' if where else ''}") from error


def require_shallow(text: str | bytes) -> None:
    """Raises Malformed for more levels than anybody writes, and yaml.YAMLError."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise Malformed(f"is YAML of more than {DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
