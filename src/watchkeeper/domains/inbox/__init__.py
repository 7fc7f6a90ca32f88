"""What people want to hear of, and what they were told: subscriptions to records, kinds and filters of a kind, an inbox
for each person, and mail as they prefer. Nobody is told of what they may not read.

`tell(people, event, why)` puts an event of a record into inboxes, `note` and `alarm` what is about none; `unread(user)`
is the number that the bell shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.inbox.reading import told_before, unread
    from watchkeeper.domains.inbox.telling import alarm, note, tell

MAIL = "inbox-mail"  # the kind of effect that mails notices
_WHERE = {
    "alarm": "telling",
    "note": "telling",
    "tell": "telling",
    "told_before": "reading",
    "unread": "reading",
}
__all__ = ["MAIL", "alarm", "note", "tell", "told_before", "unread"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
