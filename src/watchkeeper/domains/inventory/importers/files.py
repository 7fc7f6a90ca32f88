"""CSV, JSON and YAML in which each row is one thing: the columns `kind`, `key` and `name`, then attributes by their names,
references as `site@` (a key of this file, or `fqdn=…`), identifiers as `identifier:fqdn`, relations as `relation:runs_on`
and, from the other end, `relation:contains:inverse`; several values of one cell are separated by a semicolon or, in JSON
and YAML, a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described, Identifier, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.exchange import tables
from watchkeeper.exchange.tables import Format
from watchkeeper.model.errors import Malformed

_NEEDED = ("kind", "key")


def described(data: bytes, written: Format) -> Iterator[Described]:
    """The rows of a file as described things. Raises Malformed naming the row and the column."""
    for number, row in tables.read(data, written):
        for name in _NEEDED:
            if not isinstance(row.get(name), str | int) or not str(row[name]).strip():
                raise Malformed(f"row {number}: {name} is needed")
        yield _thing(number, {n: v for n, v in row.items() if v not in (None, "")})


def _thing(number: int, row: dict[str, Any]) -> Described:
    kind, key, name = (str(row.pop(n, "")).strip() for n in ("kind", "key", "name"))
    attributes, references = dict[str, Any](), dict[str, str]()
    names, relations = list[Identifier](), list[Related]()
    for column, value in row.items():
        first, _, rest = column.partition(":")
        if column.endswith("@"):
            references[column[:-1]] = str(value).strip()
        elif first == "identifier" and rest:
            names += (Identifier(rest.lower(), v.lower()) for v in _many(value))
        elif first == "relation" and rest:
            relations += (_related(number, column, rest, v) for v in _many(value))
        else:
            attributes[column] = value
    return Described(kind, key, name, attributes, references, tuple(names), tuple(relations))


def _related(number: int, column: str, rest: str, to: str) -> Related:
    word, _, way = rest.partition(":")
    if word not in list(RelationKind) or way not in ("", "inverse"):
        raise Malformed(
            f"row {number}: {column}: relations are {', '.join(RelationKind)}, each also with :inverse"
        )
    return Related(RelationKind(word), to, inverse=way == "inverse")


def _many(value: Any) -> list[str]:
    values = value if isinstance(value, list) else str(value).split(";")
    return [text for v in values if (text := str(v).strip())]


def _reader(written: Format) -> Callable[[bytes], Iterator[Described]]:
    return lambda data: described(data, written)


for _format, _label in ((Format.CSV, "CSV table"), (Format.JSON, "JSON list"), (Format.YAML, "YAML list")):
    importer(
        _format.value, _label, ends=(f".{_format.value}", *((".yml",) if _format is Format.YAML else ()))
    )(_reader(_format))
