"""Django's name for this domain, and what of it may be seen only by who may see something else."""

from __future__ import annotations

from django.apps import AppConfig


class Knowledge(AppConfig):
    """See reading."""

    name = "watchkeeper.domains.knowledge"

    def ready(self) -> None:
        """A version is read by whoever may read its article."""
        from watchkeeper.domains.knowledge.reading import versions
        from watchkeeper.kernel import permissions

        permissions.within["article-versions"] = versions
