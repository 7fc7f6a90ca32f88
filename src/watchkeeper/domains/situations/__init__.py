"""Alerts and situations as records: their one writer, what people do to them, and who is told.

`AnalysisWriter().write(…)`, `analysis_offset()`, `load_active(now_ms)`, `load_silences(now_ms)` and
`load_judgements(now_ms)` are for the analyse process; `acts` is for whoever acts; `announce` tells something critical
that is no situation to whoever is notified of everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.situations.active import (
        analysis_offset,
        load_active,
        load_judgements,
        load_silences,
    )
    from watchkeeper.domains.situations.retention import forget
    from watchkeeper.domains.situations.telling import announce
    from watchkeeper.domains.situations.writer import AnalysisWriter, Overtaken

__all__ = ["AnalysisWriter", "Overtaken", "analysis_offset", "announce", "forget", "load_active",
           "load_judgements", "load_silences"]  # fmt: skip

_WHERE = {
    "AnalysisWriter": "writer",
    "Overtaken": "writer",
    "analysis_offset": "active",
    "announce": "telling",
    "forget": "retention",
    "load_active": "active",
    "load_judgements": "active",
    "load_silences": "active",
}


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
