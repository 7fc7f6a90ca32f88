"""The body of a request: received, decompressed and weighed within bounds. No bomb gets past here; nothing is
parsed here."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Protocol

import cramjam

from watchkeeper.model.errors import Malformed, TooLarge, UnsupportedMedia
from watchkeeper.receivers.limits import Limits, SlowClient

ENCODINGS = ("identity", "gzip", "deflate", "zstd", "snappy")
_PIECE = 256 * 1024
_MEMBERS = 64  # of one gzip body


class Source(Protocol):
    """What a body is read from: aiohttp's StreamReader."""

    async def readany(self) -> bytes:
        """The next bytes; none at the end."""
        ...


async def receive(source: Source, length: int | None, limits: Limits, take: Callable[[int], None]) -> bytes:
    """Read a whole body of `length` bytes (None: unknown). `take` is told of every byte before it is kept.

    Raises TooLarge, SlowClient, and whatever `take` or `source` raise.
    """
    if length is not None and length > limits.body:
        raise TooLarge(f"the body has {length} bytes; at most {limits.body} are taken")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_time):
            while True:
                async with asyncio.timeout(limits.idle_time):
                    piece = await source.readany()
                if not piece:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                size += len(piece)
                if size > limits.body:
                    raise TooLarge(f"the body has more than {limits.body} bytes")
                take(len(piece))
                pieces.append(piece)
    except TimeoutError as error:
        raise SlowClient(f"the body came too slowly: {size} bytes, then nothing in time") from error


def unpack(raw: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding; never makes more than about `limit` bytes.

    Raises TooLarge past the limit, Malformed, UnsupportedMedia for an encoding other than ENCODINGS.
    """
    match encoding.strip().lower():
        case "" | "identity":
            if len(raw) > limit:
                raise TooLarge(f"the body has {len(raw)} bytes; at most {limit} are taken")
            return raw
        case "gzip" | "x-gzip":
            return _inflate(raw, 16 + zlib.MAX_WBITS, limit)
        case "deflate":
            # RFC 9110 says zlib; some senders leave its two bytes of header out
            wrapped = len(raw) > 1 and raw[0] & 0x0F == 8 and (raw[0] << 8 | raw[1]) % 31 == 0
            return _inflate(raw, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limit)
        case "zstd":
            return _zstd(raw, limit)
        case "snappy":
            return _snappy(raw, limit)
    raise UnsupportedMedia(
        f"Content-Encoding {encoding[:60]!r} is not one of {', '.join(ENCODINGS)}",
        reason="unsupported_encoding",
    )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the body is larger than {limit} bytes once decompressed", reason="too_large_decompressed"
    )


def _broken(encoding: str, why: object) -> Malformed:
    return Malformed(f"the body is not {encoding}: {why}", reason="bad_compression")


def _inflate(raw: bytes, window: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    room, at, members = limit, 0, 0
    try:
        stream = zlib.decompressobj(window)
        while at < len(raw):
            given = raw[at : at + _PIECE]
            at += len(given)
            while given and not stream.eof:
                piece = stream.decompress(given, min(room + 1, _PIECE))
                room -= len(piece)
                if room < 0:
                    raise _too_large(limit)
                pieces.append(piece)
                given = stream.unconsumed_tail
            if stream.eof:  # a gzip body may have several members, and zeros behind the last
                at -= len(stream.unused_data)
                members += 1
                if not raw[at:].strip(b"\0"):
                    return b"".join(pieces)
                if members == _MEMBERS or window < 16:
                    raise _broken("gzip or deflate", "there is more behind its end")
                stream = zlib.decompressobj(window)
    except zlib.error as error:
        raise _broken("gzip or deflate", error) from error
    raise _broken("complete", "it ends in the middle")


def _zstd(raw: bytes, limit: int) -> bytes:
    # The output's size is known to the sender alone: try with little room first, then with more.
    room = min(limit, max(_PIECE, 8 * len(raw)))
    while True:
        out = bytearray(room)
        try:
            made = cramjam.zstd.decompress_into(raw, out)
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise _broken("zstd", error) from error
            if room >= limit:
                raise _too_large(limit) from error
            room = min(limit, 8 * room)
        else:
            return bytes(memoryview(out)[:made])


def _snappy(raw: bytes, limit: int) -> bytes:
    """Snappy's block format, as remote write and OTLP exporters send it."""
    try:
        if cramjam.snappy.decompress_raw_len(raw) > limit:
            raise _too_large(limit)
        return bytes(cramjam.snappy.decompress_raw(raw))
    except cramjam.DecompressionError as error:
        raise _broken("snappy", error) from error


def weigh_json(body: bytes, limit: int = 48_000_000) -> None:
    """Refuse JSON that would grow out of proportion as objects: in `[{},{},…` 3 bytes become 100.

    The weights are CPython's sizes of a dict, a list and a short string. Raises TooLarge.
    """
    if len(body) * 241 < limit:
        return
    weight = (
        len(body)
        + 240 * body.count(b"{")
        + 90 * body.count(b"[")
        + 30 * body.count(b'"')
        + 16 * body.count(b",")
    )
    if weight > limit:
        raise TooLarge("the body has too many elements; send it in parts", reason="too_many_elements")
