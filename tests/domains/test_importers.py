"""Importers: what other systems say, as captured, becomes the things beside it; the inventory takes them over once, and
broken files are refused. A new importer is a capture and the expected result in tests/captures/inventory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.domains.identity.keys import command_actor
from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.inventory.applying import apply
from watchkeeper.domains.inventory.importers import importers
from watchkeeper.domains.inventory.planning import plan
from watchkeeper.model.errors import Malformed

CAPTURES = Path(__file__).parent.parent / "captures" / "inventory"
FILES = sorted(f for f in CAPTURES.iterdir() if not f.name.endswith(".expected.yaml"))
NESTED = [n for n, i in importers().items() if i.type != "file"]


def read(file: Path) -> list[Any]:
    return list(importers()[file.stem].read(file.read_bytes()))


def test_every_importer_of_a_system_has_a_capture() -> None:
    assert {f.stem for f in FILES} == set(NESTED)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_capture_becomes_what_is_expected(file: Path) -> None:
    expected = yaml.safe_load((CAPTURES / f"{file.stem}.expected.yaml").read_text())
    assert [_short(d) for d in read(file)] == expected


def _short(described: Any) -> dict[str, Any]:
    plain = msgspec.to_builtins(described)
    plain["identifiers"] = [f"{i['scheme']}={i['value']}" for i in plain["identifiers"]]
    ways = (("←" if r["inverse"] else "→", r) for r in plain["relations"])
    plain["relations"] = [f"{r['kind']} {way} {r['to']}" for way, r in ways]
    return {k: v for k, v in plain.items() if v}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
@pytest.mark.django_db
def test_the_inventory_takes_it_over_once(file: Path) -> None:
    source = m.Source.objects.create(name=file.stem, type=file.stem)
    first = plan(source, read(file))
    assert [(s.key, s.because) for s in first.steps if s.act == "conflict"] == []
    done = apply(first, command_actor())
    assert (done.conflicts, done.meanwhile) == ([], [])
    assert done.counts["create"] == len(first.described) == m.Statement.objects.count()
    again = plan(source, read(file))
    assert again.nothing, [s for s in again.steps if s.act != "same"]


@pytest.mark.django_db
def test_what_two_systems_say_of_a_machine_is_one_item() -> None:
    """NetBox and the agent on it: by serial number and name."""
    for name in ("netbox", "glpi"):
        source = m.Source.objects.create(name=name, type=name)
        whole = importers()[name].whole
        apply(plan(source, read(CAPTURES / f"{name}.json"), whole=whole), command_actor())
    device = m.Device.objects.get(serial="7XK2F53")
    assert set(device.statements.values_list("source__name", flat=True)) == {"netbox", "glpi"}
    assert device.attributes["kernel"] == "6.1.0-28-amd64" and device.rack is not None
    assert m.Database.objects.get(name="orders").runs_on_id == device.pk


BROKEN = (
    b"",
    b"[]",
    b"{",
    b"\xff\xfe",
    b"null",
    b"7",
    b'"text"',
    b"[[[]]]",
    b'{"a": {"b": []}}',
    b"[" * 100_000,
)


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_a_file_of_something_else_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(Malformed):
        list(importers()[name].read(data))


def test_bombs_are_refused() -> None:
    """Entities in XML, aliases in YAML."""
    xml = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><domain><name>&b;</name></domain>'
    with pytest.raises(Malformed, match="not XML"):
        list(importers()["libvirt"].read(xml))
    text = b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(Malformed, match="aliases"):
        list(importers()["backstage"].read(text))


WORDS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(max_size=8)
    | st.lists(st.integers(), max_size=2)
)


@pytest.mark.parametrize("file", [f for f in FILES if f.suffix == ".json"], ids=lambda f: f.stem)
@settings(max_examples=60)
@given(data=st.data())
def test_wrong_types_anywhere_break_nothing(file: Path, data: st.DataObject) -> None:
    """One value of the capture is something else."""
    document = json.loads(file.read_bytes())
    at, places = document, list[tuple[Any, Any]]()

    def walk(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            places.append((part, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(at)
    part, key = places[data.draw(st.integers(0, len(places) - 1))]
    part[key] = data.draw(WORDS)
    try:
        for described in importers()[file.stem].read(json.dumps(document).encode()):
            msgspec.json.encode(described)
    except Malformed:
        pass
