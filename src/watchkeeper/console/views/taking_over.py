"""A file of a source is compared with the inventory, what would be done is shown, and then it is done."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from watchkeeper.console.importing import KEPT
from watchkeeper.console.models import HeldImport
from watchkeeper.console.views.exchange import MOST_BYTES
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.console.wording import label, plain
from watchkeeper.domains.inventory.applying import Applied, apply
from watchkeeper.domains.inventory.drafts import Act, Step
from watchkeeper.domains.inventory.importers import importers
from watchkeeper.domains.inventory.models import Item, Source
from watchkeeper.domains.inventory.planning import Plan
from watchkeeper.domains.inventory.sources import planned
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid, NotThere
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import Malformed, TooLarge, WatchkeeperError

MOST_THINGS = 20_000  # of a page; the command line takes more
SHOWN = 200
TITLES = {
    Act.CONFLICT: ("Cannot be taken over", "could not be taken over"),
    Act.CREATE: ("To make", "made"),
    Act.CHANGE: ("To change", "changed"),
    Act.CLOSE: ("Not named any more", "not named any more"),
}


@require_http_methods(["GET", "POST"])
@signed_in()
def take_over(request: HttpRequest, key: int) -> HttpResponse:
    """The form, the plan, the outcome."""
    source = visible(actor_of(request), "sources").filter(pk=key).first()
    if source is None:
        raise Http404
    require(actor_of(request), "import", registry["sources"], source)
    if request.method == "GET":
        return _form(request, source)
    try:
        return _apply(request, source) if "held" in request.POST else _preview(request, source)
    except WatchkeeperError as error:
        return _form(request, source, status=error.status, error=error.detail)


def _form(request: HttpRequest, source: Source, status: int = 200, error: str = "") -> HttpResponse:
    chosen = request.POST.get(
        "format", next((i.name for i in importers().values() if i.type == source.type), "csv")
    )
    return page(
        request, "take_over.html", status=status, title=f"Compare a file of {source.name}", source=source, error=error,
        formats=importers().values(), chosen=chosen, most=MOST_THINGS,
        ends=",".join(sorted({e for i in importers().values() for e in i.ends})),
    )  # fmt: skip


def _preview(request: HttpRequest, source: Source) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None or not file.size:
        raise Invalid("choose a file")
    if file.size > MOST_BYTES:
        raise TooLarge(
            f"the file is larger than {MOST_BYTES // 1024**2} MiB; use `watchkeeper inventory import`"
        )
    try:
        content = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("the file is not UTF-8") from error
    written, whole = request.POST.get("format", ""), request.POST.get("whole") == "yes"
    plan = _plan(source, written, whole, content)
    HeldImport.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    HeldImport.objects.filter(session=request.session.session_key).delete()
    held = None
    if not plan.nothing:
        held = HeldImport.objects.create(
            id=secrets.token_urlsafe(20), session=request.session.session_key, path=f"sources/{source.pk}",
            match=f"{written}/{'whole' if whole else 'part'}", name=(file.name or "")[:255], content=content,
        )  # fmt: skip
    return _shown(request, plan, held)


def _plan(source: Source, written: str, whole: bool, content: str) -> Plan:
    plan = planned(source, written, content.encode(), whole)
    if len(plan.described) > MOST_THINGS:
        raise TooLarge(
            f"{len(plan.described):,} things are more than the {MOST_THINGS:,} that a page takes; "
            "use `watchkeeper inventory import`"
        )
    return plan


def _apply(request: HttpRequest, source: Source) -> HttpResponse:
    held = HeldImport.objects.filter(
        pk=request.POST["held"], session=request.session.session_key, path=f"sources/{source.pk}",
        created_at__gte=timezone.now() - KEPT,
    ).first()  # fmt: skip
    # a second press of the button finds it taken
    if held is None or not HeldImport.objects.filter(pk=held.pk).delete()[0]:
        raise NotThere("what was shown is not kept any more, or has been done; choose the file again")
    written, _, whole = held.match.partition("/")
    plan = _plan(source, written, whole == "whole", held.content)
    done = apply(plan, actor_of(request), confirmed=request.POST.get("confirmed") == "yes")
    return _shown(request, plan, None, done)


def _shown(
    request: HttpRequest, plan: Plan, held: HeldImport | None, done: Applied | None = None
) -> HttpResponse:
    counts: Any = done.counts if done else plan.counts
    groups = [
        (
            TITLES[act][done is not None].capitalize(),
            _rows([s for s in plan.steps if s.act is act][:SHOWN]),
            counts[act.value],
        )
        for act in TITLES
        if counts[act.value]
    ]
    return page(
        request, "take_over_plan.html", title=f"{plan.source.name}: {'done' if done else 'what would be done'}",
        source=plan.source, plan=plan, held=held, done=done, groups=groups, same=counts[Act.SAME.value], most=SHOWN,
        meanwhile=_rows(done.meanwhile) if done else [],
    )  # fmt: skip


def _rows(steps: list[Step]) -> list[tuple[Step, bool, list[tuple[str, Any, Any]]]]:
    """Each step with whether its item is there, and its values in words."""
    there = set(Item.objects.filter(pk__in=[s.item for s in steps]).values_list("pk", flat=True))
    ids = {
        v for s in steps for pair in s.values.values() for v in pair if isinstance(v, str) and len(v) == 36
    }
    names = dict(Item.objects.filter(pk__in=ids).values_list("pk", "name"))

    def word(value: Any) -> Any:
        if isinstance(value, str) and value in names:
            return names[value]
        return "–" if value in (None, "", [], {}) else plain(value)

    return [
        (s, s.item in there, [(label(n), word(b), word(a)) for n, (b, a) in s.values.items()])
        for s in steps
    ]  # fmt: skip
