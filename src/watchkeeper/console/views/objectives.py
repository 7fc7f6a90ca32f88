"""Objectives: the picture of a budget, and OpenSLO documents in and out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods

from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.objectives import chart as charted
from watchkeeper.domains.objectives.importing import Imported, as_openslo, import_text
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import TooLarge, WatchkeeperError

PATH = "service-level-objectives"
MOST_BYTES = 2_000_000


@require_GET
@signed_in()
def chart(request: HttpRequest, key: int) -> HttpResponse:
    """As the script of charts takes it."""
    _, record = found(actor_of(request), PATH, str(key))
    return JsonResponse(charted.of(record))


@require_GET
@signed_in()
def as_document(request: HttpRequest, key: int) -> HttpResponse:
    """The objective as a document of OpenSLO."""
    _, record = found(actor_of(request), PATH, str(key))
    answered = HttpResponse(as_openslo(record), content_type="application/yaml; charset=utf-8")
    answered.headers["Content-Disposition"] = f'attachment; filename="{record.name}.yaml"'
    return answered


@require_http_methods(["GET", "POST"])
@signed_in()
def import_(request: HttpRequest) -> HttpResponse:
    """The form; then what was done, or what is wrong and where."""
    actor = actor_of(request)
    require(actor, "create", registry[PATH])
    if request.method == "GET":
        return _form(request)
    try:
        done = import_text(actor, _given(request))
    except WatchkeeperError as error:
        return _form(request, error.status, error.detail)
    return _form(request, done=done) if done.odd else HttpResponseRedirect(f"/{PATH}/")


def _form(
    request: HttpRequest, status: int = 200, error: str = "", done: Imported | None = None
) -> HttpResponse:
    return page(request, "openslo.html", status=status, title="Import OpenSLO", error=error, done=done,
                resource=registry[PATH], given=request.POST)  # fmt: skip


def _given(request: HttpRequest) -> str:
    """The text. Raises Invalid or TooLarge."""
    file = request.FILES.get("file")
    if file is None:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if not text.strip():
            raise Invalid("choose a file, or paste what it would hold")
        return text
    if file.size and file.size > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES:,} bytes")
    try:
        return file.read().decode()
    except UnicodeDecodeError as error:
        raise Invalid("the file is no text in UTF-8") from error
