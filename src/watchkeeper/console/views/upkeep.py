"""What people do on the page of a work order beside its actions."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from watchkeeper.console.views.editing import found
from watchkeeper.console.views.page import signed_in
from watchkeeper.domains.upkeep import rules
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.rest import serializer_of


@require_POST
@signed_in()
def tick(request: HttpRequest, key: str) -> HttpResponse:
    """A step of its checklist is done, or is not done after all."""
    actor = actor_of(request)
    resource, order = found(actor, "work-orders", key)
    require(actor, "change", resource, order)
    number = request.POST.get("step", "")
    lines = rules.ticked(order.checklist, int(number) if number.isdigit() else 0, "done" in request.POST)
    given = serializer_of(resource)(
        order, data={"checklist": lines}, partial=True, context={"request": request, "actor": actor}
    )
    given.is_valid(raise_exception=True)
    doing.change(resource, actor, order, given)
    return HttpResponseRedirect(f"/work-orders/{order.pk}/#checklist")
