"""Articles used on tickets: linked, noted for whoever works on them, or sent to whoever asked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.models import Link
from watchkeeper.domains.desk.conversation import saying
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import Choice, Reference

_MOST = 20_000  # characters of a message


class OnTicket(serializers.Serializer[Any]):
    """Where, and how."""

    ticket = Reference(queryset=Ticket.objects.all(), help_text="the ticket that it helps with")
    how = Choice(
        choices=[("link", "link it"), ("note", "as an internal note"), ("reply", "as a reply")],
        default="link",
    )


def _use(actor: Actor, article: Article, data: dict[str, Any]) -> Done:
    ticket: Ticket = data["ticket"]
    require(actor, "change", registry["tickets"], ticket)
    made = (
        _link(actor, article, ticket) if data["how"] == "link" else _say(actor, article, ticket, data["how"])
    )
    return Done(body={data["how"]: made, "see": f"/tickets/{ticket.pk}/"})


def _link(actor: Actor, article: Article, ticket: Ticket) -> int:
    made, fresh = Link.objects.get_or_create(
        kind="tickets", record=str(ticket.pk), sort=Link.Sort.DOCUMENTED, to_kind="articles", to_record=str(article.pk),
        defaults={"made_by": actor.name},
    )  # fmt: skip
    if fresh:
        audit.record(actor, "link.create", made, after=audit.state_of(made))
    return int(made.pk)


def _say(actor: Actor, article: Article, ticket: Ticket, how: str) -> int:
    public = how == "reply"
    if public and article.audience not in rules.FOR_REQUESTERS:
        raise Refused(
            f"{article.number} is written for {article.get_audience_display()}, not for whoever asks"
        )
    head = f"**{article.title}**" if public else f"{article.number}: {article.title}"
    return int(saying.say(actor, ticket, f"{head}\n\n{article.body}"[:_MOST], public=public).pk)


USE = Action("use", "Use on a ticket…", _use, OnTicket, scope=Scope.READ,
             offered=lambda article: article.status == rules.PUBLISHED)  # fmt: skip
