"""Sessions as Django keeps them, with who, where, when and with what each began. They end after IDLE without a
request, and after LIFETIME in any case. Django's SESSION_ENGINE."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DjangoStore
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.identity.rules import browser_of
from watchkeeper.kernel.acting import address_of
from watchkeeper.kernel.secrets import fingerprint

BEGAN = "began"  # what a session that somebody has signed in to remembers of that moment
SIGNING_IN = dt.timedelta(hours=1)  # how long a sign-in may take
_NOTED_EVERY = dt.timedelta(minutes=1)


class SessionStore(DjangoStore):
    """The key that travels is random; the one in the records is its hash."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Ours."""
        from watchkeeper.domains.identity.models import Session

        return Session

    def _get_session_from_db(self) -> Any:
        now = timezone.now()
        found: Any = self.model.objects.filter(session_key=self._hash(), expire_date__gt=now).first()
        if found is None:
            self._session_key = None
        elif now - found.last_seen_at > _NOTED_EVERY:
            ends = _ends(now, found.started_at, found.user_id is not None)
            # A full disk has no room for this note, which is no reason to keep anybody from reading.
            with suppress(OperationalError):
                self.model.objects.filter(pk=found.pk).update(last_seen_at=now, expire_date=ends)
        return found

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()

    def _hash(self) -> str:
        return fingerprint(self.session_key or "")

    def exists(self, session_key: str) -> bool:
        """Whether this key is taken."""
        return bool(self.model.objects.filter(pk=fingerprint(session_key)).exists())

    async def aexists(self, session_key: str) -> bool:
        """The same, from an event loop."""
        return await sync_to_async(self.exists)(session_key)

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row, with what `began` put into the session."""
        now, began = timezone.now(), data.get(BEGAN, {})
        started = dt.datetime.fromisoformat(began["at"]) if began else now
        user = data.get("_auth_user_id")
        self._get_or_create_session_key()  # type: ignore[attr-defined]
        return self.model(
            session_key=self._hash(),
            session_data=self.encode(data),
            expire_date=_ends(now, started, user is not None),
            user_id=user,
            started_at=started,
            last_seen_at=now,
            **{name: began.get(name, "") for name in ("how", "address", "browser")},
        )

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        """The same, from an event loop."""
        return await sync_to_async(self.create_model_instance)(data)

    def delete(self, session_key: str | None = None) -> None:
        """End it: at once, everywhere."""
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(pk=fingerprint(key)).delete()

    async def adelete(self, session_key: str | None = None) -> None:
        """The same, from an event loop."""
        await sync_to_async(self.delete)(session_key)


def _ends(now: dt.datetime, started: dt.datetime, known: bool) -> dt.datetime:
    if not known:
        return started + SIGNING_IN
    return min(now + settings.SESSION_IDLE, started + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE))


def began(request: HttpRequest, how: str) -> None:
    """Note in the session that it began now, from where, with which browser, and `how` one signed in."""
    request.session[BEGAN] = {
        "at": timezone.now().isoformat(),
        "how": how[:100],
        "address": address_of(request)[:64],
        "browser": browser_of(request.headers.get("User-Agent", "")),
    }


def began_at(request: HttpRequest) -> dt.datetime | None:
    """When the person of this session signed in."""
    noted = request.session.get(BEGAN)
    return dt.datetime.fromisoformat(noted["at"]) if noted else None


def own_key(request: HttpRequest) -> str:
    """The key of this request's session, as the records have it."""
    return fingerprint(request.session.session_key) if request.session.session_key else ""
