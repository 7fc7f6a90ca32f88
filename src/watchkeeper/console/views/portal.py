"""The portal: one's own tickets, a new one, the conversation on one, and how it was. For customers it is all there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from rest_framework import serializers

from watchkeeper.console.views.page import page, signed_in, with_files
from watchkeeper.domains import access
from watchkeeper.domains.annotations import as_html
from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.portal import helping, requesting, shapes, surveying
from watchkeeper.domains.portal.files import uploads_of
from watchkeeper.domains.portal.models import Survey
from watchkeeper.domains.portal.own import narrowed, person_of, ticket_of, tickets_of
from watchkeeper.kernel.acting import actor_of, address_of, request_id_of
from watchkeeper.kernel.problems import BadQuery, told
from watchkeeper.model.errors import WatchkeeperError

_PAGE = 25
_TABS = (("open", "Open"), ("done", "Done"), ("", "All"))
_SCORES = {1: "bad", 2: "poor", 3: "all right", 4: "good", 5: "very good"}


def shown(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the portal's own look; who has more than the portal is shown the way back."""
    return page(
        request, f"portal/{template}", status=status, portal=True, has_console=has_console(request), **context
    )


def has_console(request: HttpRequest) -> bool:
    """Whether the reader has more than the portal."""
    return request.user.is_authenticated and not access.is_customer(request.user)


def _own(request: HttpRequest, number: str, *, writes: bool = False) -> Ticket:
    return ticket_of(person_of(actor_of(request), writes=writes), number)


@require_GET
@signed_in()
def tickets(request: HttpRequest) -> HttpResponse:
    """One's own tickets, the open ones first."""
    query, state = request.GET.get("search", "")[:200], request.GET.get("state", "open")
    offset = request.GET.get("offset", "0")
    if not offset.isascii() or not offset.isdigit() or len(offset) > 9:
        raise BadQuery("offset: a whole number", "offset")
    mine = tickets_of(person_of(actor_of(request)))
    start = int(offset)
    rows: list[Any] = list(narrowed(mine, query, state)[start : start + _PAGE + 1])
    for row in rows:
        row.words = shapes.WORDS[row.status]
    return shown(
        request, "tickets.html", title="My tickets", rows=rows[:_PAGE], tabs=_TABS, state=state, search=query,
        before=max(0, start - _PAGE) if start else None, after=start + _PAGE if len(rows) > _PAGE else None,
        any=bool(rows) or mine.exists(), surveys=_open_surveys(request),
    )  # fmt: skip


def _open_surveys(request: HttpRequest) -> list[Survey]:
    """What one is asked and has not answered."""
    asked = Survey.objects.filter(requester=actor_of(request).person, answered_at=None)
    return list(asked.select_related("ticket").order_by("-id")[:3])


@with_files
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A form for a new ticket."""
    person_of(actor_of(request), writes=True)
    if request.method == "GET":
        kind = request.GET.get("type", "incident")
        return _form(request, {"type": kind if kind in Ticket.Type.values else "incident"}, {})
    given = {name: request.POST.get(name, "") for name in ("type", "title", "description", "about")}
    try:
        files = uploads_of(request)
        made = requesting.open_ticket(actor_of(request), _valid(shapes.Opening, given), files)
    except (WatchkeeperError, serializers.ValidationError) as error:
        return _form(request, given, _errors(error), getattr(error, "status", 400))
    return HttpResponseRedirect(f"/portal/tickets/{made.number}/")


def _form(
    request: HttpRequest, given: dict[str, Any], errors: dict[str, str], status: int = 200
) -> HttpResponse:
    return shown(
        request, "new.html", status, title="New ticket", given=given, errors=errors, types=Ticket.Type.choices,
        accept=",".join(f".{t}" for t in sorted(settings.FILE_TYPES)), most=settings.FILE_SIZE,
    )  # fmt: skip


def _valid(shape: type[serializers.Serializer[Any]], given: dict[str, Any]) -> dict[str, Any]:
    taken = shape(data=given)
    taken.is_valid(raise_exception=True)
    data: dict[str, Any] = taken.validated_data
    return data


def _errors(error: Exception) -> dict[str, str]:
    """Field → what is wrong with it."""
    if isinstance(error, serializers.ValidationError):
        return {name: words.capitalize() for name, words in told(error.detail)}
    return {"files": str(getattr(error, "detail", error))}


@require_GET
@signed_in()
def ticket(request: HttpRequest, number: str) -> HttpResponse:
    """One ticket, and what was said on it."""
    return _ticket(request, _own(request, number))


def _ticket(
    request: HttpRequest, found: Ticket, error: str = "", text: str = "", status: int = 200
) -> HttpResponse:
    said = [(m, shapes.Said().get_by(m), as_html(m.body)) for m in shapes.conversation_of(found)]
    survey = Survey.objects.filter(ticket=found, requester=actor_of(request).person).first()
    return shown(
        request, "ticket.html", status, title=str(found), ticket=found, written=as_html(found.description),
        words=shapes.WORDS[found.status], said=said,
        offered=shapes.offered(found), survey=survey, scores=_SCORES, error=error, text=text,
        accept=",".join(f".{t}" for t in sorted(settings.FILE_TYPES)), most=settings.FILE_SIZE,
        own=found.requester_id == request.user.pk,
    )  # fmt: skip


def _tried(request: HttpRequest, number: str, do: Callable[[Ticket], Any]) -> HttpResponse:
    """Do something with a ticket, and show it; what was wrong with that, above the form."""
    found = _own(request, number, writes=True)
    try:
        do(found)
    except (WatchkeeperError, serializers.ValidationError) as error:
        words = " ".join(_errors(error).values())
        return _ticket(request, found, words, request.POST.get("text", ""), getattr(error, "status", 400))
    return HttpResponseRedirect(f"/portal/tickets/{found.number}/")


@with_files
@require_POST
def reply(request: HttpRequest, number: str) -> HttpResponse:
    """Say something, with files if there are some."""

    def say(found: Ticket) -> None:
        files, text = uploads_of(request), request.POST.get("text", "")
        if not text.strip() and files:
            text = f"Attached: {', '.join(f.name for f in files)}"
        requesting.reply(actor_of(request), found, _valid(shapes.Saying, {"text": text})["text"], files)

    return _tried(request, number, say)


@require_POST
@signed_in()
def close(request: HttpRequest, number: str) -> HttpResponse:
    """It is solved, or no longer wanted."""
    return _tried(request, number, lambda found: requesting.close(actor_of(request), found))


@require_POST
@signed_in()
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    """It is not solved."""

    def again(found: Ticket) -> None:
        text = _valid(shapes.Saying, {"text": request.POST.get("text", "")})["text"]
        requesting.reopen(actor_of(request), found, text)

    return _tried(request, number, again)


@require_GET
@signed_in()
def file(request: HttpRequest, number: str, key: int) -> HttpResponseBase:
    """The content of a file of a reply, to be saved."""
    return filing.download(request, shapes.file_of(_own(request, number), key))


@require_POST
@signed_in()
def rate(request: HttpRequest, number: str) -> HttpResponse:
    """How it was."""

    def say(found: Ticket) -> None:
        survey = Survey.objects.filter(ticket=found, requester=actor_of(request).person).first()
        if survey is not None:
            _answer(request, survey)

    return _tried(request, number, say)


def _answer(request: HttpRequest, survey: Survey) -> None:
    given = {name: request.POST.get(name, "") for name in ("score", "comment")}
    data = _valid(shapes.Rating, given)
    surveying.answer(survey, data["score"], data["comment"], address_of(request), request_id_of(request))


@require_GET
@signed_in()
def suggested(request: HttpRequest) -> HttpResponse:
    """Articles that may answer what somebody is writing: a part of the page."""
    text = f"{request.GET.get('title', '')}\n{request.GET.get('description', '')}"[:4000]
    return shown(request, "suggested.html", found=helping.suggested(text))


@require_GET
@signed_in()
def article(request: HttpRequest, number: str) -> HttpResponse:
    """What an article says."""
    found = helping.article_of(number)
    return shown(request, "article.html", title=found.title, article=found, body=as_html(found.body))


@require_http_methods(["GET", "POST"])
def rate_by_link(request: HttpRequest, link: str) -> HttpResponse:
    """How it was, for whoever came by the link of a mail and has not signed in."""
    about: dict[str, Any] = {"title": "How was it?", "scores": _SCORES}
    try:
        survey = surveying.survey_of(link)
        about["survey"] = survey
        if request.method == "POST":
            _answer(request, survey)
            about["thanks"] = True
    except (WatchkeeperError, serializers.ValidationError) as error:
        words = (
            " ".join(_errors(error).values()) if "survey" in about else str(getattr(error, "detail", error))
        )
        return shown(request, "rate.html", getattr(error, "status", 400), error=words, **about)
    return shown(request, "rate.html", **about)
