"""Signed links in messages: whoever has one may acknowledge that page, without signing in, until it expires."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing

LIFE = dt.timedelta(days=2)
_PAGE, _DELIVERY = "oncall.page", "oncall.delivery"


class BadLink(Exception):
    """Not one of ours, or too old; the message is a sentence for whoever followed it."""


def to_page(page: int) -> str:
    """The address at which this page can be acknowledged."""
    return f"{settings.PUBLIC_URL}/page/{signing.dumps(page, salt=_PAGE)}/"


def to_delivery(delivery: int) -> str:
    """The address at which a provider tells how this delivery went."""
    return f"{settings.PUBLIC_URL}/page/{signing.dumps(delivery, salt=_DELIVERY)}/delivered/"


def page_of(token: str) -> int:
    """The page that a link is for. Raises BadLink."""
    return _read(token, _PAGE)


def delivery_of(token: str) -> int:
    """The delivery that a provider tells of. Raises BadLink."""
    return _read(token, _DELIVERY)


def _read(token: str, salt: str) -> int:
    try:
        return int(signing.loads(token, salt=salt, max_age=LIFE))
    except signing.SignatureExpired as error:
        raise BadLink("This link has expired. Sign in to see what is going on.") from error
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadLink("This link is not complete, or not one of ours. Copy all of it.") from error


def host() -> str:
    """The name under which people know this installation."""
    return urlsplit(settings.PUBLIC_URL).hostname or "watchkeeper"
