"""People, tokens and keys: who may sign in, call the API and send signals.

For the command line and the start: `create_intake_key`, `create_token`, `first_run_link`, `first_intake_key`.
For the console: `sign_in`, `check_password`, `failed`, `check_first_run`, `finish_first_run`, `change_password`,
`own_key` and `began_at` of a session, `prefer`. For whoever provisions people: `end_sessions`, `end_access`, `switch_off`.
`DatabaseKeyring` is the doors' Keyring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.domains.identity.ending import end_access, end_sessions, switch_off
    from watchkeeper.domains.identity.first_run import (
        check_first_run,
        finish_first_run,
        first_intake_key,
        first_run_link,
    )
    from watchkeeper.domains.identity.keyring import DatabaseKeyring
    from watchkeeper.domains.identity.keys import create_intake_key, create_token
    from watchkeeper.domains.identity.preferring import prefer, preference_of, zones
    from watchkeeper.domains.identity.sessions import began_at, own_key
    from watchkeeper.domains.identity.signing_in import (
        change_password,
        check_password,
        failed,
        is_user,
        sign_in,
    )

_WHERE = {
    "switch_off": "ending",
    "own_key": "sessions",
    "failed": "signing_in",
    "end_sessions": "ending",
    "end_access": "ending",
    "check_password": "signing_in",
    "began_at": "sessions",
    "DatabaseKeyring": "keyring",
    "change_password": "signing_in",
    "check_first_run": "first_run",
    "create_intake_key": "keys",
    "create_token": "keys",
    "finish_first_run": "first_run",
    "first_intake_key": "first_run",
    "first_run_link": "first_run",
    "is_user": "signing_in",
    "prefer": "preferring",
    "preference_of": "preferring",
    "sign_in": "signing_in",
    "zones": "preferring",
}
__all__ = [
    "DatabaseKeyring",
    "began_at",
    "change_password",
    "check_first_run",
    "check_password",
    "create_intake_key",
    "create_token",
    "end_access",
    "end_sessions",
    "failed",
    "finish_first_run",
    "first_intake_key",
    "first_run_link",
    "is_user",
    "own_key",
    "prefer",
    "preference_of",
    "sign_in",
    "switch_off",
    "zones",
]


def __getattr__(name: str) -> Any:
    # Django imports this package before its models can be: what needs them is imported when it is asked for.
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
