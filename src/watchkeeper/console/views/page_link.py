"""What the links in pages lead to, without signing in: who has one may acknowledge that page. To look at it does nothing,
because mail scanners do; a button does. A telephone's key, a text message and a provider's report come here too."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from watchkeeper.console.views.page import page
from watchkeeper.domains.oncall.paging import answering, delivering, ending, links, texting
from watchkeeper.domains.oncall.paging.models import Escalation, Page, PageDelivery
from watchkeeper.kernel.acting import address_of, request_id_of

_KEY = "4"  # of a telephone
_ARRIVED = ("delivered", "read", "completed")
_LOST = ("undelivered", "failed", "busy", "no-answer", "canceled")


@csrf_exempt  # the link is what gives the right, and nothing is done with a session
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Show what it is about; acknowledge when that is asked for."""
    try:
        found = _page(token)
    except links.BadLink as error:
        return page(request, "page_link.html", status=404, title="Acknowledge", trouble=str(error))
    done = request.method == "POST" and _acknowledge(request, found, "link")
    escalation = Escalation.objects.get(pk=found.escalation_id)
    response = page(
        request, "page_link.html", title="Acknowledge", asked=found, escalation=escalation, done=done,
        runs=ending.waits(escalation, timezone.now()),
    )  # fmt: skip
    response["Referrer-Policy"], response["Cache-Control"] = "no-referrer", "no-store"
    return response


def _page(token: str) -> Page:
    """Raises BadLink."""
    found = Page.objects.select_related("escalation", "person").filter(pk=links.page_of(token)).first()
    if found is None:
        raise links.BadLink("This page is no more.")
    if not found.person.is_active:
        raise links.BadLink("The account of this link is no longer in use.")
    return found


def _acknowledge(request: HttpRequest, found: Page, via: str) -> bool:
    actor = answering.as_person(found, address_of(request), request_id_of(request))
    return answering.acknowledge(actor, found, via)


@csrf_exempt
@require_POST
def key(request: HttpRequest, token: str) -> HttpResponse:
    """A key was pressed during a call: TwiML to be said."""
    try:
        found = _page(token)
    except links.BadLink as error:
        return _say(str(error))
    if request.POST.get("Digits", "") != _KEY:
        return _say("That was another key. Nothing is acknowledged. Goodbye.")
    done = _acknowledge(request, found, "telephone")
    return _say("You have acknowledged. Goodbye." if done else "Somebody has done so before. Goodbye.")


def _say(words: str, verb: str = "Say") -> HttpResponse:
    return HttpResponse(f"<Response><{verb}>{escape(words)}</{verb}></Response>", content_type="text/xml")


@csrf_exempt  # the provider's signature is what gives the right
@require_POST
def texted(request: HttpRequest) -> HttpResponse:
    """Somebody has answered by a text message: TwiML to be sent back."""
    given = request.POST.dict()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not texting.genuine(settings.PUBLIC_URL + request.get_full_path(), given, signature):
        return HttpResponse("This is not signed by a telephone provider in use.", status=403)
    said = texting.answer(
        given.get("From", ""), given.get("Body", ""), address_of(request), request_id_of(request)
    )
    return _say(said, "Message")


@csrf_exempt
@require_POST
def delivered(request: HttpRequest, token: str) -> HttpResponse:
    """A provider says how a message or call went."""
    try:
        number = links.delivery_of(token)
    except links.BadLink:
        return HttpResponse(status=404)
    said = request.POST.get("MessageStatus") or request.POST.get("CallStatus", "")
    delivery = PageDelivery.objects.select_related("page").filter(Q(pk=number) & ~Q(at=None)).first()
    if delivery is not None and said in _ARRIVED:
        PageDelivery.objects.filter(pk=number).update(state=PageDelivery.State.DELIVERED, answer=said)
        delivering.came(delivery.page_id, Page.State.DELIVERED)
    elif delivery is not None and said in _LOST:
        PageDelivery.objects.filter(pk=number).update(state=PageDelivery.State.FAILED, answer=said)
        delivering.give_way(delivery.page)
    return HttpResponse(status=204)
