"""Reminds the owner of an article to look whether it still holds, on the day that it says."""

from __future__ import annotations

import datetime as dt

from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.kernel import outbox

KIND = "article.review"
_HOUR = 7  # UTC


def later(article: Article) -> None:
    """Have the owner reminded on the day of its review; once for each day that it names."""
    if article.review_on is None or article.status == rules.RETIRED:
        return
    due = dt.datetime.combine(article.review_on, dt.time(_HOUR), dt.UTC)
    payload = {"article": article.pk, "on": article.review_on.isoformat()}
    outbox.add(
        [
            outbox.Effect(
                f"{KIND}:{article.pk}:{article.review_on}", KIND, f"articles/{article.pk}", payload, due
            )
        ]
    )
