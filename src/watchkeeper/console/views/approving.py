"""To approve: what waits for one's own answer, with what one needs to know for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from watchkeeper.console.approvals import MOST, to_answer
from watchkeeper.console.views.page import page, signed_in
from watchkeeper.domains.annotations.notes import as_html
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry


@require_GET
@signed_in()
def to_approve(request: HttpRequest) -> HttpResponse:
    """One page for all of it, and who answers for whom."""
    actor = actor_of(request)
    own = visible(actor, "delegations").filter(person=actor.person) if actor.person else ()
    votes = [(v, as_html(v.step.request.text)) for v in to_answer(actor)[:MOST]]
    return page(
        request, "to_approve.html", title="To approve", votes=votes, delegations=own,
        can_delegate=may(actor, "create", registry["delegations"]), person=actor.person,
    )  # fmt: skip
