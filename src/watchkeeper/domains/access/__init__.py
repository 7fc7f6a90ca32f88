"""Who may do what: organisations, teams, roles and grants, and the policies that say what a role may do.

`home_of(user)` is the page that their role begins with, `roles_of(user)` what they are now, `is_customer(user)` whether
the portal is all they see; `explain` and `who` answer
what `asked` has understood,
`effect` and `simulation` what a draft of a policy would change, `difference` compares texts. `own_grants` and
`summary` are for the pages of access.
`active_emergencies` is for the banner of every page, `Keeper` does what is due. That decisions are asked here is
app's choice; see kernel.permissions. `place` gives teams and roles by an identity provider's groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.access.at_a_glance import own_grants, summary
    from watchkeeper.domains.access.authority import is_customer
    from watchkeeper.domains.access.emergencies import active as active_emergencies
    from watchkeeper.domains.access.explaining import actions_of, asked, explain, home_of, who
    from watchkeeper.domains.access.granting import known_attributes
    from watchkeeper.domains.access.keeping import Keeper
    from watchkeeper.domains.access.placing import place, roles_of
    from watchkeeper.domains.access.policies import difference, effect, simulation

__all__ = [
    "Keeper",
    "actions_of",
    "active_emergencies",
    "asked",
    "difference",
    "effect",
    "explain",
    "home_of",
    "is_customer",
    "known_attributes",
    "own_grants",
    "place",
    "roles_of",
    "simulation",
    "summary",
    "who",
]
_ELSEWHERE = {
    "Keeper": ("keeping", "Keeper"),
    "active_emergencies": ("emergencies", "active"),
    "difference": ("policies", "difference"),
    "effect": ("policies", "effect"),
    "is_customer": ("authority", "is_customer"),
    "known_attributes": ("granting", "known_attributes"),
    "own_grants": ("at_a_glance", "own_grants"),
    "place": ("placing", "place"),
    "roles_of": ("placing", "roles_of"),
    "simulation": ("policies", "simulation"),
    "summary": ("at_a_glance", "summary"),
}


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in __all__:
        raise AttributeError(name)
    from importlib import import_module

    module, found = _ELSEWHERE.get(name, ("explaining", name))
    return getattr(import_module(f"{__name__}.{module}"), found)
