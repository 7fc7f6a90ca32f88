"""Whether an address can be one of its channel, before anything is sent there."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from watchkeeper.kernel.problems import Invalid


def check_web(address: str) -> None:
    """Raises Invalid."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise Invalid("write https://host/path")


def check_mail(addresses: str) -> None:
    """Of e-mail addresses separated by commas. Raises Invalid."""
    for one in addresses.split(","):
        try:
            validate_email(one.strip())
        except ValidationError as error:
            raise Invalid(f"{one.strip()!r} is not an e-mail address") from error
