"""Who else may vouch for people: OpenID Connect, SAML and LDAP; what of their groups counts here; who needs a
second factor; and users and groups that a directory provisions by SCIM.

For the console: `offered` (the sign-in buttons), `directories` (whom to ask for a password), `confirm` and
`confirmed` (somebody is still who they say, before a SENSITIVE act; in REST `require_confirmed`), `factors_of` and
`required_of` (second factors that somebody has and needs). For the API: scim_storage. For django-allauth: adapters and
stages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.federation.confirming import SENSITIVE, confirm, confirmed, require_confirmed
    from watchkeeper.domains.federation.elsewhere import directories
    from watchkeeper.domains.federation.providers import offered
    from watchkeeper.domains.federation.second_factor import factors_of, required_of

_WHERE = {
    "SENSITIVE": "confirming",
    "confirm": "confirming",
    "confirmed": "confirming",
    "directories": "elsewhere",
    "factors_of": "second_factor",
    "offered": "providers",
    "require_confirmed": "confirming",
    "required_of": "second_factor",
}
__all__ = [
    "SENSITIVE",
    "confirm",
    "confirmed",
    "directories",
    "factors_of",
    "offered",
    "require_confirmed",
    "required_of",
]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
