"""What programs are called: a table of command lines as they were seen, in tests/captures/host/names.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.pollers.host_names import MAX_NAME, program
from watchkeeper.pollers.host_reading import Process

TABLE = json.loads((Path(__file__).parents[1] / "captures" / "host" / "names.json").read_text())


@pytest.mark.parametrize("row", TABLE, ids=lambda r: r["called"])
def test_a_program_has_the_name_that_people_use(row: dict[str, Any]) -> None:
    assert program(Process(1, 0, 0, row["name"], tuple(row["command"]))) == row["called"]


@given(st.text(max_size=300), st.lists(st.text(max_size=300), max_size=5))
def test_any_command_line_gives_a_short_printable_name(name: str, command: list[str]) -> None:
    called = program(Process(1, 0, 0, name, tuple(command)))
    assert 0 < len(called) <= MAX_NAME
    assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in called)
