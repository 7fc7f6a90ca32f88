"""One request at an HTTP door, from its key to its answer: who sends, how much, decode, journal, and then
the acknowledgement. Knows no protocol; each brings its row of the table (http.HttpDoor).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import hdrs, web

from watchkeeper.model.doors import IntakeKey, Keyring
from watchkeeper.model.errors import (
    Malformed,
    RateLimited,
    TooLarge,
    Unauthorised,
    UnsupportedMedia,
    WatchkeeperError,
)
from watchkeeper.receivers.body import receive, unpack
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorCounters, DoorStats
from watchkeeper.receivers.forwarding import Forwarding
from watchkeeper.receivers.http import Answer, Decode, Entries, Group, HttpDoor, Taken
from watchkeeper.receivers.limits import Allowance, Limits, RateLimiter
from watchkeeper.receivers.series import SeriesTable

KEY_HEADER = "X-Watchkeeper-Key"
SERVER: dict[str, str] = {hdrs.SERVER: "Watchkeeper"}
FAULT_SECONDS = 10.0
_CHALLENGES = ('Bearer realm="watchkeeper"', 'Basic realm="watchkeeper"')


@dataclass(slots=True)
class Intake:
    """What all HTTP doors of a process share."""

    keyring: Keyring
    group: Group
    series: SeriesTable
    stats: DoorStats
    letters: DeadLetters
    limiter: RateLimiter
    allowance: Allowance
    limits: Limits
    now_ms: Callable[[], int]
    executor: Executor
    forwarding: Forwarding
    monotonic: Callable[[], float]
    _fault: tuple[str, float] = ("", 0.0)  # why the journal last took nothing, and until when that is news

    def fault(self) -> str:
        """Why the journal takes nothing: its last answer of the last ten seconds; "" when it does."""
        text, until = self._fault
        return text if self.monotonic() < until else ""

    async def serve(self, request: web.BaseRequest, door: HttpDoor, given: str = "") -> web.Response:
        """Take one request in and answer it; `given` is the key that stood in the path."""
        counters = self.stats.door(door.name)
        content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
        counters.in_flight += 1
        try:
            with self.allowance.lend() as take:
                answer = await self._take(request, door, counters, content_type, given, take)
            return _response(answer)
        except WatchkeeperError as error:
            counters.reject(error.reason)
            return refusal(door.refuse(error, content_type), error)
        finally:
            counters.in_flight -= 1

    async def _take(
        self,
        request: web.BaseRequest,
        door: HttpDoor,
        counters: DoorCounters,
        content_type: str,
        given: str,
        take: Callable[[int], None],
    ) -> Answer:
        address = self.forwarding.address(request)
        late = door.key_in is not None and not _names_key(request)
        key = None if late else self.admit(given or secret(request.headers), door, address)
        encoding = _check_media(door, content_type, request.headers.get(hdrs.CONTENT_ENCODING, ""))
        await _continue(request)
        raw = b""
        try:
            raw = await _receive(request, self._limits_of(door), take)
            if key is None:
                key = self.admit(self._key_in(door, raw, encoding), door, address)
        except (Malformed, TooLarge) as error:
            if key is not None:  # what strangers send is not kept
                await self._bury_whole(counters, key, address, error, raw)
            raise
        decode = _decode_of(door, key, request)
        taken = await self.take_in(door.name, decode, key, address, raw, encoding, content_type)
        return door.accept(taken, content_type)

    async def take_in(
        self,
        door: str,
        decode: Decode,
        key: IntakeKey,
        address: str,
        raw: bytes,
        encoding: str,
        content_type: str,
    ) -> Taken:
        """A whole body from decompression to the disk, counted. Raises what decoding and the journal raise."""
        counters, now_ms = self.stats.door(door), self.now_ms()
        sender = counters.sender(key.id)
        try:
            taken = await self._decode(decode, key, raw, encoding, content_type, now_ms)
        except (Malformed, TooLarge) as error:
            await self._bury_whole(counters, key, address, error, raw)
            raise
        except (RateLimited, UnsupportedMedia) as error:
            sender.refuse(error.reason, error.detail, now_ms)
            raise
        self.limiter.charge(key, taken.rows)
        counters.ages.saw_batches(taken.entries, now_ms)
        # A sender that has gone away changes nothing for what is on its way to the disk.
        await asyncio.shield(self._submit(taken.entries, now_ms))
        counters.accept(taken.rows, len(raw), now_ms)
        sender.accept(taken.entries, address, now_ms)
        if taken.after is not None:
            taken.after()
        for reason, count in taken.rejected.items():
            counters.reject(reason, count)
            sender.refuse(reason, taken.message, now_ms, count)
        if taken.letters:
            await self._bury(counters, key, address, taken.letters, now_ms)
        return taken

    async def _bury_whole(
        self, counters: DoorCounters, key: IntakeKey, address: str, error: WatchkeeperError, raw: bytes
    ) -> None:
        counters.sender(key.id).refuse(error.reason, error.detail, self.now_ms())
        letter = Letter(error.reason, error.detail, raw)
        await self._bury(counters, key, address, [letter], self.now_ms())

    def admit(self, given: str, door: HttpDoor, address: str) -> IntakeKey:
        """The key with this secret. Raises Unauthorised, RateLimited."""
        counters, known = self.stats.door(door.name), ""
        try:
            key = self.keyring.by_secret(given, door.name, address)
            known = key.id
            self.limiter.check(key)
        except (Unauthorised, RateLimited) as error:
            if known := known or getattr(error, "key", ""):
                counters.sender(known).refuse(error.reason, error.detail, self.now_ms())
            raise
        return key

    def _limits_of(self, door: HttpDoor) -> Limits:
        return replace(self.limits, body=min(door.most, self.limits.body)) if door.most else self.limits

    def _key_in(self, door: HttpDoor, raw: bytes, encoding: str) -> str:
        assert door.key_in is not None
        return door.key_in(unpack(raw, encoding, door.most or self.limits.inline))

    async def _decode(
        self, decode: Decode, key: IntakeKey, raw: bytes, encoding: str, content_type: str, now_ms: int
    ) -> Taken:
        """Decompress and decode: small bodies here, large ones in a thread so that others are served."""

        def work(limit: int) -> Taken:
            body = unpack(raw, encoding, limit)
            with self.series.on_behalf(key):
                return decode(body, content_type, now_ms)

        inline = self.limits.inline
        if len(raw) <= inline:
            try:
                body = unpack(raw, encoding, min(inline, self.limits.decoded))
            except TooLarge:
                pass  # a small body that becomes a large one
            else:
                with self.series.on_behalf(key):
                    return decode(body, content_type, now_ms)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, work, self.limits.decoded)

    async def _submit(self, entries: Entries, now_ms: int) -> None:
        """Journal the entries behind the series they need. Raises JournalFull, DiskFull."""
        self.series.age(now_ms)
        with self.series.declaring() as declared:
            if not entries and not declared:
                return
            try:
                await self.group.submit([*declared, *entries])
            except WatchkeeperError as error:
                self._fault = (error.detail, self.monotonic() + FAULT_SECONDS)
                raise
        self._fault = ("", 0.0)

    async def _bury(
        self, counters: DoorCounters, key: IntakeKey, address: str, letters: list[Letter], now_ms: int
    ) -> None:
        """Keep what could not be parsed, if there is room; the sender's answer does not depend on it."""
        rows = self.letters.rows(counters, f"{key.name} ({address})", letters, now_ms)
        if not rows:
            return
        try:
            await asyncio.shield(self.group.submit(rows))
        except WatchkeeperError as error:
            self._fault = (error.detail, self.monotonic() + FAULT_SECONDS)
            kept = rows[0][1].num_rows
            counters.letters_kept -= kept
            counters.letters_dropped += kept


def secret(headers: Mapping[str, str]) -> str:
    """The intake key among the headers of a request, whose names are found in any case: X-Watchkeeper-Key, a bearer
    token, or basic authentication's password. Raises Unauthorised when there is none."""
    if own := headers.get(KEY_HEADER):
        return own.strip()
    scheme, _, value = headers.get(hdrs.AUTHORIZATION, "").strip().partition(" ")
    match scheme.lower():
        case "bearer" if value.strip():
            return value.strip()
        case "basic":
            try:
                _, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise Unauthorised("the basic authentication cannot be read") from error
            if colon and password:
                return password
    raise Unauthorised(
        "send an intake key as bearer token, as password of basic authentication, or in X-Watchkeeper-Key"
    )


def _decode_of(door: HttpDoor, key: IntakeKey, request: web.BaseRequest) -> Decode:
    if door.decode_for is not None:
        return partial(door.decode_for, key)
    if door.decode_headers is not None:
        return partial(door.decode_headers, request.headers)
    return door.decode


def _names_key(request: web.BaseRequest) -> bool:
    return KEY_HEADER in request.headers or hdrs.AUTHORIZATION in request.headers


def refusal(answer: Answer, error: WatchkeeperError) -> web.Response:
    """An error's answer with the headers that belong to it."""
    response = _response(answer)
    if isinstance(error, Unauthorised):
        for challenge in _CHALLENGES:
            response.headers.add(hdrs.WWW_AUTHENTICATE, challenge)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(max(1, math.ceil(retry_after)))
    if answer.status == 408 or error.reason == "malformed_http":
        response.force_close()  # where the next request would begin is not known
    return response


def _response(answer: Answer) -> web.Response:
    headers = {**SERVER, **answer.headers}
    if answer.content_type:
        headers[hdrs.CONTENT_TYPE] = answer.content_type
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


def _check_media(door: HttpDoor, content_type: str, encoding: str) -> str:
    """The encoding to undo. Raises UnsupportedMedia."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in door.content_types:
        what = f"content type {media[:100]!r}" if media else "a request without content type"
        raise UnsupportedMedia(f"{what} is not taken here, only {', '.join(door.content_types)}")
    encoding = encoding.strip().lower() or "identity"
    if encoding.removeprefix("x-") not in door.encodings:
        raise UnsupportedMedia(
            f"Content-Encoding {encoding[:60]!r} is not taken here, only {', '.join(door.encodings)}",
            reason="unsupported_encoding",
        )
    return encoding


async def _continue(request: web.BaseRequest) -> None:
    """Let a client that asked first send its body (RFC 9110, 10.1.1)."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _receive(request: web.BaseRequest, limits: Limits, take: Callable[[int], None]) -> bytes:
    try:
        return await receive(request.content, request.content_length, limits, take)
    except web.RequestPayloadError as error:
        raise Malformed(f"the body is not valid HTTP: {error}", reason="malformed_http") from error
