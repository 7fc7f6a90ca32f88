"""A rule file of Prometheus is chosen or pasted, and becomes rule groups."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.alerting import Imported, import_file
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import TooLarge, WatchkeeperError

MOST_BYTES = 2_000_000
PASTED = "pasted.yml"


@require_http_methods(["GET", "POST"])
@signed_in()
def import_(request: HttpRequest) -> HttpResponse:
    """The form; then what was done, or what is wrong with which line."""
    resource, actor = registry["rule-groups"], actor_of(request)
    require(actor, "create", resource)
    if request.method == "GET":
        return _form(request)
    try:
        name, text = _given(request)
        done = import_file(actor, name, text)
    except WatchkeeperError as error:
        return _form(request, error.status, error.detail)
    if done.odd:
        return _form(request, done=done, name=name)
    return HttpResponseRedirect(f"/rule-groups/?{urlencode({'source': name})}")


def _form(
    request: HttpRequest, status: int = 200, error: str = "", done: Imported | None = None, name: str = ""
) -> HttpResponse:
    return page(
        request, "rule_file.html", status=status, title="Import rules of Prometheus", error=error, done=done,
        resource=registry["rule-groups"], given=request.POST, name=name,
    )  # fmt: skip


def _given(request: HttpRequest) -> tuple[str, str]:
    """The file's name and text. Raises Invalid or TooLarge."""
    file, named = request.FILES.get("file"), request.POST.get("name", "").strip()[:300]
    if file is None:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if not text.strip():
            raise Invalid("choose a file, or paste what it would hold")
        return named or PASTED, text
    if file.size and file.size > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES:,} bytes")
    try:
        return named or (file.name or PASTED)[:300], file.read().decode()
    except UnicodeDecodeError as error:
        raise Invalid("the file is no text in UTF-8") from error
