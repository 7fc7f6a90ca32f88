"""Files of records, declared: what may be uploaded, how it is kept with its record, and how it is given back.

An upload goes through `Uploading`, which writes the content to its place while it arrives, so that no file is held in
memory or in a temporary folder that may be smaller.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import StreamingHttpResponse

from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.attaching import held_by
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.annotations.storing import Content
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid, NotThere, Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.model.errors import WatchkeeperError

#: how a file's name may end → what it is sent as
TYPES = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "txt": "text/plain", "log": "text/plain", "md": "text/markdown", "csv": "text/csv",
    "json": "application/json", "yaml": "application/yaml", "yml": "application/yaml", "conf": "text/plain",
    "cfg": "text/plain", "ini": "text/plain", "pcap": "application/vnd.tcpdump.pcap", "pcapng": "application/x-pcapng",
    "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip", "xz": "application/x-xz",
    "zst": "application/zstd", "eml": "message/rfc822", "har": "application/json", "drawio": "application/octet-stream",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "vsdx": "application/vnd.ms-visio.drawing", "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet", "odp": "application/vnd.oasis.opendocument.presentation",
}  # fmt: skip


class Uploaded(UploadedFile):
    """A file that has been received; its content lies in its place already."""

    def __init__(self, name: str, content: Content) -> None:
        super().__init__(None, name, size=content.size)
        self.content = content

    def close(self) -> None:
        """There is nothing to close."""


class Uploading(FileUploadHandler):
    """Receives the files of one request. What goes wrong with one is kept in `error`, and the rest is read away."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.error: WatchkeeperError | OSError | None = None
        self.contents: list[Content] = []
        self._writing: storing.Writing | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """The next file begins."""
        super().new_file(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._try(self._begin)

    def _begin(self) -> None:
        fit_name(self.file_name or "")
        self._writing = storing.Writing(settings.FILES, settings.FILE_SIZE)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        """Nothing is left to other handlers."""
        self._try(lambda: self._writing.take(raw_data) if self._writing else None)

    def file_complete(self, file_size: int) -> UploadedFile | None:  # noqa: ARG002
        """What was received."""
        if self._writing is None:
            return None
        writing, self._writing = self._writing, None
        try:
            self.contents.append(writing.keep())
            return Uploaded(self.file_name or "", self.contents[-1])
        except (WatchkeeperError, OSError) as error:
            self.error = error
            return None

    def upload_interrupted(self) -> None:
        """What is not whole is given up: the sender went away, or the form cannot be read."""
        if self._writing is not None:
            self._writing.give_up()

    def _try(self, do: Any) -> None:
        try:
            do()
        except (WatchkeeperError, OSError) as error:
            self.error, self._writing = error, None
            raise SkipFile from error  # the rest is read and thrown away, so that the sender reads our answer


@contextmanager
def receiving(request: Any) -> Iterator[None]:
    """The files of this request go to their place while they arrive. What no record has at the end is removed, also when
    the request is refused after its body was read."""
    handler = Uploading(request)
    request.upload_handlers = [handler]
    try:
        yield
    finally:
        handler.upload_interrupted()
        for content in handler.contents:
            let_go(content.sha256)


def fit_name(name: str) -> str:
    """The name without folders and unprintable characters. Raises Invalid for one that may not be uploaded."""
    bare = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    bare = "".join(c for c in bare if c.isprintable()).strip()
    ending = bare.rpartition(".")[2].lower() if "." in bare.lstrip(".") else ""
    if ending not in settings.FILE_TYPES:
        raise Invalid(f"{bare or 'a file without a name'} is of no type that is kept here; "
                      f"there are: {', '.join(sorted(settings.FILE_TYPES))}", "file")  # fmt: skip
    return bare if len(bare) <= 200 else f"{bare[: 199 - len(ending)]}.{ending}"


def attach(actor: Actor, kind: str, key: str, name: str, content: Content, description: str = "") -> File:
    """The content that was stored is a file of this record. Raises ValidationError or a WatchkeeperError; then the
    content is removed again, unless another file has it."""
    resource = registry["files"]
    try:
        kind, key = held_by(actor, kind, key)
        with storing.alone(settings.FILES), transaction.atomic():
            require(actor, "create", resource, File(kind=kind, record=key))
            made = hang(actor, kind, key, name, content, description)
    finally:
        let_go(content.sha256)  # which stays if this, or another file, has it
    return made


def hang(actor: Actor, kind: str, key: str, name: str, content: Content, description: str = "") -> File:
    """The content that was stored becomes a file of this record, audited, for a caller who holds `storing.alone` and knows
    that the actor may. Raises Invalid for a name that is not kept, Refused when the content is gone."""
    made = File(kind=kind, record=key, name=fit_name(name), size=content.size, sha256=content.sha256,
                made_by=actor.name, description=description[:255])  # fmt: skip
    made.save()
    if not storing.path_of(settings.FILES, content.sha256).exists():
        raise Refused("another file with the same content was removed at this moment; upload it again")
    audit.record(actor, "file.create", made, after=audit.state_of(made) | {"sha256": content.sha256})
    return made


def let_go(sha256: str) -> None:
    """Remove a content that no file refers to."""
    with storing.alone(settings.FILES):
        if not File.objects.filter(sha256=sha256).exists():
            storing.forget(settings.FILES, sha256)


def received(request: Any) -> Uploaded:
    """The file of a request whose upload handler is an Uploading. Raises what went wrong with it, or Invalid."""
    found = request.FILES.get("file")
    for handler in request.upload_handlers:
        if getattr(handler, "error", None) is not None:
            raise handler.error
    if not isinstance(found, Uploaded):
        raise Invalid("choose a file", "file")
    return found


def download(request: Any, file: File) -> StreamingHttpResponse:
    """The content, to be saved and never shown: no browser runs what is in it. Raises NotThere."""
    path: Path = storing.path_of(settings.FILES, file.sha256)
    if not path.is_file():
        raise NotThere("the content of this file is not where files are kept; restore it from a backup")
    kind = TYPES.get(file.name.rpartition(".")[2].lower(), "application/octet-stream")
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in file.name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Length": str(file.size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    parts = storing.pieces(path)

    async def elsewhere() -> AsyncIterator[bytes]:
        while piece := await sync_to_async(
            lambda: next(parts, b"")
        )():  # read in a thread, sent by the event loop
            yield piece

    served = elsewhere() if isinstance(request, ASGIRequest) else parts
    return StreamingHttpResponse(served, content_type=kind, headers=headers)


@receiver(post_delete, sender=File)
def _gone(instance: File, **_: Any) -> None:
    """Its content goes once it is certain that the file does."""
    transaction.on_commit(partial(let_go, instance.sha256))


registry.add(
    Resource(
        model=File,
        path="files",
        name="file",
        description="Files that belong to records. POST them to /api/files/upload/; their content is at "
        "/api/files/ID/content/.",
        fields=("id", "kind", "record", "name", "description", "size", "sha256", "made_by", "made_at"),
        columns=(
            Column("name", link=True),
            Column("description"),
            Column("made_by", "Uploaded by"),
            Column("made_at", "Uploaded", Show.TIME),
        ),
        filters={"kind": ["exact"], "record": ["exact"], "sha256": ["exact"], "made_by": ["exact"]},
        search=("name", "description"),
        ordering=("name", "id"),
        orderable=("size", "made_at"),
        writable=("description",),
        allow=frozenset({"change", "remove"}),
    )
)
