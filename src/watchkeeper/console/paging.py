"""Pages of a list, cut as the API cuts its lists."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator

from watchkeeper.kernel.lists import cut


class Pager(Paginator):  # type: ignore[type-arg]
    """Pages of the table, cut as the API cuts its lists."""

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """Raises InvalidPage."""
        number = self.validate_number(number)
        return Page(cut(self.object_list, (number - 1) * self.per_page, self.per_page), number, self)
