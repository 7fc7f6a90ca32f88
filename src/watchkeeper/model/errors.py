"""What can go wrong on the way of a signal, as types: the sender's fault, or ours, and what to answer."""

from __future__ import annotations


class WatchkeeperError(Exception):
    """Base of all errors of ours. `status` is the HTTP status a door answers with, `reason` a short
    machine word that is counted in metrics and shown in the dead-letter table."""

    status = 500
    reason = "internal"

    def __init__(self, detail: str, *, reason: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if reason is not None:
            self.reason = reason


class Malformed(WatchkeeperError):
    """The bytes are not what the protocol says. Nothing of them was taken."""

    status = 400
    reason = "malformed"


class Unauthorised(WatchkeeperError):
    """No key, a wrong key, or one that may not use this door. `key` is the id of the key that was shown, "" when nobody
    knows it."""

    status = 401
    reason = "unauthorised"

    def __init__(self, detail: str, *, reason: str | None = None, key: str = "") -> None:
        super().__init__(detail, reason=reason)
        self.key = key


class TooLarge(WatchkeeperError):
    """Bigger than the door takes, before or after decompression."""

    status = 413
    reason = "too_large"


class UnsupportedMedia(WatchkeeperError):
    """A content type or encoding the door does not speak."""

    status = 415
    reason = "unsupported_media"


class RateLimited(WatchkeeperError):
    """This key sends more than it may. `retry_after` in seconds."""

    status = 429
    reason = "rate_limited"

    def __init__(self, detail: str, *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class TooManySeries(RateLimited):
    """No room for a new metric series: in all, of this name, or for this key."""

    reason = "too_many_series"


class JournalFull(WatchkeeperError):
    """The journal has reached its bound because consumers lag. Try again later."""

    status = 503
    reason = "journal_full"
    retry_after = 5.0


class DiskFull(WatchkeeperError):
    """The disk under the journal is full. Nothing was acknowledged."""

    status = 507
    reason = "disk_full"
    retry_after = 10.0
