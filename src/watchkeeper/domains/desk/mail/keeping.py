"""Attachments of a mail on their way to the files of a record: what is kept, and why something is not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

import puremagic
from django.conf import settings

from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.files import fit_name, let_go
from watchkeeper.domains.desk.conversation.saying import Attachment
from watchkeeper.domains.desk.mail.reading import Part
from watchkeeper.kernel.problems import Invalid
from watchkeeper.model.errors import TooLarge

_PROGRAMS = frozenset(
    (".exe", ".dll", ".elf", ".scr", ".com", ".class", ".dex", ".msi", ".so", ".dylib", ".lnk", ".bat")
)
_HEAD = 4096  # bytes by which the type is found


def keep(parts: Iterable[Part]) -> tuple[list[Attachment], list[str]]:
    """Store what may be kept; sentences about what may not. To be called outside of a transaction; `let_go` what was
    stored when nothing comes to refer to it."""
    kept: list[Attachment] = []
    left_out: list[str] = []
    for part in parts:
        try:
            kept.append(_stored(part))
        except (TooLarge, Invalid) as error:
            left_out.append(
                f"Attachment not kept: {_called(part)} ({_size(len(part.data))}): {error.detail}"[:500]
            )
    return kept, left_out


def give_up(kept: Iterable[Attachment]) -> None:
    """Remove what was stored, unless something else refers to it."""
    for attachment in kept:
        let_go(attachment.content.sha256)


def _stored(part: Part) -> Attachment:
    """Raises TooLarge, Invalid, or DiskFull."""
    kinds = _kinds(part.data[:_HEAD])
    if kinds & _PROGRAMS:
        raise Invalid("it is a program")
    name = fit_name(_named(part, kinds))
    if len(part.data) > settings.FILE_SIZE:
        raise TooLarge(f"a file may have {_size(settings.FILE_SIZE)}")
    writing = storing.Writing(settings.FILES, settings.FILE_SIZE)
    writing.take(part.data)
    return Attachment(name, writing.keep())


def _kinds(head: bytes) -> set[str]:
    """How names of such contents may end, as far as the beginning of a content tells."""
    if head.startswith((b"MZ", b"\x7fELF")):  # whatever follows: libraries ask for more than that
        return {".exe"}
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return set()
    return {match.extension.lower() for match in found[:1]}


def _named(part: Part, kinds: set[str]) -> str:
    """Its name, with the ending that its content or its type has where it has none."""
    if PurePosixPath(part.name).suffix:
        return part.name
    by_type = {"text/plain": ".txt", "text/csv": ".csv", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif",
               "application/pdf": ".pdf", "message/rfc822": ".eml", "application/json": ".json"}  # fmt: skip
    known = sorted(k for k in kinds if k.lstrip(".") in settings.FILE_TYPES)
    return f"{part.name}{known[0] if known else by_type.get(part.type, '')}"


def _called(part: Part) -> str:
    return part.name or "an attachment"


def _size(size: int) -> str:
    return f"{size / 1024**2:.1f} MiB" if size >= 1024**2 else f"{max(1, size // 1024)} KiB"
