"""An error of ours as gRPC and Google's APIs tell it: code, google.rpc.Status, and when to try again. Encodes the few
bytes itself: the messages are not among OpenTelemetry's."""

from __future__ import annotations

import base64
from urllib.parse import quote

from watchkeeper.model.errors import WatchkeeperError

OK, UNKNOWN = 0, 2
#: HTTP status → google.rpc.Code. A full disk is UNAVAILABLE: clients send again after that.
_CODES = {400: 3, 401: 16, 408: 4, 413: 8, 415: 3, 429: 8, 500: 13, 501: 12, 503: 14, 507: 14}
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Unimplemented(WatchkeeperError):
    """A method, or an encoding of messages, that is not served here."""

    status = 501
    reason = "unimplemented"


def code(error: WatchkeeperError) -> int:
    """The google.rpc.Code of an error."""
    return _CODES.get(error.status, UNKNOWN)


def status(error: WatchkeeperError, details: bytes = b"") -> bytes:
    """A google.rpc.Status; `details` are its field of that name."""
    message = error.detail.encode("utf-8", "replace")[:1000]
    return b"\x08%c" % code(error) + _field(2, message) + details


def trailers(error: WatchkeeperError) -> list[tuple[str, str]]:
    """The trailers of a call that failed. With a time to wait, clients of OTLP try again after it, also what was
    refused as too much; the one of Python reads that from a trailer of its own."""
    out = [
        ("grpc-status", str(code(error))),
        ("grpc-message", quote(error.detail[:1000], safe=_PLAIN, errors="replace")),
    ]
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        seconds, nanos = divmod(max(1, round(retry_after * 1e9)), 10**9)
        retry = _field(1, b"\x08" + _varint(seconds) + b"\x10" + _varint(nanos))
        details = _field(3, _field(1, _RETRY_INFO) + _field(2, retry))
        out.append(("grpc-status-details-bin", _binary(status(error, details))))
        out.append(("google.rpc.retryinfo-bin", _binary(retry)))
    return out


def _binary(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def _field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))
