"""Articles of somebody's own that have to be looked at again."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels
from watchkeeper.kernel.permissions import visible


def _due(actor: Actor) -> Any:
    if actor.person is None:
        return []
    found = Article.objects.filter(owner=actor.person, review_on__lte=timezone.now().date())
    return visible(actor, "articles", found.exclude(status=rules.RETIRED)).order_by("review_on", "id")


def _line(a: Article) -> Line:
    return Line(str(a), f"/articles/{a.pk}/", f"to be reviewed since {a.review_on}")


panels.add(
    Panel(
        "articles-to-review",
        "Your articles to review",
        {EVERYONE: 60},
        _due,
        _line,
        "",
        "/articles/",
        "articles",
    )
)
