"""What time does to access, done once a minute by one thread of the web process: what is over ends, what is due
begins, and people are told. Timers are rows with a date; several processes may do it, each thing happens once."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from watchkeeper.domains.access import emergencies, findings, requesting, reviewing
from watchkeeper.domains.access.models import Grant
from watchkeeper.domains.access.telling import tell
from watchkeeper.model.errors import WatchkeeperError

WARN = dt.timedelta(days=7)  # before a grant ends
_LOOK_EVERY = 3600.0  # seconds, for findings
_log = logging.getLogger(__name__)


def keep(now: dt.datetime) -> None:
    """All of it, once; the look for findings apart. What cannot be done holds up nothing else."""
    for part in (emergencies.keep, requesting.keep, reviewing.keep, _warn):
        try:
            part(now)
        except WatchkeeperError as error:
            _log.warning("what is due in access is not done, trying again: %s", error)


def _warn(now: dt.datetime) -> None:
    """Tell whoever has a grant that ends soon, once; one that was short from the start is no surprise."""
    ending = Grant.objects.in_force(now).filter(user__isnull=False, expires_at__lte=now + WARN)
    for grant in ending.select_related("role", "user", "in_organisation", "in_team"):
        if grant.expires_at - grant.valid_from > WARN and not grant.extensions.exists():
            tell(f"ending:{grant.pk}", [grant.user], f"Your role {grant.role} ends on {grant.expires_at:%d %B}",
                 f"Your role {grant.role}{grant.where} ends on {grant.expires_at:%d %B %Y at %H:%M} UTC. If you still "
                 f"need it, ask to extend it.")  # fmt: skip


class Keeper:
    """Inert until `run`."""

    def __init__(self, every: float = 60.0) -> None:
        self.every = every  # seconds

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        next_look = time.monotonic() + self.every
        try:
            while not stop.wait(self.every):
                try:
                    close_old_connections()
                    keep(timezone.now())
                    if time.monotonic() >= next_look:
                        findings.keep(timezone.now())
                        next_look = time.monotonic() + _LOOK_EVERY
                except (DatabaseError, WatchkeeperError) as error:
                    _log.warning("what is due in access is not done, trying again: %s", error)
        finally:
            connection.close()
