"""An empty journal of each kind for one test."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nats
import nats.errors
from nats.js.errors import NotFoundError

from tests.contract.journal_rows import Place
from tests.support import require

NATS = os.environ.get("WATCHKEEPER_TEST_NATS", "nats://127.0.0.1:4222")
KINDS = ("sqlite", "jetstream")


@contextmanager
def place(kind: str, data: Path, max_bytes: int = 2 * 1024**3) -> Iterator[Place]:
    """An empty journal of this kind; gone afterwards."""
    if kind == "sqlite":
        yield Place("", data, max_bytes)
        return
    require(asyncio.run(_answers()), f"no NATS server with JetStream answers at {NATS}")
    name = f"test-{uuid.uuid4().hex[:12]}"
    try:
        yield Place(f"{NATS},{NATS}/{name}?replicas=1", data, max_bytes)
    finally:
        asyncio.run(_delete(name, f"KV_{name}-consumers"))


async def _answers() -> bool:
    try:
        client = await nats.connect(NATS, allow_reconnect=False, connect_timeout=1)
    except (OSError, nats.errors.Error):
        return False
    try:
        await client.jetstream().account_info()
        return True
    except nats.errors.Error:
        return False
    finally:
        await client.close()


async def _delete(*streams: str) -> None:
    client = await nats.connect(NATS)
    for stream in streams:
        with suppress(NotFoundError):
            await client.jetstream().delete_stream(stream)
    await client.close()
