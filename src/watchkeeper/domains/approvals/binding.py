"""What an approval of a kind's records is bound to. A domain says here what of its records was approved; when that has
changed, the approval no longer holds and is asked anew."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from watchkeeper.domains.approvals.rules import fingerprint
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.resource import Resource


@dataclass(frozen=True, slots=True)
class Bound:
    """`fingerprint(record)` stands for what was approved of it, which is in these `columns` (none: in any).
    `again(record, altered_by)` asks anew when it has changed, but not those who have altered it; None: the same people are
    asked."""

    fingerprint: Callable[[Any], str]
    again: Callable[[Any, Collection[User]], object] | None = None
    columns: frozenset[str] = frozenset()


#: by the path of the kind
bound: dict[str, Bound] = {}


def fingerprint_of(resource: Resource, record: Any) -> str:
    """As the kind's domain says, else of all that people can write of it."""
    if resource.path in bound:
        return bound[resource.path].fingerprint(record)
    state = audit.state_of(record)
    names = {*resource.writable, *(f"{n}_id" for n in resource.writable)}
    return fingerprint({k: v for k, v in state.items() if k in names})
