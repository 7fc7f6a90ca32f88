"""Checkmk's notification scripts, with that of docs/how-to/doors/checkmk.md: its NOTIFY_ variables, as a form or JSON.

Source: https://docs.checkmk.com/latest/en/notifications.html#environment_variables
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from watchkeeper.receivers.events import Reported
from watchkeeper.receivers.webhooks.checks import checked
from watchkeeper.receivers.webhooks.payload import FORM, JSON, time_ms, webhook


class _Notification(msgspec.Struct, rename=lambda name: f"NOTIFY_{name.upper()}", gc=False):
    hostname: str
    what: str  # HOST or SERVICE
    notificationtype: str = ""
    omd_site: str = ""
    hostaddress: str = ""
    hoststate: str = ""
    hostoutput: str = ""
    servicedesc: str = ""
    servicestate: str = ""
    serviceoutput: str = ""
    longserviceoutput: str = ""
    microtime: str = ""
    notificationauthor: str = ""
    notificationcomment: str = ""


def _read(n: _Notification, _: int) -> Iterable[Reported]:
    service = n.what == "SERVICE"
    yield checked(
        host=n.hostname,
        check=n.servicedesc if service else "",
        state=n.servicestate if service else n.hoststate,
        output=n.serviceoutput if service else n.hostoutput,
        address=n.hostaddress,
        site=n.omd_site,
        when_ms=time_ms(n.microtime),
        annotations={
            "notification": n.notificationtype,
            "author": n.notificationauthor,
            "comment": n.notificationcomment,
            "description": n.longserviceoutput if service else "",
        },
    )


DOOR = webhook("checkmk", _Notification, _read, content_types=(FORM, JSON))
