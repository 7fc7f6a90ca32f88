"""Configuration as code, as text: YAML documents, each of which declares one record, with the place of every field so
that what is wrong can be pointed at. What the values mean is not known here.

    kind: event-rules
    name: page-the-network-team     # the same as a `name` in the spec
    spec:
      condition: …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from watchkeeper.exchange.tables import Loader, jsonlike, text_of
from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.yaml_text import require_shallow

MOST = 2000  # documents that are applied together
SIZE = 4 * 1024 * 1024  # bytes of all files
_KNOWN = ("kind", "name", "match", "spec")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the file, the number of its document from 1 and the line, 0 where it is about more than one;
    and the field, "" where it is about the whole."""

    file: str
    document: int
    line: int
    field: str
    detail: str

    def __str__(self) -> str:
        place = [self.file]
        place += [f"document {self.document}"] if self.document else []
        place += [f"line {self.line}"] if self.line else []
        return ", ".join(place) + ": " + (f"{self.field}: " if self.field else "") + self.detail


class Faulty(WatchkeeperError):
    """Documents that cannot be applied; nothing of them was."""

    status = 400
    reason = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}; nothing was changed")
        self.faults = faults
        self.more = {"errors": [asdict(f) for f in faults]}


@dataclass(frozen=True, slots=True)
class Document:
    """One record as it is declared. `match` names the fields by which it is found, where its kind's own will not do;
    `lines` are those of the spec's fields."""

    file: str
    number: int
    line: int
    kind: str
    match: tuple[str, ...]
    spec: dict[str, Any]
    lines: Mapping[str, int]

    def fault(self, field: str, detail: str) -> Fault:
        """What is wrong with one of its fields; a dotted name is within one."""
        line = self.lines.get(field.partition(".")[0], self.line)
        return Fault(self.file, self.number, line, field, detail)


def read(files: Mapping[str, bytes]) -> list[Document]:
    """The documents of these files, by name. Raises Faulty with everything that is wrong."""
    if (size := sum(map(len, files.values()))) > SIZE:
        raise Faulty([Fault("the files", 0, 0, "", f"{size:,} bytes are more than {SIZE:,}")])
    found, faults = list[Document](), list[Fault]()
    for name, data in files.items():
        for one in _documents(name, data):
            (faults if isinstance(one, Fault) else found).append(one)  # type: ignore[arg-type]
    if len(found) > MOST:
        faults.append(Fault("the files", 0, 0, "", f"{len(found):,} documents are more than {MOST:,}"))
    if faults:
        raise Faulty(faults)
    return found


def _documents(file: str, data: bytes) -> Iterator[Document | Fault]:
    """Those of one file; it ends at the first that is no YAML."""
    number = 0
    try:
        text = text_of(data)
        require_shallow(text)
        loader = Loader(text)
        while loader.check_node():
            number += 1
            node = _without_alias(loader)
            if not (
                isinstance(node, yaml.ScalarNode) and node.value == ""
            ):  # nothing between two lines of dashes
                yield _document(loader, file, number, node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        detail = str(getattr(error, "problem", None) or error)
        yield Fault(file, number, mark.line + 1 if mark else 0, "", f"YAML: {detail}")
    except (Malformed, RecursionError, ValueError) as error:
        yield Fault(file, number, 0, "", getattr(error, "detail", str(error)))


def _without_alias(loader: Any) -> Any:
    """The next document. A few aliases of aliases are gigabytes; a node that is met twice is one. Raises Malformed."""
    node = loader.get_node()
    seen, left = set[int](), [node]
    while left:
        one = left.pop()
        if id(one) in seen:
            raise Malformed(f"line {one.start_mark.line + 1}: aliases are not taken; write the values out")
        seen.add(id(one))
        if isinstance(one, yaml.MappingNode):
            left += [part for pair in one.value for part in pair]
        elif isinstance(one, yaml.SequenceNode):
            left += one.value
    return node


def _document(loader: Any, file: str, number: int, node: Any) -> Document | Fault:
    line = node.start_mark.line + 1
    if twice := _twice(node):
        return Fault(file, number, twice.start_mark.line + 1, str(twice.value), "is there twice")
    value = jsonlike(loader.construct_document(node))
    wrong = _shape(value)
    if wrong:
        return Fault(file, number, line, *wrong)
    tops = {k.value: (k, v) for k, v in node.value}
    spec, lines = dict(value.get("spec") or {}), dict[str, int]()
    if isinstance(part := tops.get("spec", (None, None))[1], yaml.MappingNode):
        lines = {k.value: k.start_mark.line + 1 for k, _ in part.value}
    if "name" in value:
        if "name" in spec:
            return Fault(
                file, number, lines["name"], "spec.name", "is the document's name already; write it once"
            )
        spec, lines["name"] = {"name": value["name"], **spec}, tops["name"][0].start_mark.line + 1
    match = value.get("match", [])
    return Document(file, number, line, value["kind"], tuple(match), spec, lines)


def _shape(value: Any) -> tuple[str, str] | None:
    """The field that makes it no document, and why."""
    if not isinstance(value, dict):
        return "", "is no document: `kind:` and `spec:` are needed"
    for name in value:
        if name not in _KNOWN:
            return (
                name,
                f"is not known here; there are: {', '.join(_KNOWN)}. A record's fields go under `spec:`",
            )
    if not isinstance(value.get("kind"), str):
        return "kind", "is needed: the kind of record, such as event-rules"
    if not isinstance(value.get("spec", {}), dict | None):
        return "spec", "has to be fields and their values"
    match = value.get("match", [])
    if not isinstance(match, list) or not all(isinstance(m, str) for m in match):
        return "match", "has to be a list of fields"
    return None


def _twice(node: Any) -> Any:
    """The first key that a mapping has twice, at any depth; None where there is none."""
    if isinstance(node, yaml.SequenceNode):
        return next((t for v in node.value if (t := _twice(v))), None)
    if not isinstance(node, yaml.MappingNode):
        return None
    seen = set[Any]()
    for key, value in node.value:
        if (again := key.value if isinstance(key, yaml.ScalarNode) else None) in seen:
            return key
        seen.add(again)
        if inner := _twice(value):
            return inner
    return None
