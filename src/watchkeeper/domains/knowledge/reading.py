"""Who may read what beside the articles themselves, which policies decide."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible


def versions(actor: Actor, found: QuerySet[Any]) -> QuerySet[Any]:
    """Those of these versions whose article the actor may read."""
    from watchkeeper.domains.knowledge.models import Article  # asked before Django's models are there

    return found.filter(article__in=visible(actor, "articles", Article.objects.all()).order_by().values("pk"))
