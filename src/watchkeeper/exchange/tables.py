"""Tables as files: CSV, JSON and YAML, read and written. Bytes in, rows of plain values out, and the other way;
what the values mean is not known here. CSV knows only text: its cells are read as text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import yaml

from watchkeeper.model.errors import Malformed
from watchkeeper.model.yaml_text import require_shallow

#: A row's number as people see it, the header of CSV being row 1, and its values by column.
Row = tuple[int, dict[str, Any]]

_FORMULA = re.compile(r"[ ']*[=+\-@\t\r]")  # some spreadsheets overlook spaces
_QUOTED_FORMULA = re.compile(r"'[ ']*[=+\-@\t\r]")
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_OTHERS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
csv.field_size_limit(16 * 1024 * 1024)


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    JSON = "json"
    YAML = "yaml"

    @property
    def media_type(self) -> str:
        """For Content-Type."""
        return {"csv": "text/csv; charset=utf-8", "json": "application/json"}.get(self, "application/yaml")

    @classmethod
    def of(cls, name: str) -> Format | None:
        """By the end of a file's name.

        >>> Format.of("items.YML")
        <Format.YAML: 'yaml'>
        """
        end = name.rpartition(".")[2].lower()
        return {"csv": cls.CSV, "json": cls.JSON, "yaml": cls.YAML, "yml": cls.YAML}.get(end)


def read(data: bytes, written: Format) -> list[Row]:
    """The rows of a file. Raises Malformed naming the row or the line."""
    text = text_of(data)
    if written is Format.CSV:
        return list(_csv_rows(text))
    found = from_json(text) if written is Format.JSON else _yaml(text)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise Malformed("the file has to be a list of records")
    for number, row in enumerate(found, 1):
        if not isinstance(row, dict):
            raise Malformed(f"row {number} is no record: names and values are needed")
    return list(enumerate(found, 1))


def write(rows: Iterable[dict[str, Any]], written: Format, columns: Sequence[str]) -> Iterator[str]:
    """The text of a file, in pieces. Rows hold JSON's types; nested values are JSON in a cell of CSV."""
    match written:
        case Format.CSV:
            yield _csv_line(columns)
            for row in rows:
                yield _csv_line([guarded(row.get(name)) for name in columns])
        case Format.JSON:
            between = "[\n"
            for row in rows:
                yield between + json.dumps(row, ensure_ascii=False)
                between = ",\n"
            yield "[]\n" if between == "[\n" else "\n]\n"
        case Format.YAML:
            empty = True
            for row in rows:
                empty = False
                yield yaml.dump(
                    [row], Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000
                )
            if empty:
                yield "[]\n"


def cell(value: Any) -> str:
    """A plain value as text, as `read` gives a cell back.

    >>> cell(None), cell(True), cell({"a": 1}), cell(1.5)
    ('', 'true', '{"a": 1}', '1.5')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def guarded(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it,
    which `read` takes away again. Numbers stay as they are.

    >>> guarded("=1+1"), guarded(" =1"), guarded(-5), guarded("'quoted'")
    ("'=1+1", "' =1", '-5', "'quoted'")
    """
    text = cell(value)
    return "'" + text if isinstance(value, str) and _FORMULA.match(text) else text


def text_of(data: bytes) -> str:
    """A file's bytes as text. Raises Malformed naming the line."""
    if other := _OTHERS.get(data[:2]):
        raise Malformed(f"the file is {other}; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(
            f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise Malformed("no text may contain NUL")
    return text


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)  # ends in CR LF, and so quotes cells with either
    return out.getvalue().removesuffix("\r\n") + "\n"


def _csv_rows(text: str) -> Iterator[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # spreadsheets write what the country's decimal comma leaves
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        names: list[str] | None = None
        for number, cells in enumerate(lines, 1):
            if not any(cells):
                continue
            if names is None:
                names = _header([c.strip() for c in cells])
            elif len(cells) != len(names):
                raise Malformed(f"row {number} has {len(cells)} cells, the first row has {len(names)}")
            else:
                yield number, {n: c[1:] if _QUOTED_FORMULA.match(c) else c for n, c in zip(names, cells)}  # noqa: B905
    except csv.Error as error:
        raise Malformed(f"row {number + 1}: {error}") from error


def _header(names: list[str]) -> list[str]:
    for place, name in enumerate(names, 1):
        if not name:
            raise Malformed(f"column {place} has no name; the first row names the columns")
        if name in names[: place - 1]:
            raise Malformed(f"two columns are named {name!r}")
    return names


def from_json(text: str) -> Any:
    """What JSON says. Raises Malformed, also for text that no database can hold."""
    if _ESCAPED_NUL.search(text):
        raise Malformed("JSON: no text may contain NUL")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Malformed(f"JSON: {error}") from error


class Loader(yaml.CSafeLoader):
    """Types as in YAML 1.2 and JSON: `no` and `12:30` are text, and so is a date."""


_TYPES = (
    ("null", r"~|null|", "~n"),
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+][0-9]+)?", "-0123456789"),
)
Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _TYPES:
    _starts = [*_first, ""] if _name == "null" else list(_first)
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"(?:{_pattern})$"), _starts)


def _require_shallow(text: str) -> None:
    try:
        require_shallow(text)
    except Malformed as error:
        raise Malformed(f"YAML: it {error.detail}") from error


def _yaml(text: str) -> Any:
    try:
        _require_shallow(text)
        # A few aliases of aliases are gigabytes.
        if "*" in text and any(isinstance(t, yaml.AliasToken) for t in yaml.scan(text, Loader=Loader)):
            raise Malformed("YAML: aliases are not taken; write the values out")
        return jsonlike(yaml.load(text, Loader=Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise Malformed(f"YAML: {where}{getattr(error, 'problem', None) or error}") from error
    except (RecursionError, ValueError) as error:
        raise Malformed(f"YAML: {error}") from error


def jsonlike(value: Any) -> Any:
    """With text as keys. Raises Malformed for what JSON does not have."""
    match value:
        case str():
            if "\0" in value:
                raise Malformed("YAML: no text may contain NUL")
            return value
        case None | bool() | int() | float():
            return value
        case list():
            return [jsonlike(v) for v in value]
        case dict():
            return {k if isinstance(k, str) else cell(k): jsonlike(v) for k, v in value.items()}
    raise Malformed(f"YAML: a {type(value).__name__} is not taken; write it as text")
