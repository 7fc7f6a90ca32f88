"""Carries reminders of reviews out."""

from __future__ import annotations

from watchkeeper.domains import inbox
from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.domains.knowledge.reminding import KIND
from watchkeeper.kernel import outbox
from watchkeeper.kernel.events import Event, text
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(KIND)
def remind(row: OutboxRow) -> str:
    """Tell the owner, unless the review was moved or the article retired."""
    article = Article.objects.select_related("owner").filter(pk=row.payload["article"]).first()
    if article is None or article.status == rules.RETIRED or str(article.review_on) != row.payload["on"]:
        return "nothing is to be reviewed any more"
    if article.owner is None:
        return "it has no owner to remind"
    event = Event(
        row.pk, "articles", "remind", str(article.pk), str(article)[:200], text(row.due_at or row.created_at)
    )
    return f"{inbox.tell([article.owner], event, 'You own this article, and its review is due.')} told"
