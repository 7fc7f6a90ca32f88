"""Icinga 2's notifications, with the command of docs/how-to/doors/icinga.md, as a form or as JSON.

Source: https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notifications
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.checks import checked
from watchkeeper.receivers.webhooks.payload import FORM, JSON, time_ms, webhook


class _Notification(msgspec.Struct, gc=False):
    host: str
    state: str
    service: str = ""
    type: str = ""  # PROBLEM, RECOVERY, ACKNOWLEDGEMENT, DOWNTIMESTART …
    address: str = ""
    output: str = ""
    time: str = ""  # Unix seconds
    author: str = ""
    comment: str = ""
    url: str = ""


def _read(n: _Notification, _: int) -> Iterable[Reported]:
    yield checked(
        host=n.host, check=n.service, state=n.state, output=n.output, address=n.address, url=n.url,
        when_ms=time_ms(n.time), annotations={"notification": n.type, "author": n.author, "comment": n.comment},
    )  # fmt: skip


DOOR = webhook("icinga", _Notification, _read, content_types=(FORM, JSON))
