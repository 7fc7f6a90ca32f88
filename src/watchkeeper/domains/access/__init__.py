"""Who may do what: organisations, teams, roles and grants, and the policies that say what a role may do.

`home_of(user)` is the page that their role begins with; `explain` and `who` answer what `asked` has
understood. `place` gives teams and roles by an identity provider's groups, `roles_of` names somebody's. That
decisions are asked here is app's choice; see kernel.permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.access.explaining import actions_of, asked, explain, home_of, who
    from watchkeeper.domains.access.placing import place, roles_of

__all__ = ["actions_of", "asked", "explain", "home_of", "place", "roles_of", "who"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in __all__:
        raise AttributeError(name)
    from watchkeeper.domains.access import explaining, placing

    return getattr(placing if name in ("place", "roles_of") else explaining, name)
