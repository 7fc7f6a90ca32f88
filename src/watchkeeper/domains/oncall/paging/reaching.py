"""How people are reached: their own preferences, else every way that they have, else the mail address of their account."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.paging import rules
from watchkeeper.domains.oncall.paging.models import Urgency
from watchkeeper.domains.oncall.paging.own_models import (
    SEALED,
    ContactMethod,
    NotificationPreference,
    QuietHours,
)


@dataclass(frozen=True, slots=True)
class Told:
    """That somebody is told by a way (None: by mail to their account's address) at a time. `held`: quiet hours have put it
    off."""

    method: ContactMethod | None
    at: dt.datetime
    held: bool = False

    @property
    def channel(self) -> str:
        """By what."""
        return self.method.channel if self.method else ContactMethod.Channel.EMAIL.value


class Ways:
    """The ways of these people, read at once."""

    def __init__(self, people: Iterable[User]) -> None:
        self._people = {p.pk: p for p in people}
        self._methods: dict[int, list[ContactMethod]] = defaultdict(list)
        for method in ContactMethod.objects.filter(person__in=self._people).defer(*SEALED):
            if method.usable:
                self._methods[method.person_id].append(method)
        self._preferred: dict[tuple[int, str], list[NotificationPreference]] = defaultdict(list)
        preferred = NotificationPreference.objects.filter(person__in=self._people).select_related("method")
        for said in preferred.defer(*(f"method__{name}" for name in SEALED)):
            if said.method.usable and said.method.person_id == said.person_id:
                self._preferred[said.person_id, said.urgency].append(said)
        self._quiet = {q.person_id: q for q in QuietHours.objects.filter(person__in=self._people)}

    def of(self, person: int, urgency: str, now: dt.datetime) -> list[Told]:
        """When they are told by what; nothing when there is no way to reach them."""
        if preferred := self._preferred[person, urgency]:
            planned = [(p.method, now + dt.timedelta(minutes=p.minutes)) for p in preferred]
        elif methods := self._methods[person]:
            planned = [(m, now) for m in methods]
        else:
            return [self._put_off(person, urgency, None, now)] if self._people[person].email else []
        return [self._put_off(person, urgency, method, at) for method, at in planned]

    def _put_off(self, person: int, urgency: str, method: ContactMethod | None, at: dt.datetime) -> Told:
        quiet = self._quiet.get(person) if urgency == Urgency.LOW else None
        until = rules.quiet_until(quiet.begins, quiet.ends, quiet.zone, at) if quiet else None
        return Told(method, until or at, until is not None)
