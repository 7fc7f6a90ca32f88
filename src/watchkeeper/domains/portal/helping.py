"""Articles that people find in the portal: what was published for everybody and for customers, and nothing else."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.models import Article
from watchkeeper.domains.knowledge.suggesting import Suggested, suited
from watchkeeper.kernel.problems import NotThere

LEAST = 4  # letters, before anything is suggested


def articles() -> QuerySet[Article]:
    """Those that the portal shows."""
    return Article.objects.filter(status=rules.PUBLISHED, audience__in=(rules.EVERYBODY, rules.CUSTOMERS))


def suggested(text: str) -> list[Suggested]:
    """What suits a text that somebody is writing, the best first."""
    return suited("articles", articles(), text, ()) if len(text.strip()) >= LEAST else []


def narrowed(search: str) -> QuerySet[Article]:
    """Those with all of these words in title or text, by title."""
    found = articles()
    for word in search.split()[:10]:
        found = found.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return found.order_by("title", "pk")


def article_of(number: str) -> Article:
    """The article of this number. Raises NotThere, in the same words for one that is for others and for none."""
    found = articles().filter(number=number).first()
    if found is None:
        raise NotThere("there is no article of this number")
    return found
