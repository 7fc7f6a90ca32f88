"""A person's inbox: what they were told, what they watch, and whether it comes by mail; and the button that watches."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.inbox import subscribing
from watchkeeper.domains.inbox.models import ByMail, Notice
from watchkeeper.domains.inbox.reading import readable
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.problems import Invalid

SHOWN = 100


@require_GET
@signed_in()
def inbox(request: HttpRequest) -> HttpResponse:
    """The last notices, and below them what is watched."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, trouble: str = "") -> HttpResponse:
    actor = actor_of(request)
    user = subscribing.person(actor)
    found = Notice.objects.filter(user=user).select_related("subscription")
    if only_unread := "unread" in request.GET:
        found = found.filter(read_at=None)
    return page(
        request, "inbox.html", status=status, title="Inbox", notices=readable(user, found[:SHOWN]),
        subscriptions=subscribing.own(actor), preference=subscribing.preference(actor),
        by_mail=ByMail.choices, hours=range(24), only_unread=only_unread, trouble=trouble,
    )  # fmt: skip


@require_GET
@signed_in()
def bell(request: HttpRequest) -> HttpResponse:
    """The bell of the header, with the number of today."""
    return render(request, "console/parts/bell.html", {"user": request.user})


@require_GET
@signed_in()
def notice(request: HttpRequest, number: int) -> HttpResponse:
    """To the record that a notice is about; it has been read then."""
    actor = actor_of(request)
    found = Notice.objects.filter(pk=number, user=subscribing.person(actor)).first()
    if found is None:
        raise Http404
    subscribing.mark_read(actor, Notice.objects.filter(pk=number))
    there = found.kind and not found.gone
    return HttpResponseRedirect(f"/{found.kind}/{found.record}/" if there else "/inbox/")


@require_POST
@signed_in()
def read(request: HttpRequest) -> HttpResponse:
    """Mark one notice, or all, as read."""
    found = Notice.objects.all()
    if number := request.POST.get("notice", ""):
        found = found.filter(pk=int(number)) if number.isdecimal() and len(number) < 19 else found.none()
    subscribing.mark_read(actor_of(request), found)
    return HttpResponseRedirect("/inbox/")


@require_POST
@signed_in()
def watch(request: HttpRequest) -> HttpResponse:
    """Watch a record or a list; then back to it."""
    given = {name: request.POST.get(name, "") for name in ("kind", "record", "query")}
    subscribing.subscribe(actor_of(request), **given)
    return HttpResponseRedirect(_back(request))


@require_POST
@signed_in()
def subscription(request: HttpRequest, number: int, what: str) -> HttpResponse:
    """Mute a subscription, hear of it again, or end it."""
    actor = actor_of(request)
    found = subscribing.own(actor).filter(pk=number).first()
    if found is None or what not in ("mute", "unmute", "remove"):
        raise Http404
    if what == "remove":
        subscribing.unsubscribe(actor, found)
    else:
        subscribing.mute(actor, found, what == "mute")
    return HttpResponseRedirect(_back(request))


@require_POST
@signed_in()
def preferences(request: HttpRequest) -> HttpResponse:
    """Whether notices come by mail as well."""
    by_mail, hour = request.POST.get("by_mail", ""), request.POST.get("hour", "")
    if by_mail not in ByMail.values or not hour.isdecimal() or int(hour[:3]) > 23:
        return _page(request, 400, "Choose one of the ways, and an hour of the day.")
    try:
        subscribing.prefer(actor_of(request), {"by_mail": by_mail, "hour": int(hour)})
    except Invalid as error:
        return _page(
            request, 400, f"{error.detail.partition(': ')[2].capitalize()}. An administrator can enter one."
        )
    return HttpResponseRedirect("/inbox/")


def _back(request: HttpRequest) -> str:
    """The page that the button was on, if it is one of ours."""
    back = request.POST.get("back", "")
    return back if back.startswith("/") and url_has_allowed_host_and_scheme(back, None) else "/inbox/"
