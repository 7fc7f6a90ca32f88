"""What a receiver needs from the outside, as ports: who may send (Keyring), where signals go (Journal)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
import pyarrow as pa

from watchkeeper.model.signals import Stream

#: in place of a door's name: what rules made of other series, and the alerts they raised
RULES = "rules"
#: and what changes that people planned have done; the label ITEM of such an event is the id of the item that was changed
CHANGES, ITEM = "changes", "item"


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """How any JSON becomes alerts: JMESPath expressions (model.expressions), each about one alert of the payload, and
    `alerts_from` about the payload. Empty ones are not asked."""

    alerts_from: str = ""  # a list of alerts; else the payload is one
    name_from: str
    severity_from: str = ""
    status_from: str = ""  # a word for over, or false; else it fires
    labels_from: str = ""  # an object
    identity_from: str = ""  # which alert it is; else its name and labels say
    summary_from: str = ""
    annotations_from: str = ""  # an object
    starts_from: str = ""
    ends_from: str = ""
    url_from: str = ""


class IntakeKey(msgspec.Struct, frozen=True):
    """Who sends: an intake key as a door sees it, without its secret. Empty tuples and 0 mean no limit."""

    id: str
    name: str
    doors: tuple[str, ...] = ()  # names of the doors it may use
    addresses: tuple[str, ...] = ()  # networks it may come from, CIDR
    rate: float = 0.0  # rows a second
    series: int = 0  # new series in a period of the doors' table, six hours
    mapping: Mapping | None = None  # of any JSON at the door `custom`


class Keyring(Protocol):
    """Decides who may send through which door."""

    def by_secret(self, secret: str, door: str, address: str) -> IntakeKey:
        """The key with this secret. Raises Unauthorised: unknown, or not for this door or address."""
        ...

    def by_address(self, door: str, address: str) -> IntakeKey:
        """The key that admits this client address without a secret (syslog). Raises Unauthorised."""
        ...


class Entry(NamedTuple):
    """One journal entry: its offset, its stream and its rows."""

    offset: int
    stream: Stream
    batch: pa.RecordBatch


class Journal(Protocol):
    """The append-only log between receivers and consumers; offsets rise by at least one an entry."""

    def append(self, batches: Sequence[tuple[Stream, pa.RecordBatch]]) -> int:
        """Append together, all or none; return the last offset once all is synced to disk.
        Raises JournalFull (bound reached) or DiskFull. Blocks; called from threads."""
        ...

    def read(self, after: int, *, max_rows: int = 65_536) -> list[Entry]:
        """Entries with an offset over `after`, in order; at least one if there is any; never blocks for new ones."""
        ...

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there is an entry after this offset; False when `timeout` seconds have passed."""
        ...

    def committed(self, consumer: str) -> int:
        """The last offset this consumer has said to have passed; 0 at first."""
        ...

    def commit(self, consumer: str, offset: int) -> None:
        """Say that a consumer has passed an offset; what all consumers passed is trimmed."""
        ...

    def end(self) -> int:
        """The last offset there is; 0 when nothing was ever appended."""
        ...

    def size(self) -> int:
        """Bytes not yet passed by every consumer."""
        ...

    def close(self) -> None:
        """Finish writes and let go of files."""
        ...


class Door(Protocol):
    """A pure decoder: bytes to batches of signals. One protocol a file in receivers/."""

    name: str

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:
        """Decode a whole body. Raises Malformed, UnsupportedMedia or TooLarge; then nothing of it is taken."""
        ...
