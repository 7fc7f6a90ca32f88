"""Asks a directory whether a name and password belong together, by django-auth-ldap. Needs the extra [ldap]."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from watchkeeper.domains import identity
from watchkeeper.domains.federation.arriving import Arrival, NotLetIn, welcome
from watchkeeper.domains.federation.models import LdapDirectory
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.outgoing import outbound

try:
    import ldap
    from django_auth_ldap import config
    from django_auth_ldap.backend import LDAPBackend, LDAPSettings, _LDAPUser
except ImportError:  # the extra is not installed
    ldap = None

SECONDS = 5  # for each step
_log = logging.getLogger(__name__)
_DISABLED = 2  # of Active Directory's userAccountControl
_EPOCH = dt.date(1970, 1, 1)


def ask(one: LdapDirectory, address: str, username: str, password: str) -> User | None:
    """The user, as the directory describes them; None when it knows no such name and password, or does not answer.
    Raises NotLetIn for somebody whom it knows and who has no account here."""
    if ldap is None:
        _log.error("the directory %s is not asked: install watchkeeper[ldap]", one.slug)
        return None
    parts = urlsplit(one.server)
    try:
        outbound.check(parts.hostname or "", parts.port or (636 if parts.scheme == "ldaps" else 389))
    except (outbound.NotAllowed, outbound.Unreachable) as error:
        _log.warning("the directory %s is not asked: %s", one.slug, error.detail)
        return None
    try:
        found: User | None = _Backend(one, address).authenticate(None, username=username, password=password)
    except NotLetIn as error:
        identity.failed(username, address, f"{one.slug}: {error.detail}")
        raise
    return found


if ldap is not None:

    class _Backend(LDAPBackend):  # type: ignore[misc]
        """For one directory."""

        def __init__(self, one: LdapDirectory, address: str) -> None:
            self._one, self._address = one, address
            self.settings = LDAPSettings(self.settings_prefix, _settings(one))

        def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
            """Raises NotLetIn, or AuthenticationFailed for somebody who was switched off there."""
            said = {k: list(v) for k, v in ldap_user.attrs.items()}
            if disabled(said, dt.date.today()):
                raise _LDAPUser.AuthenticationFailed(f"{username} is disabled")
            groups = frozenset(_both(ldap_user)) if self._one.group_base else frozenset()
            return welcome(
                Arrival(self._one, _lasting_id(said, ldap_user.dn), said, True, groups), self._address
            ), False


def disabled(said: dict[str, list[Any]], today: dt.date) -> bool:
    """Whether the directory's own marks say that this account is switched off or has expired.

    >>> disabled({"useraccountcontrol": ["514"]}, dt.date(2026, 1, 1)), disabled({}, dt.date(2026, 1, 1))
    (True, False)
    """
    marks = {k.lower(): str(v[0]) for k, v in said.items() if v}
    control, expires = marks.get("useraccountcontrol", "0"), marks.get("shadowexpire", "-1")
    ended = expires.isdigit() and _EPOCH + dt.timedelta(days=min(int(expires), 2_000_000)) <= today
    locked = marks.get("nsaccountlock", "").lower() == "true" or "pwdaccountlockedtime" in marks
    return bool(control.isdigit() and int(control) & _DISABLED) or ended or locked


def _both(ldap_user: Any) -> set[str]:
    """Groups by their names and by their DNs: mappings may name either."""
    return set(ldap_user.group_names) | set(ldap_user.group_dns)


def _lasting_id(said: dict[str, list[Any]], dn: str) -> str:
    """What stays when somebody is renamed or moved."""
    known = {k.lower(): v[0] for k, v in said.items() if v}
    for name in ("entryuuid", "objectguid", "ipauniqueid", "nsuniqueid"):
        if name in known:
            value = known[name]
            return value.hex() if isinstance(value, bytes) else str(value)
    return dn


def _settings(one: LdapDirectory) -> dict[str, Any]:
    kinds = {
        "member": config.GroupOfNamesType(),
        "nested": config.NestedMemberDNGroupType("member"),
        "posix": config.PosixGroupType(),
    }
    classes = {"posix": "(objectClass=posixGroup)"}
    made: dict[str, Any] = {
        "SERVER_URI": one.server,
        "START_TLS": one.start_tls and one.server.startswith("ldap://"),
        "BIND_DN": one.bind_dn,
        "BIND_PASSWORD": one.bind_password or "",
        "USER_SEARCH": config.LDAPSearch(one.user_base, ldap.SCOPE_SUBTREE, one.user_filter),
        "USER_ATTRLIST": ["*", "entryUUID", "pwdAccountLockedTime"],
        "ALWAYS_UPDATE_USER": False,
        "FIND_GROUP_PERMS": False,
        "PERMIT_EMPTY_PASSWORD": False,
        "CONNECTION_OPTIONS": _options(one),
    }
    if one.group_base:
        wanted = classes.get(one.group_type, "(|(objectClass=groupOfNames)(objectClass=group))")
        made["GROUP_TYPE"] = kinds[one.group_type or "member"]
        made["GROUP_SEARCH"] = config.LDAPSearch(one.group_base, ldap.SCOPE_SUBTREE, wanted)
    return made


def _options(one: LdapDirectory) -> dict[int, Any]:
    options = {
        ldap.OPT_NETWORK_TIMEOUT: SECONDS,
        ldap.OPT_TIMEOUT: SECONDS,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
    }
    if one.certificate:
        options[ldap.OPT_X_TLS_CACERTFILE] = str(_file(one.certificate))
    options[ldap.OPT_X_TLS_NEWCTX] = 0  # last: it takes the ones before
    return options


def _file(certificate: str) -> Path:
    """libldap reads certificates from files."""
    name = f"ldap-{hashlib.sha256(certificate.encode()).hexdigest()[:16]}.pem"
    path: Path = settings.DATA / name
    if not path.exists():
        path.write_text(certificate)
    return path
