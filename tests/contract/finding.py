"""Finds what the contract tests run on by walking a package, so that a new method is tested by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of the package."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def classes(package: ModuleType, *needed: str) -> list[Any]:
    """Classes defined in the package that have all these attributes; protocols, which only describe them, are left out."""
    found = [
        kind
        for module in modules(package)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__
        and not getattr(kind, "_is_protocol", False)
        and all(hasattr(kind, name) for name in needed)
    ]
    assert found, f"nothing in {package.__name__} has {needed}"
    return found


def functions(package: ModuleType, fits: Callable[[str, inspect.Signature], bool]) -> list[Any]:
    """Public functions defined in the package whose name and signature fit."""
    found = [
        function
        for module in modules(package)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and fits(name, inspect.signature(function))
    ]
    assert found, f"no function of {package.__name__} fits"
    return found
