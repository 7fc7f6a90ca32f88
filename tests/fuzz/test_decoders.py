"""Every decoder on every capture of every protocol, on pieces of them, and on what fuzzing has found."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import seeds
from tests.fuzz.targets import Target, targets

TARGETS = targets()
_PIECES = 60  # of each seed's


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_what_once_found_a_fault_finds_none(target: Target) -> None:
    for path in seeds.found(target.name):
        target(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_a_seed_that_is_cut_doubled_or_changed_is_no_fault_of_ours(target: Target) -> None:
    chance = random.Random(target.name)
    for data in (b"", *target.seeds[:12]):
        target(data)
        for _ in range(_PIECES // 12 if len(data) > 20_000 else _PIECES):
            target(changed(chance, data))


def changed(chance: random.Random, data: bytes) -> bytes:
    """These bytes with a fault."""
    at = chance.randrange(len(data) + 1)
    match chance.randrange(4):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data
        case 2:
            return data[:at] + chance.randbytes(chance.randrange(1, 5)) + data[at:]
    return data[:at] + chance.randbytes(2) + data[at + 2 :]


def test_every_captured_input_of_a_fault_belongs_to_a_decoder() -> None:
    names = {path.name.rpartition(".")[0] for path in seeds.FOUND.glob("*.*")}
    assert names <= set(TARGETS)
