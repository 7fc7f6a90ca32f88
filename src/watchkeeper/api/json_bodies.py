"""JSON bodies, tamed at the door: bounded in size and depth, no name twice, and of text that every database can hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

import msgspec
from django.conf import settings
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from watchkeeper.model.errors import TooLarge

_DEPTH = 64  # arrays and objects within one another


class Json(BaseParser):
    """`application/json`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """The document. Raises ParseError, ValidationError or TooLarge."""
        body: bytes = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge("the body is larger than this takes")
        if b"\\u0000" in body:
            raise ParseError("JSON: no text may contain NUL")
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(f"JSON: {error}") from error
        if _deeper(document, _DEPTH):
            raise ParseError(f"JSON: nested more than {_DEPTH} deep")
        json.loads(body, object_pairs_hook=_once)  # msgspec takes the last of a name and says nothing
        return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValidationError naming what an object has twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        often = Counter(name for name, _ in pairs)
        twice = next(name for name, count in often.items() if count > 1)
        raise ValidationError({twice: ["It is there twice."]})
    return made


def _deeper(value: Any, than: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return than == 0 or any(_deeper(v, than - 1) for v in inner if isinstance(v, (dict, list)))
