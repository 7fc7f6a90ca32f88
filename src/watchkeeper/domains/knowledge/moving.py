"""How articles go from state to state, what readers say of them, and how one comes out of a ticket's resolution."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.knowledge import rules, versions
from watchkeeper.domains.knowledge.models import Article, Opinion
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, registry
from watchkeeper.kernel.states import Transition, machine


def _said(article: Article) -> str:
    return "" if article.body.strip() else "there is nothing in it to read yet"


def _publish(_: Actor, article: Article, __: dict[str, Any]) -> None:
    article.published_at = timezone.now()


MOVES = machine(
    "status",
    Transition("review", "Ask for a review", (rules.DRAFT,), rules.IN_REVIEW, guard=_said),
    Transition("publish", "Publish", (rules.DRAFT, rules.IN_REVIEW), rules.PUBLISHED, guard=_said, then=_publish),
    Transition("send-back", "Send back", (rules.IN_REVIEW,), rules.DRAFT),
    Transition("rework", "Rework", (rules.PUBLISHED, rules.RETIRED), rules.DRAFT,
               confirm="Until it is published again, only who writes articles sees it."),
    Transition("retire", "Retire", (rules.DRAFT, rules.IN_REVIEW, rules.PUBLISHED), rules.RETIRED,
               confirm="Nobody is offered it any more."),
)  # fmt: skip


def _opinion(helped: bool) -> Any:
    def say(actor: Actor, article: Article, _: dict[str, Any]) -> Done:
        if actor.person is None:
            raise Refused("only a person can say whether an article has helped")
        Opinion.objects.update_or_create(
            article=article, user=actor.person, defaults={"helped": helped, "at": timezone.now()}
        )
        counted = article.opinions.aggregate(yes=Count("pk", filter=Q(helped=True)), all=Count("pk"))
        Article.objects.filter(pk=article.pk).update(
            helpful=counted["yes"], unhelpful=counted["all"] - counted["yes"]
        )
        return Done()

    return say


def _published(article: Article) -> bool:
    return article.status == rules.PUBLISHED


HELPED = Action("helpful", "It helped", _opinion(True), scope=Scope.READ, offered=_published)
HELPED_NOT = Action("not-helpful", "It did not help", _opinion(False), scope=Scope.READ, offered=_published)


def write_of(actor: Actor, ticket: Ticket, _: dict[str, Any]) -> Done:
    """A draft for the desk of what solved a ticket; the one that there is, if there is one. Raises Forbidden."""
    article = Article.objects.filter(ticket=ticket).first()
    if article is None:
        require(actor, "create", registry["articles"])
        article = Article(title=ticket.title, body=_body(ticket), ticket=ticket, owner=actor.person)
        article.save()
        article.items.set(ticket.items.all())
        versions.keep(article, actor, f"from {ticket.number}")
        audit.record(actor, "article.create", article, after=audit.state_of(article))
    return Done(body={"article": article.pk, "see": f"/articles/{article.pk}/edit/"})


def _body(ticket: Ticket) -> str:
    parts = [("What happens", ticket.description), ("What to do", ticket.resolution)]
    return "\n\n".join(f"## {heading}\n\n{text.strip()}" for heading, text in parts if text.strip())


def _resolved(ticket: Ticket) -> bool:
    return bool(ticket.resolution.strip())


WRITE_OF = Action(
    "write-article", "Write an article of this", write_of, offered=_resolved, scope=Scope.READ, audited=False
)
