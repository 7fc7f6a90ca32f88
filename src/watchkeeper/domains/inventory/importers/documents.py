"""What importers of nested documents share: JSON and YAML read with errors of ours, and a way through what may be
missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import yaml

from watchkeeper.model.errors import Malformed
from watchkeeper.model.yaml_text import require_shallow

MOST_DEEP = 64


_NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def documents(data: bytes) -> list[Any]:
    """Those of a file of JSON or YAML. Raises Malformed."""
    return json_documents(data) if data.lstrip()[:1] in (b"{", b"[") else yaml_documents(data)


def json_documents(data: bytes) -> list[Any]:
    """The document, or those of a file that has one on each line. Raises Malformed."""
    try:
        return [msgspec.json.decode(data)]
    except _NOT_JSON as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) > 1:
            with suppress(*_NOT_JSON):
                return [msgspec.json.decode(line) for line in lines]
        raise Malformed(f"the file is not JSON: {error}") from error


def yaml_documents(data: bytes) -> list[Any]:
    """Every document of the file that has something in it. Raises Malformed, also for aliases, by which a small file
    becomes a large one."""
    try:
        require_shallow(data)
        for event in yaml.parse(data, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise Malformed(f"line {event.start_mark.line + 1}: aliases are not taken")
        return [d for d in yaml.load_all(data, Loader=yaml.CSafeLoader) if d is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Malformed(f"the file is not YAML: {error}") from error


def at(document: Any, *path: str) -> Any:
    """What lies at a path of keys; None where there is nothing.

    >>> at({"spec": {"type": "service"}}, "spec", "type"), at({"spec": None}, "spec", "type")
    ('service', None)
    """
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def word(document: Any, *path: str) -> str:
    """The text or number at a path as text; "" where there is none."""
    found = at(document, *path)
    return str(found).strip() if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def rows(document: Any, *path: str) -> list[dict[str, Any]]:
    """The objects of the list at a path."""
    found = at(document, *path)
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def said(**values: Any) -> dict[str, Any]:
    """Those of which something is said."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def objects(document: Any, mark: str, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object that has this key, however it is wrapped in lists and objects without it."""
    if depth > MOST_DEEP:
        raise Malformed(f"the file is nested more than {MOST_DEEP} deep")
    if isinstance(document, dict):
        if mark in document:
            yield document
            return
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from objects(part, mark, depth + 1)
