"""What a password has to be: long enough, unlike its user, not among the common ones, and in no known breach."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from watchkeeper.kernel.problems import Invalid

FILE = "breached-passwords"  # in the data folder


def require_good(password: str, user: Any, field: str = "") -> None:
    """Raises Invalid with everything that is wrong with it. `field` is where it came in, where that has a name."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field) from error


class NotBreached:
    """Refuses passwords of the list that an operator has imported. Without one nothing is refused."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        """Raises ValidationError."""
        known = _list_at(settings.BREACHED_PASSWORDS)
        if known is not None and password in known:
            raise ValidationError(
                "This password is known from a data breach, so that attackers try it. Choose another one.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """For forms."""
        return "Your password must not be known from a data breach."


def _list_at(path: Path) -> Any:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return _opened(path, status.st_ino, status.st_mtime_ns)


@lru_cache(maxsize=1)
def _opened(path: Path, _: int, __: int) -> Any:
    from watchkeeper.domains.identity.breaches import Filter

    return Filter.open(path)
