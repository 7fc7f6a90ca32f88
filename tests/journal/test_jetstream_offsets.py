"""Offsets of a stream: a new one reserves few for each message, an older one goes on as it began."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest
from nats.js import api

from tests.contract.journal_places import NATS, place
from tests.contract.journal_rows import Place, everything, numbers, samples
from watchkeeper.model.errors import TooLarge


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Place]:
    with place("jetstream", tmp_path) as where:
        yield where


def name_of(home: Place) -> str:
    """The name of the stream."""
    return urlsplit(home.url.split(",")[-1]).path.strip("/")


async def begin_as_earlier(name: str, last: int, passed: dict[str, int]) -> None:
    """A stream as an earlier version made it: its messages up to `last` are trimmed, and these offsets were passed."""
    client = await nats.connect(NATS)
    js = client.jetstream()
    subjects = [f"{name}.group", f"{name}.part"]
    await js.add_stream(api.StreamConfig(name=name, subjects=subjects, allow_direct=True))
    bucket = await js.create_key_value(bucket=f"{name}-consumers")
    for consumer, offset in passed.items():
        await bucket.create(consumer, str(offset).encode())
    await js.publish(f"{name}.part", b"passed over")
    await js.purge_stream(name, seq=last + 1)
    await client.close()


def test_a_new_stream_spends_few_offsets_on_a_group(home: Place) -> None:
    journal = home.open()
    offsets = [journal.append([samples(n)]) for n in range(3)]
    assert offsets[2] - offsets[0] == 512
    journal.commit("telemetry", offsets[1])
    journal.close()
    again = home.open()
    assert again.committed("telemetry") == offsets[1]
    assert numbers(everything(again, offsets[1])) == [2]
    assert again.append([samples(3)]) == offsets[2] + 256
    again.close()


def test_an_earlier_stream_goes_on_where_its_consumers_stood(home: Place) -> None:
    last = 2**24 - 3
    stood = last * 65_536 + 65_535
    asyncio.run(begin_as_earlier(name_of(home), last, {"telemetry": stood, "analysis": stood}))
    journal = home.open()
    assert journal.end() == journal.committed("analysis") == stood
    offsets = [journal.append([samples(n)]) for n in range(5)]
    assert offsets == [stood + 65_536 * (n + 1) for n in range(5)]
    journal.commit("analysis", offsets[2])
    assert numbers(everything(journal, offsets[2])) == [3, 4]
    journal.close()
    again = home.open()
    assert again.committed("analysis") == offsets[2] and again.end() == offsets[4]
    assert numbers(everything(again, stood)) == [0, 1, 2, 3, 4]
    again.close()


def test_a_group_of_more_entries_than_offsets_is_refused(home: Place) -> None:
    journal = home.open()
    with pytest.raises(TooLarge, match="257 entries"):
        journal.append([samples(n, rows=1) for n in range(257)])
    assert journal.end() == 0
    journal.append([samples(n, rows=1) for n in range(256)])
    assert numbers(everything(journal)) == list(range(256))
    assert everything(journal)[0].offset == journal.end() - 255
    journal.close()
