"""The audit trail, sealed and proved: a hash chain over what `kernel.audit` writes, with checkpoints outside the
database. It writes no entry of its own.

`Sealer` is the background work of the web process; `verify` walks the chain; `checkpoint` writes one now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.audit.checkpoints import Checkpoints
    from watchkeeper.domains.audit.rules import Checkpoint, Finding, Verdict
    from watchkeeper.domains.audit.sealer import Sealer
    from watchkeeper.domains.audit.sealing import checkpoint, seal_all, seal_batch
    from watchkeeper.domains.audit.verifying import verify, words

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "Finding",
    "Sealer",
    "Verdict",
    "checkpoint",
    "seal_all",
    "seal_batch",
    "verify",
    "words",
]

_WHERE = {
    "Checkpoint": "rules",
    "Checkpoints": "checkpoints",
    "Finding": "rules",
    "Sealer": "sealer",
    "Verdict": "rules",
    "checkpoint": "sealing",
    "seal_all": "sealing",
    "seal_batch": "sealing",
    "verify": "verifying",
    "words": "verifying",
}


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
