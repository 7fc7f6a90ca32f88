"""The journal in a cluster: a JetStream stream, consumers' offsets in a key-value bucket, the same promises.

How durable "stored" is, is the server's affair: see docs/explanation/journal.md. Needs nats-server 2.9 or
newer. Every process has to name the same consumers.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence

import pyarrow as pa
from nats.aio.msg import Msg
from nats.js import api
from nats.js.errors import BucketNotFoundError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from watchkeeper.journal import messages
from watchkeeper.journal.entries import READ_BYTES, JournalDamaged, pack
from watchkeeper.journal.frames import EARLIER_PER_GROUP, PER_GROUP, Offsets, entries_of, split
from watchkeeper.journal.nats_link import NatsLink
from watchkeeper.model.doors import Entry
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.signals import Stream

HEADERS = 1024  # bytes of a message that its headers may take
DUPLICATES_FOR = 120.0  # seconds for which the server knows a message id again
MISSED_RING = 1.0  # seconds after which a waiter asks the server by itself
WINDOW = 32  # messages fetched at once
RESERVED = "offsets-per-group"  # beside the consumers' offsets in the bucket; earlier versions noted none


class JetStreamJournal:
    """model.doors.Journal on NATS JetStream. May be used by many threads, and by many processes at once."""

    def __init__(
        self,
        url: str,
        name: str = "watchkeeper",
        consumers: tuple[str, ...] = ("telemetry", "analysis"),
        max_bytes: int = 2 * 1024**3,
        replicas: int = 1,
    ) -> None:
        """Connect to the server or servers (with commas between) and make the stream `name` if it is not
        there. `max_bytes` bounds what is stored. Raises JournalFull (journal_unreachable), JournalDamaged."""
        if not consumers:
            raise ValueError("a journal needs at least one consumer, else nothing is ever trimmed")
        self._name, self._consumers = name, consumers
        self._closed = False
        self._appending = threading.Lock()
        self._news = threading.Condition()
        self._rings = 0
        self._known = (0, 0)  # the stream's last sequence, and that of the last group then
        self._purged = 1
        self._link = NatsLink(url.split(","))
        try:
            self._bucket = self._link.call(self._prepare(max_bytes, replicas))
        except BaseException:
            self._link.close()
            raise

    async def _prepare(self, max_bytes: int, replicas: int) -> KeyValue:
        js = self._link.js
        config = api.StreamConfig(
            name=self._name,
            subjects=[f"{self._name}.group", f"{self._name}.part"],
            max_bytes=max_bytes,
            discard=api.DiscardPolicy.NEW,
            duplicate_window=DUPLICATES_FOR,
            num_replicas=replicas,
            allow_direct=True,
        )
        bucket = f"{self._name}-consumers"
        try:
            offsets = await js.key_value(bucket)
        except BucketNotFoundError:
            offsets = await js.create_key_value(bucket=bucket, replicas=replicas)
        try:
            found = (await js.stream_info(self._name)).config
            if (found.max_bytes, found.num_replicas) != (max_bytes, replicas):
                await js.update_stream(config)
        except NotFoundError:
            # Noted before there is a stream, so that every process finds a new one with it.
            with contextlib.suppress(KeyWrongLastSequenceError):
                await offsets.create(RESERVED, str(PER_GROUP).encode())
            await js.add_stream(config)
        reserved, _ = await self._passed(offsets, RESERVED)
        self._offsets = Offsets(reserved or EARLIER_PER_GROUP)
        await self._register(offsets)
        await self._link.client.subscribe(f"{self._name}.appended", cb=self._heard)
        return offsets

    async def _register(self, offsets: KeyValue) -> None:
        """Make consumers known. A new one begins where the slowest known one is: what lies before may be
        gone."""
        known = [await self._passed(offsets, name) for name in self._consumers]
        start = min((offset for offset, revision in known if revision), default=0)
        for name, (_, revision) in zip(self._consumers, known, strict=True):
            if not revision:
                with contextlib.suppress(KeyWrongLastSequenceError):  # another process was faster
                    await offsets.create(name, str(start).encode())
        state = (await self._link.js.stream_info(self._name)).state
        if start > self._offsets.last(state.last_seq):
            raise JournalDamaged(f"consumers have passed {start}, but stream {self._name} has begun anew")

    async def _heard(self, _: Msg) -> None:
        with self._news:
            self._rings += 1
            self._news.notify_all()

    def append(self, batches: Sequence[tuple[Stream, pa.RecordBatch]]) -> int:
        """Append together, all or none; return the last offset once the server has stored all; with nothing
        to append, the present end. Raises JournalFull (at its bound, or the server is out of reach: then it
        may have stored them), DiskFull, TooLarge, ValueError (rows of another schema)."""
        entries = pack(batches)
        if not entries:
            return self.end()
        parts = split(entries, self._link.client.max_payload - HEADERS)
        with self._appending:  # groups in parts of this process must not break each other
            return self._link.call(self._append(parts))

    async def _append(self, parts: Sequence[bytes]) -> int:
        sequence = await messages.publish(self._link.js, self._name, parts)
        await self._link.client.publish(f"{self._name}.appended")
        return self._offsets.last(sequence)

    def read(self, after: int, *, max_rows: int = 65_536) -> list[Entry]:
        """Entries with an offset over `after`, in order, of at most `max_rows` rows together, but at least
        one if there is any. An entry that is damaged comes as a dead letter at its offset."""
        return self._link.call(self._read(after, max_rows))

    async def _read(self, after: int, max_rows: int) -> list[Entry]:
        js, now_ms = self._link.js, time.time_ns() // 1_000_000
        entries: list[Entry] = []
        near: dict[int, bytes] = {}  # parts seen, until the message that completes them
        sequence, window, size = self._offsets.first_to_read(after), 1, 0
        while size < READ_BYTES and (found := await messages.following(js, self._name, sequence, window)):
            for message in found:
                if not message.parts:
                    near[message.sequence] = message.body
                    continue
                body = await messages.body(js, self._name, message, near)
                near.clear()
                for rows, entry in entries_of(self._offsets.last(message.sequence), body, now_ms):
                    if entry.offset <= after:
                        continue
                    max_rows -= rows
                    if entries and (max_rows < 0 or size >= READ_BYTES):
                        return entries
                    entries.append(entry)
                    size += entry.batch.nbytes
            sequence, window = found[-1].sequence + 1, min(window * 2, WINDOW)
        return entries

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is an entry after this offset; False when `timeout` seconds have passed or the
        journal is closed. Sleeps until an appender says that there is news."""
        deadline = time.monotonic() + timeout
        while not self._closed:
            rings = self._rings
            if self._has_after(after):
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            with self._news:
                if rings == self._rings and not self._closed:
                    self._news.wait(min(remaining, MISSED_RING))
        return False

    def _has_after(self, after: int) -> bool:
        try:
            return self._link.call(self._last_group()) > after
        except JournalFull:
            return False  # out of reach for now; the link reconnects by itself

    async def _last_group(self) -> int:
        """The last offset in the stream; 0 when it is empty."""
        state = (await self._link.js.stream_info(self._name)).state
        if not state.messages:
            return 0
        if state.last_seq != self._known[0]:
            self._known = state.last_seq, await messages.last(self._link.js, self._name)
        return self._offsets.last(self._known[1])

    def committed(self, consumer: str) -> int:
        """The last offset this consumer has said to have passed; 0 at first. Raises ValueError when there is
        no such consumer."""
        self._check(consumer)
        return self._link.call(self._passed(self._bucket, consumer))[0]

    def _check(self, consumer: str) -> None:
        if consumer not in self._consumers:
            raise ValueError(f"the journal has no consumer {consumer!r}")

    async def _passed(self, offsets: KeyValue, consumer: str) -> tuple[int, int]:
        """A consumer's offset, or RESERVED, and its revision in the bucket; 0, 0 when it is new."""
        try:
            entry = await offsets.get(consumer)
        except KeyNotFoundError:
            return 0, 0
        return int(entry.value or b"0"), entry.revision or 0

    def commit(self, consumer: str, offset: int) -> None:
        """Say that a consumer has passed an offset; what all consumers passed is trimmed. An offset that it
        had passed before changes nothing. Raises ValueError when there is no such consumer or offset."""
        self._check(consumer)
        self._link.call(self._commit(consumer, offset))

    async def _commit(self, consumer: str, offset: int) -> None:
        moved = False
        while not moved:
            passed, revision = await self._passed(self._bucket, consumer)
            if offset <= passed:
                return
            if offset > (end := await self._end()):
                raise ValueError(f"{consumer} cannot have passed {offset}: the journal ends at {end}")
            with contextlib.suppress(KeyWrongLastSequenceError):
                await self._bucket.update(consumer, str(offset).encode(), last=revision)
                moved = True
        keep = self._offsets.first_to_keep(min(await self._all_passed()))
        if keep > self._purged:
            await self._link.js.purge_stream(self._name, seq=keep)
            self._purged = keep

    async def _all_passed(self) -> list[int]:
        return [(await self._passed(self._bucket, name))[0] for name in self._consumers]

    def end(self) -> int:
        """The last offset there is; 0 when nothing was ever appended."""
        return self._link.call(self._end())

    async def _end(self) -> int:
        # When the stream is empty, everything that was there has been passed.
        return await self._last_group() or max(await self._all_passed())

    def size(self) -> int:
        """Bytes that the stream holds: those not yet passed by every consumer, and what the server adds."""
        return self._link.call(self._size())

    async def _size(self) -> int:
        return (await self._link.js.stream_info(self._name)).state.bytes

    def close(self) -> None:
        """Part from the server; who waits returns. Closing twice does no harm."""
        with self._news:
            if self._closed:
                return
            self._closed = True
            self._news.notify_all()
        self._link.close()
