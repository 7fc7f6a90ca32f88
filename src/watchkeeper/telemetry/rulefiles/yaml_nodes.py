"""YAML as nodes with the lines they stand in, so that whoever is told of an error is told where. Scalars are their text as
written: `for: 1m` and `code: 500` are both words, as in Prometheus' files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.yaml_text import require_shallow

MAX_BYTES = 2_000_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"


class BadRules(WatchkeeperError):
    """A file that is no rule file, or no file of tests; `line` counts from 1, 0 where there is none to name."""

    status = 400
    reason = "bad_rules"

    def __init__(self, detail: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {detail}" if line else detail)
        self.line = line


@dataclass(frozen=True)
class Node:
    """A part of a document; the methods raise BadRules where it is not of the shape that is asked for."""

    raw: Any

    @property
    def line(self) -> int:
        """Where it begins."""
        return int(self.raw.start_mark.line) + 1

    def fields(self, what: str, known: tuple[str, ...] | None = None) -> dict[str, Node]:
        """The fields of a mapping, none twice, and with `known` only of these names."""
        if self.empty():
            return {}
        if not isinstance(self.raw, yaml.MappingNode):
            raise BadRules(f"{what} has to have fields, name: value", self.line)
        out: dict[str, Node] = {}
        for key, value in self.raw.value:
            name = Node(key).text("a field's name")
            if known is not None and name not in known:
                raise BadRules(
                    f"{what} has a field {name!r}, which is not known; there are {', '.join(known)}",
                    Node(key).line,
                )
            if name in out:
                raise BadRules(f"{what} has the field {name!r} twice", Node(key).line)
            out[name] = Node(value)
        return out

    def items(self, what: str) -> Iterator[Node]:
        """The parts of a list."""
        if self.empty():
            return
        if not isinstance(self.raw, yaml.SequenceNode):
            raise BadRules(f"{what} has to be a list", self.line)
        yield from map(Node, self.raw.value)

    def text(self, what: str) -> str:
        """A scalar as it is written."""
        if not isinstance(self.raw, yaml.ScalarNode):
            raise BadRules(f"{what} has to be a text", self.line)
        return "" if self.empty() else str(self.raw.value)

    def words(self, what: str) -> dict[str, str]:
        """A mapping of texts."""
        return {name: node.text(f"{what} {name!r}") for name, node in self.fields(what).items()}

    def empty(self) -> bool:
        """Whether nothing is written there."""
        return isinstance(self.raw, yaml.ScalarNode) and self.raw.tag == _NULL


def read(text: str) -> Node:
    """The document of a text. Raises BadRules."""
    if len(text) > MAX_BYTES:
        raise BadRules(f"it has {len(text):,} characters; {MAX_BYTES:,} are the most")
    try:
        require_shallow(text)
        found = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadRules(f"this is no YAML: {error.problem}", line) from error
    except Malformed as error:
        raise BadRules(f"it {error.detail}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadRules(f"this is no YAML: {error}") from error
    if found is None:
        raise BadRules("there is nothing in it")
    return Node(found)
