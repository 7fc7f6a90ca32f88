"""Who may call what: a view says the scope it needs, for reading and for writing."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from watchkeeper.kernel.acting import Scope, actor_of


class SignedIn(BasePermission):
    """Lets in whoever has the view's `needs(request)` scope; READ where a view says nothing and only reads,
    WRITE where it writes."""

    message = "your token or account does not have the scope that this needs"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether this actor may call this view."""
        needs = getattr(view, "needs", None)
        default = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        return actor_of(request).may(needs(request) if needs else default)
