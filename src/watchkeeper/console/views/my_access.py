"""My access: what one may do and until when, asking for more, and what waits for one's own answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.exceptions import ValidationError

from watchkeeper.console.fields import Field, fields_of, read, shown
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains import access
from watchkeeper.domains.access.models import Emergency, Grant, Role
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.errors import WatchkeeperError

SHOWN = 50  # of what waits
ASKED = ("role", "reason", "days")
ONLY = ("in_organisation", "in_team", "attribute", "values")  # for some records


@require_GET
@signed_in()
def mine(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    actor = actor_of(request)
    own = {"user": actor.person}
    return page(
        request, "my_access.html", title="My access", grants=access.own_grants(actor.person),
        requests=visible(actor, "access-requests").filter(**own)[:20],
        approvals=visible(actor, "approvals").filter(approver=actor.person, answer="open")[:SHOWN],
        lines=visible(actor, "review-lines").filter(reviewer=actor.person, verdict="open")[:SHOWN],
        taken=visible(actor, "emergencies").filter(**own, state="active"),
        emergency_roles=_takeable(actor), can_ask=may(actor, "create", registry["access-requests"]),
    )  # fmt: skip


def _takeable(actor: Actor) -> list[Role]:
    """The roles that this person could take at once."""
    kind = registry["emergencies"]
    if not may(actor, "create", kind):
        return []
    roles = Role.objects.filter(emergency_minutes__gt=0)
    if actor.person.is_administrator:
        roles = roles.exclude(name="administrator")
    return [r for r in roles if may(actor, "create", kind, Emergency(user=actor.person, role=r))]


@require_http_methods(["GET", "POST"])
@signed_in()
def ask(request: HttpRequest) -> HttpResponse:
    """The form with which a person asks for themselves: for a role, or for more time with a grant of theirs."""
    actor, resource = actor_of(request), registry["access-requests"]
    extended = _extended(actor, request.GET.get("extends", ""))
    known = {f.name: _field(f) for f in fields_of(serializer_of(resource), actor)}
    fields = [known[name] for name in (ASKED[1:] if extended else ASKED + ONLY)]
    context: dict[str, Any] = {"resource": resource, "back": "/my-access/", "extended": extended, "only": ONLY,
                               "title": f"Extend {extended.role}" if extended else "Ask for access"}  # fmt: skip
    if request.method == "GET":
        fields = [shown(f, request.GET.get(f.name, f.value), actor) for f in fields]
        return page(request, "ask_access.html", fields=fields, **context)
    body = read(fields, request.POST, actor) | ({"extends": extended.pk} if extended else {})
    given = serializer_of(resource)(data=body, context={"request": request, "actor": actor})
    try:
        given.is_valid(raise_exception=True)
        doing.create(resource, actor, given)
    except Forbidden:
        raise
    except (ValidationError, WatchkeeperError) as error:
        context["error"] = error.detail if isinstance(error, WatchkeeperError) else ""
        fields = [f.filled(request.POST, error, actor) for f in fields]
        return page(request, "ask_access.html", status=400, fields=fields, **context)
    return HttpResponseRedirect("/my-access/")


def _extended(actor: Actor, key: str) -> Grant | None:
    found = visible(actor, "grants").filter(user=actor.person)
    return found.filter(pk=key).first() if key.isascii() and key.isdigit() else None


def _field(field: Field) -> Field:
    """Only roles that can be asked for, with what they are for; attributes that some kind of record has."""
    if field.name == "attribute":
        known = sorted(access.known_attributes())
        return replace(field, shape="choice", choices=tuple((n, n.replace("_", " ")) for n in known))
    if field.name != "role":
        return field
    roles = Role.objects.filter(requestable=True)
    choices = tuple((str(r.pk), f"{r.name}: {r.purpose}" if r.purpose else r.name) for r in roles)
    return replace(field, shape="choice", path="", more=False, choices=choices, required=True, help="")
