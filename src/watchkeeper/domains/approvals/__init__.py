"""Approvals of a record of any kind: ordered steps of people and teams who answer, bound to what they have seen.

`ask(actor, record, steps, fingerprint, subject)` asks, `state_of(record, fingerprint)` says how it stands. Whoever wants to
know when it is decided hears events of the kind `approval-requests` (acts `approve`, `decline`); `bound` says what a kind's
records look like now, so that an approval of what has changed since no longer holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.approvals.asking import ask, latest, state_of, withdraw
    from watchkeeper.domains.approvals.binding import Bound, bound
    from watchkeeper.domains.approvals.rules import Asked, Standing, fingerprint

_WHERE = {
    "Asked": "rules",
    "Bound": "binding",
    "Standing": "rules",
    "ask": "asking",
    "bound": "binding",
    "fingerprint": "rules",
    "latest": "asking",
    "state_of": "asking",
    "withdraw": "asking",
}
__all__ = ["Asked", "Bound", "Standing", "ask", "bound", "fingerprint", "latest", "state_of", "withdraw"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
