"""What a joiner gets, a mover gets and gives back, and a leaver has; before anything of it is done."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from watchkeeper.domains.catalog import working
from watchkeeper.domains.catalog.models import Lease
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.onboarding.bundles import Difference, Part, difference
from watchkeeper.domains.onboarding.models import Onboarding, Position
from watchkeeper.kernel.fields import milliseconds, moment


def parts_of(position: Position | None) -> list[Part]:
    """The bundle of a position."""
    if position is None:
        return []
    sorts = {"team": position.teams, "role": position.roles, "hardware": position.hardware,
             "software": position.software, "server": position.servers, "catalog": position.catalog_items}  # fmt: skip
    return [Part(sort, str(r.pk), str(r)) for sort, found in sorts.items() for r in found.all()]


def plan(onboarding: Onboarding) -> Difference:
    """What changes with it."""
    if onboarding.sort == Onboarding.Sort.LEAVER:
        return Difference((), (), tuple(parts_of(onboarding.previous)))
    return difference(parts_of(onboarding.previous), parts_of(onboarding.position))


def position_of(person: User | None) -> Position | None:
    """What somebody does now, as their last joining or moving says."""
    if person is None:
        return None
    found = (
        Onboarding.objects.filter(person=person, state__in=("started", "done"))
        .order_by("-day", "-id")
        .first()
    )
    return found.position if found else None


def begins(onboarding: Onboarding) -> dt.datetime:
    """The moment from which it counts: the first day's beginning; of a leaver the last day's end; by the clocks of the
    position's calendar."""
    position = onboarding.position or onboarding.previous
    zone = ZoneInfo(position.calendar.zone if position and position.calendar else "UTC")
    day = onboarding.day + dt.timedelta(days=onboarding.sort == Onboarding.Sort.LEAVER)
    return dt.datetime.combine(day, dt.time(), zone)


def due_before(onboarding: Onboarding, hours: float) -> dt.datetime:
    """The latest moment at which what takes so much working time has to be begun, to be there on the day."""
    position = onboarding.position or onboarding.previous
    time = position.calendar.working_time if position and position.calendar else None
    at = moment(working.before(time, milliseconds(begins(onboarding)), hours))
    assert at is not None
    return at


def lease_of(person: User, part: Part) -> Lease | None:
    """By which somebody has this part of a bundle."""
    found = Lease.objects.filter(holder=person, part=key_of(part))
    return found.exclude(state=Lease.State.ENDED).first()


def key_of(part: Part) -> str:
    """By which a lease names the part of a bundle that it stands for."""
    return f"{part.sort}:{part.key}"


def held_by(person: User | None) -> list[Lease]:
    """What somebody has now, besides roles and teams."""
    return list(Lease.objects.filter(holder=person).exclude(state=Lease.State.ENDED)) if person else []
