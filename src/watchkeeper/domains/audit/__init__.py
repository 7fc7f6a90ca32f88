"""The audit trail, sealed and proved: a hash chain over what `kernel.audit` writes, with checkpoints outside the
database. It writes no entry of its own.

`Sealer` is the background work of the web process; `verify` walks the chain; `checkpoint` writes one now.
"""

from __future__ import annotations

from watchkeeper.domains.audit.checkpoints import Checkpoints
from watchkeeper.domains.audit.rules import Checkpoint, Finding, Verdict
from watchkeeper.domains.audit.sealer import Sealer
from watchkeeper.domains.audit.sealing import checkpoint, seal_all, seal_batch
from watchkeeper.domains.audit.verifying import verify

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
]
