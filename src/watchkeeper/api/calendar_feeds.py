"""/calendar/SECRET.ics: shifts for calendar programs, which have no way to sign in; the address is the secret."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from watchkeeper.domains.timetables import feeds
from watchkeeper.kernel.problems import NotThere, answer


@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:  # noqa: ARG001
    """The calendar, or 404 in the same words whatever is wrong with the address."""
    try:
        text = feeds.text_of(secret, timezone.now())
    except NotThere as error:
        return answer(404, error.reason, error.detail)
    return HttpResponse(
        text,
        content_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": 'inline; filename="on-call.ics"',
            "Cache-Control": "private, no-store",
        },
    )
