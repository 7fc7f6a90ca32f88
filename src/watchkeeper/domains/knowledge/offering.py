"""Which records are offered to those whom they may help, and what their texts say."""

from __future__ import annotations

from django.db.models import QuerySet

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.desk.rules import CLOSED, RESOLVED
from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article


def published() -> QuerySet[Article]:
    """Articles that have readers."""
    return Article.objects.filter(status=rules.PUBLISHED)


def solved() -> QuerySet[Ticket]:
    """Tickets that were resolved and say what solved them; not what went into another one."""
    return Ticket.objects.filter(status__in=(RESOLVED, CLOSED), merged_into=None).exclude(resolution="")


def told(title: str, text: str) -> str:
    """What a record of a title and a text says; the title counts twice."""
    return f"{title}\n{title}\n{text[:4000]}"
