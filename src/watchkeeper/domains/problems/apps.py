"""Django's name for this domain, and what of it is read only with something else."""

from __future__ import annotations

from django.apps import AppConfig


class Problems(AppConfig):
    """See making."""

    name = "watchkeeper.domains.problems"

    def ready(self) -> None:
        """A version is read by whoever may read its report; reports and lines go with what they are about."""
        from watchkeeper.domains.annotations.tidying import HANGING
        from watchkeeper.domains.problems import reading
        from watchkeeper.domains.problems.models import Report, TimelineLine
        from watchkeeper.kernel import permissions

        permissions.within["report-versions"] = reading.versions
        HANGING += [Report, TimelineLine]
