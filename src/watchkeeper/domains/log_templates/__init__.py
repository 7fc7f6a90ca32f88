"""What people say of log templates: that two are one, or that one is several. Analysis applies it; it learns of a change
through the journal, and of all there are at its start, by `load_corrections()`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.log_templates.telling import load_corrections

__all__ = ["load_corrections"]


def __getattr__(name: str) -> Any:
    """Loaded when it is first asked for: Django's models are not ready when this package is."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.telling"), name)
    raise AttributeError(name)
