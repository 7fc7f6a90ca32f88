"""Columns that several kinds of record need: typed documents, severities, sealed secrets, milliseconds."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from watchkeeper.kernel.secrets import seal, unseal
from watchkeeper.model.verdicts import Severity

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LAST_MS = 253_402_300_799_999  # the end of year 9999, the last that a database can hold


def moment(ms: int) -> dt.datetime | None:
    """Unix milliseconds as a time in UTC; 0 is None.

    >>> moment(1700000000123).isoformat()
    '2023-11-14T22:13:20.123000+00:00'
    """
    if ms == 0:
        return None
    return _EPOCH + dt.timedelta(milliseconds=min(max(ms, 1), _LAST_MS))


def milliseconds(at: dt.datetime | None) -> int:
    """The other way; None is 0.

    >>> milliseconds(moment(1700000000123))
    1700000000123
    """
    return 0 if at is None else (at - _EPOCH) // dt.timedelta(milliseconds=1)


def storable(text: str) -> str:
    """Text as both databases can hold it: PostgreSQL knows no NUL, neither knows half a pair."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


_EMPTY: dict[Any, Any] = {dict: dict, list: list}


class StructField(models.TextField):  # type: ignore[type-arg]
    """A msgspec type, kept as JSON text. It comes back equal to what went in, on every database; it is not
    meant to be searched. `type_` may be a Struct, or a tuple, list or dict of them."""

    def __init__(self, type_: Any = None, **options: Any) -> None:
        self.type_ = type_
        options.setdefault("default", _EMPTY.get(getattr(type_, "__origin__", None), tuple))
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Migrations keep no type: the column is text."""
        name, path, args, options = super().deconstruct()
        options["default"] = None
        return name, path, args, options

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Text as the type."""
        return None if value is None else msgspec.json.decode(value, type=self.type_ or Any)

    def get_prep_value(self, value: Any) -> str | None:
        """The type as text."""
        return None if value is None else document(value)

    def value_to_string(self, obj: models.Model) -> str:
        """For fixtures."""
        return document(self.value_from_object(obj))


def document(value: Any) -> str:
    """A value as JSON text that both databases can hold."""
    text = msgspec.json.encode(value).decode()
    # A NUL as JSON writes it; the same letters after an escaped backslash are somebody's text.
    return _NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text


class SeverityField(models.SmallIntegerField):  # type: ignore[type-arg]
    """A Severity in words outside and as its rank in the database, so that it orders and compares."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("choices", [(s.value, s.value) for s in Severity])
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Migrations keep no choices."""
        name, path, args, options = super().deconstruct()
        options.pop("choices", None)
        return name, path, args, options

    def from_db_value(self, value: int | None, *_: Any) -> Severity | None:
        """The rank as a Severity."""
        return None if value is None else list(Severity)[value]

    def to_python(self, value: Any) -> Any:
        """A word as a Severity. Raises ValidationError."""
        if value is None or isinstance(value, Severity):
            return value
        try:
            return Severity(value)
        except ValueError as error:
            raise ValidationError(f"{value!r} is not one of {', '.join(Severity)}") from error

    def get_prep_value(self, value: Any) -> int | None:
        """A Severity, its word or its rank, as its rank."""
        if value is None or isinstance(value, int):
            return value
        return Severity(value).rank


class SealedField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and in its backups."""

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Unseal; the empty text is not sealed."""
        return unseal(value, settings.SECRET_KEY) if value else value

    def get_prep_value(self, value: str | None) -> str | None:
        """Seal; the empty text is not sealed."""
        return seal(value, settings.SECRET_KEY) if value else value
