"""Sends a file to a calendar import, from its page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import signed_in, trouble
from watchkeeper.domains.timetables.reading import SIZE
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid, Refused


@require_POST
@signed_in()
def send(request: HttpRequest, key: str) -> HttpResponse:
    """Read it as the action `read-text` does; what is wrong with it is told, and nothing of it is taken."""
    actor = actor_of(request)
    resource, record = found(actor, "calendar-imports", key)
    action = resource.action("read-text")
    assert action is not None
    require(actor, action.name, resource, record)
    back = f"/calendar-imports/{record.pk}/"
    sent = request.FILES.get("file")
    try:
        if sent is None or (sent.size or 0) > SIZE:
            raise Invalid(f"choose a file of at most {SIZE // 1024} KiB", "file")
        doing.act(resource, action, actor, record, {"text": _text(sent.read())})
    except (Invalid, Refused) as error:
        return trouble(request, error.status, "Nothing of the file is taken", error.detail, back=back)
    return HttpResponseRedirect(back)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"byte {error.start} is not UTF-8, as calendars are written", "file") from error
