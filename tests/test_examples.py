"""The examples in docstrings are right: every module that has one is run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
MODULES = [
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((SRC / "watchkeeper").rglob("*.py"))
    if ">>> " in path.read_text() and "node_modules" not in path.parts
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_right(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried and not failed
