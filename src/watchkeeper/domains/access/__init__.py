"""Who may do what: organisations, teams, roles and grants, and the policies that say what a role may do.

`home_of(user)` is the page that their role begins with, `roles_of(user)` what they are now; `explain` and `who`
answer what `asked` has understood. That decisions are asked here is app's choice; see kernel.permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.access.explaining import actions_of, asked, explain, home_of, roles_of, who

__all__ = ["actions_of", "asked", "explain", "home_of", "roles_of", "who"]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in __all__:
        raise AttributeError(name)
    from watchkeeper.domains.access import explaining

    return getattr(explaining, name)
