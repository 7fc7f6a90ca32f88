"""A connection to NATS for code that blocks: an event loop in a thread of its own; NATS's errors as ours."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.client import JetStreamContext

from watchkeeper.model.errors import DiskFull, JournalFull

T = TypeVar("T")

CONNECT_FOR = 5.0  # seconds until a server has to answer at first
ANSWER_WITHIN = 3.0  # seconds for one request
PENDING = 64 * 1024**2  # bytes that may wait for the socket

# Error codes of the server (nats-server, server/errors.json)
_STREAM_FULL = 10077
_NO_RESOURCES = (10023, 10047)

log = logging.getLogger(__name__)


@contextmanager
def meaning() -> Iterator[None]:
    """Raise NATS's errors as ours: JournalFull (full, or out of reach) and DiskFull."""
    try:
        yield
    except nats.js.errors.APIError as error:
        if error.err_code == _STREAM_FULL:
            raise JournalFull(f"the stream has reached its bound: {error.description}") from error
        if error.err_code in _NO_RESOURCES:
            raise DiskFull(f"the NATS server has no room left: {error.description}") from error
        raise JournalFull(f"the NATS server refuses: {error}", reason="journal_refused") from error
    except (nats.errors.Error, OSError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise JournalFull(
            f"the NATS server cannot be reached: {why}", reason="journal_unreachable"
        ) from error


class NatsLink:
    """Holds the connection; reconnects by itself for as long as it is open."""

    def __init__(self, servers: list[str]) -> None:
        """Connect. Raises JournalFull (journal_unreachable) when no server answers within CONNECT_FOR."""
        self._ending = threading.Lock()
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self.client = Client()
        try:
            self.call(self._connect(servers))
        except BaseException:
            self.close()
            raise
        self.js: JetStreamContext = self.client.jetstream(timeout=ANSWER_WITHIN)

    async def _connect(self, servers: list[str]) -> None:
        connecting = self.client.connect(
            servers,
            name="watchkeeper journal",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            pending_size=PENDING,
            error_cb=_say,
        )
        await asyncio.wait_for(connecting, CONNECT_FOR)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for its result. Raises NATS's errors as ours."""
        with self._ending:
            if self._ended:
                work.close()
                raise JournalFull("the journal is closed", reason="journal_closed")
            task = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            with meaning():
                return task.result()
        except CancelledError as error:
            raise JournalFull("the journal was closed meanwhile", reason="journal_closed") from error

    def close(self) -> None:
        """Part from the server and end the thread; what is under way is broken off."""
        with self._ending:
            self._ended = True
        asyncio.run_coroutine_threadsafe(self._part(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _part(self) -> None:
        with suppress(
            nats.errors.Error, OSError
        ):  # what still waits for a server that is gone cannot be sent
            await self.client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _say(error: Exception) -> None:
    log.warning("NATS: %s", str(error) or type(error).__name__)
