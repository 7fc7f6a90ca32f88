"""What somebody was told and has not read yet."""

from __future__ import annotations

from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.inbox.reading import readable
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels

COUNTED = 200


def _unread(actor: Actor) -> list[Notice]:
    if actor.person is None:
        return []
    found = Notice.objects.filter(user=actor.person, read_at=None)[:COUNTED]
    return readable(actor.person, found)


def _line(n: Notice) -> Line:
    leads = n.kind and not n.gone
    return Line(n.text, f"/inbox/{n.pk}/" if leads else "/inbox/?unread=1", n.why, at=n.at)


panels.add(Panel("inbox", "Unread in your inbox", {EVERYONE: 8}, _unread, _line, "", "/inbox/?unread=1"))
