"""The page of any kind of record, from its Resource declaration, and what is done from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework.exceptions import ValidationError

from watchkeeper.console import (
    came_of,
    capacity,
    catalog,
    governance,
    history,
    objectives,
    pictured,
    provenance,
    related,
    reports,
    rule_groups,
    sameness,
    surroundings,
    thresholds,
    tickets,
)
from watchkeeper.console.facts import facts
from watchkeeper.console.fields import Field, fields_of, read
from watchkeeper.console.record_panels import panels
from watchkeeper.console.views.page import back_to, moment_asked, page, signed_in, trouble
from watchkeeper.console.wording import label
from watchkeeper.domains.inventory import moved_to
from watchkeeper.domains.inventory.models import Item
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import may, require, visible
from watchkeeper.kernel.problems import Refused, told
from watchkeeper.kernel.resource import Action, Resource, registry
from watchkeeper.model.errors import WatchkeeperError

Actions = list[tuple[Action, list[Field]]]
#: kinds whose page shows more than the declaration says: its template, and what that needs
SPECIAL: dict[str, tuple[str, Callable[[Any, Actor], dict[str, Any]]]] = {
    "audit": ("record.html", surroundings.of_audit),
    "alerts": ("alert.html", surroundings.of_alert),
    "dashboards": ("dashboard.html", pictured.of_dashboard),
    "forecasts": ("forecast.html", capacity.of_forecast),
    "judgements": ("judgement.html", surroundings.of_judgement),
    "items": ("item.html", surroundings.of_item),
    "jobs": ("job.html", came_of.of_job),
    "event-rules": ("event_rule.html", surroundings.of_rule),
    "firings": ("firing.html", surroundings.of_firing),
    "emergencies": ("emergency.html", governance.of_emergency),
    "reviews": ("review.html", governance.of_review),
    "policy-drafts": ("policy_draft.html", governance.of_draft),
    "policy-versions": ("policy_version.html", governance.of_version),
    "duplicates": ("duplicate.html", sameness.of_duplicate),
    "merges": ("merge.html", sameness.of_merge),
    "sources": ("source.html", provenance.of_source),
    "tickets": ("ticket.html", tickets.of_ticket),
    "threshold-rules": ("threshold.html", thresholds.of_threshold),
    "service-reports": ("service_report.html", reports.of_report),
    "service-level-objectives": ("objective.html", objectives.of_objective),
    "rule-groups": ("rule_group.html", rule_groups.of_group),
}

ROWS = 50  # of a page


@dataclass(frozen=True)
class Tried:
    """An action that was not done, and why: its form is shown again with what was typed."""

    name: str
    error: Exception
    said: str
    status: int

    def among(self, actions: Actions, request: HttpRequest) -> Actions:
        """The page's actions, this one's inputs filled."""
        actor = actor_of(request)
        return [
            (
                a,
                [f.filled(request.POST, self.error, actor) for f in fields]
                if a.name == self.name
                else fields,
            )
            for a, fields in actions
        ]


def kind(request: HttpRequest, path: str, action: str = "read") -> Resource:
    """The kind at this path. Raises Http404, or Forbidden when this may not be done with any of its records."""
    try:
        resource = registry[path]
    except KeyError:
        raise Http404 from None
    require(actor_of(request), action, resource)
    return resource


def _record(request: HttpRequest, resource: Resource, key: str) -> Any:
    try:
        return visible(actor_of(request), resource).get(pk=key)
    except (resource.model.DoesNotExist, ValueError) as error:  # type: ignore[attr-defined]
        raise Http404 from error


@require_GET
@signed_in()
def record(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """One record: its facts, what is related, what can be done, its history."""
    resource = kind(request, path)
    try:
        obj = _record(request, resource, key)
    except Http404:
        if there := moved_to(key) if issubclass(resource.model, Item) else "":
            return HttpResponseRedirect(f"/{there}/")
        raise
    if own := getattr(obj, "declared", "") if path == "items" else "":
        return HttpResponseRedirect(f"/{own}/{key}/")
    return _page(request, resource, obj)


def _page(request: HttpRequest, resource: Resource, obj: Any, tried: Tried | None = None) -> HttpResponse:
    actor = actor_of(request)
    path = "items" if issubclass(resource.model, Item) else resource.path
    template, more = SPECIAL.get(path, ("record.html", None))
    if request.headers.get("HX-Target") == "related":
        more = None
    special = more(obj, actor) if more else {}
    if more and path == "items" and (at := moment_asked(request)):
        special |= surroundings.of_item_at(obj, actor, at)
    tabs = related.tabs(resource, obj, actor, special.get("in_words", ()))
    context = {"resource": resource, "record": obj, **related.shown(tabs, request.GET, actor)}
    if request.headers.get("HX-Target") == "related":
        return page(request, "parts/related.html", **context)
    acts, acts_count = history.of(resource, obj, actor)
    beside = panels(request, resource, obj)
    told = any(template == "console/parts/audited.html" for template, _ in beside["body"])
    audit = registry["audit"]
    context |= {
        "title": resource.title(obj),
        "facts": facts(
            resource,
            obj,
            frozenset(("before", "after")) if told else catalog.TOLD.get(resource.path, frozenset()),
        ),
        "pending": "pending" in request.GET,
        "actions": special["actions"] if "actions" in special else _offered(resource, obj, actor),
        "history": acts,
        "panels": beside,
        "history_count": acts_count,
        "history_kind": resource.model._meta.verbose_name if may(actor, "read", audit) else "",
        "can_change": "change" in resource.allow and may(actor, "change", resource, obj),
        "can_remove": "remove" in resource.allow and may(actor, "remove", resource, obj),
        "can_clone": "create" in resource.allow
        and bool(resource.writable)
        and may(actor, "create", resource),
    }
    context |= special
    if tried is not None:
        context |= {"tried": tried, "actions": tried.among(context["actions"], request)}
    return page(request, template, status=tried.status if tried else 200, **context)


def _offered(resource: Resource, obj: Any, actor: Actor) -> Actions:
    offered = (a for a in resource.actions if a.offered(obj) and may(actor, a.name, resource, obj))
    return [(a, fields_of(a.fields, actor)) for a in offered]


@require_http_methods(["GET", "POST"])
@signed_in()
def act(request: HttpRequest, path: str, key: str, name: str) -> HttpResponse:
    """Do something with a record, then show it again; whoever comes back to the address sees the record."""
    resource = kind(request, path)
    obj = _record(request, resource, key)
    if request.method == "GET":
        return HttpResponseRedirect(f"/{resource.path}/{key}/")
    action = resource.action(name)
    if action is None:
        raise Http404
    actor = actor_of(request)
    require(actor, action.name, resource, obj)
    if not action.offered(obj):
        raise Refused(f"{resource.title(obj)} has changed meanwhile; look at it again.")
    data = dict[str, Any]()
    try:
        if action.fields is not None:
            given = action.fields(data=read(fields_of(action.fields, actor), request.POST, actor))
            given.is_valid(raise_exception=True)
            data = given.validated_data
        done = doing.act(resource, action, actor, obj, data)
    except (ValidationError, WatchkeeperError) as error:
        return _not_done(request, resource, obj, action, error)
    if done.body is not None and "shown_once" in done.body:
        return page(
            request, "once.html", title=resource.title(obj), resource=resource, once=done.body["shown_once"]
        )
    if done.body is not None and "see" in done.body:
        return HttpResponseRedirect(done.body["see"])
    note = "?pending" if done.pending else ""
    here = back_to(request, request.POST) or f"/{resource.path}/{key}/"
    return HttpResponseRedirect(f"{here}{note}")


def _not_done(
    request: HttpRequest,
    resource: Resource,
    obj: Any,
    action: Action,
    error: ValidationError | WatchkeeperError,
) -> HttpResponse:
    """Why it was not done: at its form with what was typed, where that is on the record's page."""
    status = getattr(error, "status", 400)
    named = list(told(error.detail)) if isinstance(error, ValidationError) else [("", error.detail)]
    back = back_to(request, request.POST)
    if action.fields is None or back:
        said = " ".join(f"{label(name)}: {words}" if name else words for name, words in named)
        here = back or f"/{resource.path}/{obj.pk}/"
        return trouble(request, status, f"{action.label}: not done", said, back=here)
    said = " ".join(words for name, words in named if not name)
    return _page(
        request, resource, _record(request, resource, str(obj.pk)), Tried(action.name, error, said, status)
    )


@require_POST
@signed_in()
def remove(request: HttpRequest, path: str, key: str) -> HttpResponse:
    """Remove a record after the page has asked for confirmation."""
    resource = kind(request, path)
    if "remove" not in resource.allow:
        raise Refused(f"A {resource.name} cannot be removed here.")
    doing.remove(resource, actor_of(request), _record(request, resource, key))
    return HttpResponseRedirect(f"/{resource.path}/")
