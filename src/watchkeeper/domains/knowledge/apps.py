"""Django's name for this domain, what of it may be seen only by who may see something else, and what is also found in other
words."""

from __future__ import annotations

from django.apps import AppConfig


class Knowledge(AppConfig):
    """See reading, and suggesting."""

    name = "watchkeeper.domains.knowledge"

    def ready(self) -> None:
        """A version is read by whoever may read its article."""
        from watchkeeper.domains.embedding.sources import Source, describe
        from watchkeeper.domains.knowledge import suggesting
        from watchkeeper.domains.knowledge.reading import versions
        from watchkeeper.kernel import permissions

        permissions.within["article-versions"] = versions
        describe(Source("tickets", suggesting.solved, ("title", "description"), suggesting.told))
        describe(Source("articles", suggesting.published, ("title", "body"), suggesting.told))
