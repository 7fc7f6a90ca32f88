"""The audit trail, declared: to be read."""

from __future__ import annotations

from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.models import AuditEntry

plain(
    AuditEntry,
    "audit entry",
    "audit",
    "at:When actor:Who act:What name:Record address:From",
    policy_attributes=("kind", "actor", "act"),
    description="What people, tokens and commands did: who, when, from where, before and after.",
    filters={
        "actor": ["exact"],
        "actor_kind": ["exact"],
        "act": ["exact", "startswith"],
        "kind": ["exact"],
        "record": ["exact"],
        "at": ["gte", "lt"],
    },
    search=("actor", "act", "name"),
    ordering=("-id",),
    orderable=("at",),
    writable=(),
    allow=frozenset(),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
)
