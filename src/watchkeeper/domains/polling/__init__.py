"""Polling: scrape jobs, whose targets' metrics are fetched, and probes, which ask whether something answers.

`DatabasePolled` tells the pollers what to ask, `refuses` where they may not go, `is_wanted` whether there is anything to
do, and `standing` how the targets stand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.polling.guarding import refuses
    from watchkeeper.domains.polling.reading import DatabasePolled
    from watchkeeper.domains.polling.targets import is_fresh, is_wanted, standing, standing_file

__all__ = ["DatabasePolled", "is_fresh", "is_wanted", "refuses", "standing", "standing_file"]

_FROM = {
    "DatabasePolled": "reading", "refuses": "guarding", **dict.fromkeys(("is_fresh", "is_wanted", "standing",
    "standing_file"), "targets"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Loaded when it is first asked for: Django's models are not ready when this package is."""
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(name)
