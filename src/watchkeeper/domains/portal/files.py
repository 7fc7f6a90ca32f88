"""What came with a form of the portal, until it hangs on a message; what could not be said is not kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.desk.conversation import Attachment


@contextmanager
def kept(uploads: Sequence[filing.Uploaded]) -> Iterator[list[Attachment]]:
    """These uploads as attachments. What of them no file has at the end is removed. Raises Invalid."""
    try:
        yield [Attachment(filing.fit_name(u.name or ""), u.content) for u in uploads]
    finally:
        for upload in uploads:
            filing.let_go(upload.content.sha256)


def uploads_of(request: Any) -> list[filing.Uploaded]:
    """The files of a request whose upload handler is an Uploading. Raises what went wrong with one of them."""
    found = [f for f in request.FILES.getlist("files") if isinstance(f, filing.Uploaded)]
    for handler in request.upload_handlers:
        if (error := getattr(handler, "error", None)) is not None:
            for upload in found:
                filing.let_go(upload.content.sha256)
            raise error
    return found
