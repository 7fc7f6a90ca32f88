"""Articles used on tickets: linked, or written into the notes for whoever reads on."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.annotations.models import Link, Note
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.rest import Choice, Reference

_MOST = 20_000  # characters of a note


class OnTicket(serializers.Serializer[Any]):
    """Where, and how."""

    ticket = Reference(queryset=Ticket.objects.all(), help_text="the ticket that it helps with")
    how = Choice(choices=[("link", "link it"), ("note", "write its text into the notes")], default="link")


def _use(actor: Actor, article: Article, data: dict[str, Any]) -> Done:
    ticket: Ticket = data["ticket"]
    require(actor, "change", registry["tickets"], ticket)
    on = {"kind": "tickets", "record": str(ticket.pk)}
    made: Link | Note
    if data["how"] == "note":
        text = f"{article.number}: {article.title}\n\n{article.body}"[:_MOST]
        made = Note.objects.create(**on, text=text, author=actor.name, author_id=actor.id)
        audit.record(actor, "note.create", made, after=audit.state_of(made))
    else:
        made, fresh = Link.objects.get_or_create(
            **on, sort=Link.Sort.DOCUMENTED, to_kind="articles", to_record=str(article.pk),
            defaults={"made_by": actor.name},
        )  # fmt: skip
        if fresh:
            audit.record(actor, "link.create", made, after=audit.state_of(made))
    return Done(body={data["how"]: made.pk, "see": f"/tickets/{ticket.pk}/"})


USE = Action("use", "Use on a ticket…", _use, OnTicket, scope=Scope.READ,
             offered=lambda article: article.status == rules.PUBLISHED)  # fmt: skip
