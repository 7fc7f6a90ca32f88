"""Files: what is written is what is read, in every format, and what is no table is refused with its place."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.exchange.tables import Format, cell, read, write
from watchkeeper.model.errors import Malformed

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
tables = st.lists(st.fixed_dictionaries({"id": text, "name": text, "more": plain}), max_size=4)


@pytest.mark.parametrize("form", [Format.JSON, Format.YAML])
@given(rows=tables)
def test_what_is_written_is_read_back(form: Format, rows: list[dict[str, Any]]) -> None:
    """Also text that looks like a number, a date or a formula."""
    written = "".join(write(rows, form, ["id", "name", "more"]))
    assert [row for _, row in read(written.encode(), form)] == rows


@given(rows=tables)
def test_csv_gives_back_the_text_of_every_cell(rows: list[dict[str, Any]]) -> None:
    written = "".join(write(rows, Format.CSV, ["id", "name", "more"]))
    expected = [{k: cell(v) for k, v in row.items()} for row in rows]
    expected = [row for row in expected if any(row.values())]
    assert [row for _, row in read(written.encode(), Format.CSV)] == expected


@given(value=st.sampled_from("=+-@\t\r").flatmap(lambda c: text.map(lambda rest: c + rest)) | text)
def test_no_cell_begins_like_a_formula(value: str) -> None:
    """What a spreadsheet would see, read by a library that knows nothing of ours."""
    written = "".join(write([{"name": value, "id": "1"}], Format.CSV, ["id", "name"]))
    _, (_, seen) = csv.reader(io.StringIO(written, newline=""))
    assert not seen.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("form", list(Format))
def test_other_programs_can_read_it(form: Format) -> None:
    rows = [{"id": "1", "name": "büro;1", "more": {"a": [1, "x"]}}, {"id": "2", "name": "no", "more": None}]
    written = "".join(write(rows, form, ["id", "name", "more"]))
    if form is Format.JSON:
        assert json.loads(written) == rows
    elif form is Format.YAML:
        assert yaml.safe_load(written) == rows
    else:
        assert next(iter(csv.DictReader(io.StringIO(written))))["more"] == '{"a": [1, "x"]}'


def test_yaml_means_what_json_means() -> None:
    """No dates, no octal numbers, no base 60, no `no`: an address and a country stay what was written."""
    source = b"- {name: 12:30:45, country: no, day: 2026-01-02, code: 010, size: 5, load: 1.5, on: true, none: ~}\n"
    ((_, row),) = read(source, Format.YAML)
    assert row == {"name": "12:30:45", "country": "no", "day": "2026-01-02", "code": "010", "size": 5,
                   "load": 1.5, "on": True, "none": None}  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_spreadsheets_write_it(delimiter: str) -> None:
    """With a byte order mark, Windows' line ends, the country's delimiter and empty lines."""
    lines = ["name,kind", "a,server", ",", '"b\r\nc",server', ""]
    source = "\ufeff" + "\r\n".join(line.replace(",", delimiter) for line in lines)
    rows = read(source.encode(), Format.CSV)
    assert rows == [(2, {"name": "a", "kind": "server"}), (4, {"name": "b\r\nc", "kind": "server"})]


@pytest.mark.parametrize(
    ("form", "source", "said"),
    [
        (Format.CSV, "name\nbüro\n".encode("latin-1"), "line 2: byte 0xfc is not UTF-8"),
        (Format.CSV, "name\n".encode("utf-16"), "UTF-16"),
        (Format.CSV, b"name,name\na,b\n", "two columns are named 'name'"),
        (Format.CSV, b"name,\na,b\n", "column 2 has no name"),
        (Format.CSV, b"name,kind\na,b\nc\n", "row 3 has 1 cells, the first row has 2"),
        (Format.CSV, b'name\n"a\n', "row 2: unexpected end of data"),
        (Format.CSV, b"name\na\0b\n", "NUL"),
        (Format.JSON, b'[{"name": "a\\u0000"}]', "NUL"),
        (Format.JSON, b'[{"name": }]', "JSON: "),
        (Format.JSON, b"[" * 100_000, "JSON: "),
        (Format.JSON, b"3", "list of records"),
        (Format.JSON, b'[{"name": "a"}, 7]', "row 2 is no record"),
        (Format.YAML, b"- name: a\n  kind: [\n", "YAML: line "),
        (Format.YAML, b"- &a {name: b}\n- *a\n", "aliases"),
        (Format.YAML, b"- name: !!python/object:os.system {}\n", "YAML: line 1"),
        (Format.YAML, b"- name: !!binary aGk=\n", "a bytes is not taken"),
        (Format.YAML, b"- " * 5000 + b"a", "YAML: "),
        (Format.YAML, b"[" * 40_000, "YAML: it is YAML of more than"),
        (Format.YAML, b"- n: " + b"9" * 5000, "YAML: "),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_place(form: Format, source: bytes, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(source, form)
    assert said in refused.value.detail
