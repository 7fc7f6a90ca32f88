"""Maintenance windows: when work is planned on which items, so that what they report is recorded and nobody is woken.

`load_windows(now_ms)` is for the analyse process.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.maintenance.telling import load_windows

__all__ = ["load_windows"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.telling"), name)
