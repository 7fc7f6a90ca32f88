"""Django's name for this domain, which says what may be seen of it by whom."""

from __future__ import annotations

from django.apps import AppConfig


class Catalog(AppConfig):
    """See visibility."""

    name = "watchkeeper.domains.catalog"

    def ready(self) -> None:
        """Whom the catalogue's items are for, what approvals are bound to, and what is heard."""
        from watchkeeper.domains.approvals import Bound, bound
        from watchkeeper.domains.catalog import leases, ordering
        from watchkeeper.domains.catalog.hearing import Decisions
        from watchkeeper.domains.catalog.visibility import for_this_reader, of_items
        from watchkeeper.kernel import events
        from watchkeeper.kernel.permissions import within

        within["catalog-items"] = for_this_reader
        within["catalog-approvals"] = within["catalog-tasks"] = of_items
        bound["orders"] = Bound(ordering.print_of)
        bound["leases"] = Bound(leases.print_of)
        events.listeners.insert(0, Decisions())  # first, as it says without a query that it wants all tickets
