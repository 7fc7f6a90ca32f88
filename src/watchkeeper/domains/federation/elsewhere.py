"""Directories that are asked with the name and password of the sign-in form. The work is in `ldap`, which needs the
extra [ldap]."""

from __future__ import annotations

from functools import partial

from watchkeeper.domains.federation.models import LdapDirectory
from watchkeeper.domains.identity.signing_in import Directory


def directories(address: str = "") -> list[Directory]:
    """One function for each that is switched on."""
    found = list(LdapDirectory.objects.filter(enabled=True).order_by("name"))
    if not found:
        return []
    from watchkeeper.domains.federation.ldap import ask

    return [partial(ask, one, address) for one in found]
