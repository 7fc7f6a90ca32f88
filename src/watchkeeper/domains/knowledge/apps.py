"""Django's name for this domain, what of it may be seen only by who may see something else, and what is also found in other
words."""

from __future__ import annotations

from django.apps import AppConfig


class Knowledge(AppConfig):
    """See reading, and offering."""

    name = "watchkeeper.domains.knowledge"

    def ready(self) -> None:
        """A version is read by whoever may read its article."""
        from watchkeeper.domains.embedding.sources import Source, describe
        from watchkeeper.domains.knowledge import offering
        from watchkeeper.domains.knowledge.reading import versions
        from watchkeeper.kernel import permissions

        permissions.within["article-versions"] = versions
        describe(Source("tickets", offering.solved, ("title", "description"), offering.told))
        describe(Source("articles", offering.published, ("title", "body"), offering.told))
