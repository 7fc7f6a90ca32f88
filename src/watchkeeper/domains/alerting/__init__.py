"""Rules that people make about signals. Thresholds with exceptions: analysis applies them; it learns of a change through
the journal, and of all there are at its start, by `load_rules()`; `as_rule(record)` is one of them in that form. Groups of
Prometheus' rules: `Evaluator` evaluates them, `standing` says how they stand, `import_file` makes them of a rule file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.alerting import standing
    from watchkeeper.domains.alerting.evaluating import Evaluator, Watched
    from watchkeeper.domains.alerting.grouping import Imported, import_file
    from watchkeeper.domains.alerting.telling import as_rule, load_rules

__all__ = ["Evaluator", "Imported", "Watched", "as_rule", "import_file", "load_rules", "standing"]
_IN = {"Evaluator": "evaluating", "Watched": "evaluating", "Imported": "grouping", "import_file": "grouping"}


def __getattr__(name: str) -> Any:
    """Loaded when it is first asked for: Django's models are not ready when this package is."""
    if name == "standing":
        return import_module(f"{__name__}.standing")
    if name in __all__:
        return getattr(import_module(f"{__name__}.{_IN.get(name, 'telling')}"), name)
    raise AttributeError(name)
