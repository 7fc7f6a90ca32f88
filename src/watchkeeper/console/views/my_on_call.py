"""My on-call: how one is reached, one's shifts, what one was paged about, and a test of it."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from watchkeeper.console import bundle
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.oncall.paging import browsers, push, shifts
from watchkeeper.domains.oncall.paging.models import Page
from watchkeeper.domains.oncall.paging.own_models import ContactMethod, NotificationPreference, QuietHours
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry

_AHEAD = dt.timedelta(days=28)
_PAGES, _SHIFTS = 15, 12


@require_GET
@signed_in()
def mine(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    actor = actor_of(request)
    own, now = {"person": actor.person}, timezone.now()
    preferred = NotificationPreference.objects.filter(**own).select_related("method")
    return page(
        request, "my_on_call.html", title="My on-call", methods=ContactMethod.objects.filter(**own),
        preferences=[(words, [p for p in preferred if p.urgency == u]) for u, words in _URGENCIES],
        quiet=QuietHours.objects.filter(**own).first(), push_key=push.public_key(),
        shifts=shifts.of(request.user.get_username(), now, now + _AHEAD)[:_SHIFTS], now=now,
        pages=Page.objects.filter(**own).select_related("escalation")[:_PAGES],
        schedules=may(actor, "read", registry["schedules"]),
    )  # fmt: skip


_URGENCIES = (("high", "High urgency"), ("low", "Low urgency"))


@require_POST
@signed_in()
def add_browser(request: HttpRequest) -> HttpResponse:
    """Add this browser, which has been asked for its subscription."""
    given = request.POST
    made = browsers.add(actor_of(request), given.get("name", ""), given.get("subscription", ""))
    return HttpResponseRedirect(f"/my-on-call/#method-{made.pk}")


@require_GET
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The script that shows what is pushed while no page is open. Browsers let it be for the paths below its own."""
    try:
        script = (bundle.DIST / "push-worker.js").read_bytes()
    except FileNotFoundError as error:
        raise Http404 from error
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": "no-cache"})
