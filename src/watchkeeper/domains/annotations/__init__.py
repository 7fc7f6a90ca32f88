"""What people attach to records of any kind: tags, custom fields, links, bookmarks, notes and files. It knows no kind
of record; `kernel.extras` and `kernel.hanging` are how the kinds come to have it.

Others may call these.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.annotations.bookmarks import bookmarks_of
    from watchkeeper.domains.annotations.custom_fields import fields_of
    from watchkeeper.domains.annotations.notes import as_html
    from watchkeeper.domains.annotations.tags import tagged

__all__ = ["as_html", "bookmarks_of", "fields_of", "tagged"]

_FROM = {"as_html": "notes", "bookmarks_of": "bookmarks", "fields_of": "custom_fields", "tagged": "tags"}


def __getattr__(name: str) -> Any:
    """Load what is asked for: Django has to be ready for it."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(name)
