"""Reads a calendar from its address, past the guard of everything that goes out."""

from __future__ import annotations

import datetime as dt

from django.db import DataError, IntegrityError

from watchkeeper.domains.outgoing import outbound
from watchkeeper.domains.timetables import bringing
from watchkeeper.domains.timetables.models import Import
from watchkeeper.domains.timetables.reading import SIZE
from watchkeeper.kernel.acting import Actor
from watchkeeper.model.errors import WatchkeeperError


def fetch(actor: Actor, source: Import, now: dt.datetime) -> str:
    """What came of it, which is kept with the import whatever it is; nothing is raised for what the other side does."""
    try:
        answer = outbound.get(source.url, {"Accept": "text/calendar"}, most=SIZE + 1)
        if answer.status != 200:
            raise outbound.Unreachable(f"the address answers {answer.status}")
        return bringing.bring(actor, source, answer.body, now).words
    except (WatchkeeperError, IntegrityError, DataError) as error:
        words = error.detail if isinstance(error, WatchkeeperError) else f"it cannot be kept: {error}"
        bringing.note(source, now, fine=False, outcome=words)
        return words
