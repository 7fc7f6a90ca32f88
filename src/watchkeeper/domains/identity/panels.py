"""What needs somebody about accounts, tokens and keys."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from watchkeeper.domains.identity.models import ApiToken, IntakeKey, User
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import Line, Panel, panels
from watchkeeper.kernel.permissions import visible


def _tokens(actor: Actor) -> QuerySet[Any]:
    soon = timezone.now() + dt.timedelta(days=30)
    found = visible(actor, "tokens", ApiToken.objects.filter(revoked_at=None))
    return found.filter(expires_at__lt=soon, expires_at__gt=timezone.now()).order_by("expires_at")


def _unused(actor: Actor) -> QuerySet[Any]:
    before = timezone.now() - dt.timedelta(days=90)
    found = visible(actor, "tokens", ApiToken.objects.filter(revoked_at=None))
    return found.filter(Q(last_used_at__lt=before) | Q(last_used_at=None, created_at__lt=before)).order_by(
        "id"
    )


def _dormant(actor: Actor) -> QuerySet[Any]:
    before = timezone.now() - dt.timedelta(days=90)
    found = visible(actor, "users", User.objects.filter(is_active=True))
    return found.filter(Q(last_login__lt=before) | Q(last_login=None, created_at__lt=before)).order_by("id")


def _open_keys(actor: Actor) -> QuerySet[Any]:
    found = visible(actor, "intake-keys", IntakeKey.objects.filter(revoked_at=None))
    return found.filter(doors=[], networks=[]).order_by("name")


panels.add(
    Panel(
        "tokens-expiring", "API tokens that expire within 30 days", {"administrator": 50, "systems integrator": 30},
        _tokens, lambda t: Line(t.name, f"/tokens/{t.pk}/", t.scope_word, at=t.expires_at), "None expires soon.",
        "/tokens/", "tokens",
    ),
    Panel(
        "tokens-unused", "API tokens that nobody has used for 90 days",
        {"administrator": 60, "incident and security manager": 80},
        _unused, lambda t: Line(t.name, f"/tokens/{t.pk}/", t.scope_word, at=t.last_used_at or t.created_at),
        "Every token is used.", "/tokens/", "tokens",
    ),
    Panel(
        "dormant-users", "Accounts that nobody has used for 90 days",
        {"administrator": 70, "incident and security manager": 70, "external auditor": 40},
        _dormant, lambda u: Line(u.called, f"/users/{u.pk}/", at=u.last_login or u.created_at),
        "Everybody has signed in lately.", "/users/", "users",
    ),
    Panel(
        "open-keys", "Intake keys that are good for every door and network", {"systems integrator": 35},
        _open_keys, lambda k: Line(k.name, f"/intake-keys/{k.pk}/", at=k.created_at),
        "Every intake key is limited to doors or networks.", "/intake-keys/", "intake-keys",
    ),
)  # fmt: skip
