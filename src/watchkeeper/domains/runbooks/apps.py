"""Django's name for this domain, and what of it is read only with something else."""

from __future__ import annotations

from django.apps import AppConfig


class Runbooks(AppConfig):
    """See running."""

    name = "watchkeeper.domains.runbooks"

    def ready(self) -> None:
        """What was done in a run is read by whoever may read the run, which goes with what it is for."""
        from watchkeeper.domains.annotations.tidying import HANGING
        from watchkeeper.domains.runbooks.models import Run
        from watchkeeper.domains.runbooks.reading import done
        from watchkeeper.kernel import permissions

        permissions.within["runbook-run-steps"] = done
        HANGING.append(Run)
