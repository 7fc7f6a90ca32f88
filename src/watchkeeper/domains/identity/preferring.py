"""What people choose for themselves: their time zone, the theme, shortcuts, the page they begin with."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import transaction
from django.utils.http import url_has_allowed_host_and_scheme

from watchkeeper.domains.identity.models import Preference, Theme, User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid


@cache
def zones() -> list[str]:
    """The names of all time zones, those with a place first."""
    known = zoneinfo.available_timezones() - {"localtime", "Factory"}
    return [*sorted(z for z in known if "/" in z and not z.startswith("Etc/")), "UTC"]


def preference_of(user: User) -> Preference:
    """What they chose, or what holds for who has not chosen; read once for a request."""
    known: Preference | None = getattr(user, "_preference", None)
    if known is None:
        found = Preference.objects.filter(user=user.pk).first()
        known = user._preference = found or Preference(user=user)  # type: ignore[attr-defined]
    return known


def prefer(actor: Actor, user: User, chosen: Mapping[str, Any]) -> Preference:
    """Change some of it. Raises Invalid naming the field."""
    zone, theme, home = (str(chosen.get(n, "")) for n in ("zone", "theme", "home"))
    if zone and zone not in zones():
        raise Invalid(f"there is no time zone {zone!r}", "zone")
    if theme not in Theme.values:
        raise Invalid(f"{theme!r} is not one of {', '.join(filter(None, Theme.values))}", "theme")
    if home and (not home.startswith("/") or not url_has_allowed_host_and_scheme(home, None)):
        raise Invalid("it is a page of this console and begins with /", "home")
    with transaction.atomic():
        row, _ = Preference.objects.select_for_update().get_or_create(user=user)
        before = audit.state_of(row)
        for name in ("zone", "theme", "single_keys", "home"):
            if name in chosen:
                setattr(row, name, chosen[name])
        row.save()
        audit.record(actor, "user.prefer", user, before=before, after=audit.state_of(row))
    user._preference = row  # type: ignore[attr-defined]
    return row
