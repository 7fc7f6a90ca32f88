"""The conversation on a ticket: replies that the requester reads too, and notes among those who work on it.

`say` adds to it; `visible_to(actor, ticket)` is what somebody may read of it, `public(ticket)` what everybody may who
may read the ticket. Whoever calls `say` has asked whether the actor may.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.desk.conversation.reading import public, visible_to
    from watchkeeper.domains.desk.conversation.saying import Attachment, say

_WHERE = {"Attachment": "saying", "public": "reading", "say": "saying", "visible_to": "reading"}
__all__ = ["Attachment", "public", "say", "visible_to"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
