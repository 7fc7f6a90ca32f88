"""What came with a form of the portal, until it hangs on a message."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.annotations import files as filing
from watchkeeper.domains.desk.conversation import Attachment


def attachment(upload: filing.Uploaded) -> Attachment:
    """An upload as an attachment. Raises Invalid for a name that is not kept."""
    return Attachment(filing.fit_name(upload.name or ""), upload.content)


def uploads_of(request: Any) -> list[Attachment]:
    """The files of a request that is within `receiving`. Raises what went wrong with one of them."""
    found = [f for f in request.FILES.getlist("files") if isinstance(f, filing.Uploaded)]
    for handler in request.upload_handlers:
        if (error := getattr(handler, "error", None)) is not None:
            raise error
    return [attachment(f) for f in found]
