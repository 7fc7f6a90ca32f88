"""Decisions about what a provider says of a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST_GROUPS = 2000
_UNFIT = re.compile(r"[^\w.@+-]")


def first(said: Mapping[str, Any], name: str) -> str:
    """What is said under a name, as one text; of several values the first. `name` may be a path, as in
    `realm_access.roles`.

    >>> first({"mail": ["ann@example.org", "a@example.org"]}, "mail"), first({}, "mail")
    ('ann@example.org', '')
    """
    found = _under(said, name)
    if isinstance(found, list | tuple):
        found = found[0] if found else ""
    return str(found).strip() if isinstance(found, str | int) else ""


def every(said: Mapping[str, Any], name: str) -> frozenset[str]:
    """All texts that are said under a name.

    >>> sorted(every({"realm_access": {"roles": ["ops", "dev"]}}, "realm_access.roles"))
    ['dev', 'ops']
    """
    found = _under(said, name)
    values = found if isinstance(found, list | tuple) else [found]
    return frozenset(str(v) for v in values[:MOST_GROUPS] if isinstance(v, str) and v)


def _under(said: Mapping[str, Any], name: str) -> Any:
    if not name:
        return None
    if name in said:
        return said[name]
    inner: Any = said
    for part in name.split("."):
        inner = inner.get(part) if isinstance(inner, Mapping) else None
    return inner


def username_of(text: str) -> str:
    """A user name as ours may be: letters, digits and @ . + - _

    >>> username_of("Ann Müller"), username_of("ann@example.org")
    ('Ann_Müller', 'ann@example.org')
    """
    return _UNFIT.sub("_", text.strip())[:150]


#: attributes of SAML as their registries call them, and as people do
_KNOWN_AS = {
    "urn:oid:0.9.2342.19200300.100.1.1": "uid",
    "urn:oid:0.9.2342.19200300.100.1.3": "mail",
    "urn:oid:2.16.840.1.113730.3.1.241": "displayName",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": "eduPersonPrincipalName",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1": "memberOf",
    "urn:oasis:names:tc:SAML:attribute:subject-id": "subject-id",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "uid",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "mail",
    "http://schemas.microsoft.com/identity/claims/displayname": "displayName",
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "subject-id",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups": "memberOf",
}
_MACE = "urn:mace:dir:attribute-def:"


def in_plain_names(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What SAML says, also under the short names of well-known attributes.

    >>> in_plain_names({"urn:oid:0.9.2342.19200300.100.1.1": ["ann"]})["uid"]
    ['ann']
    """
    short = {_KNOWN_AS.get(n, n.removeprefix(_MACE)): v for n, v in attributes.items()}
    return {**short, **attributes}
