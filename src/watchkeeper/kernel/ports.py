"""What the web process is given by app at its start, for the views: where acts go, where telemetry is, what
is counted. Everything is None or empty until app has set it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from watchkeeper.model.act import Act
from watchkeeper.model.errors import WatchkeeperError

if TYPE_CHECKING:  # a third of a second, which the command line need not wait
    from watchkeeper.model.doors import Journal


class NotReady(WatchkeeperError):
    """A part of the platform that this needs is not there yet."""

    status = 503
    reason = "not_ready"


class ActSink(Protocol):
    """Where acts go to become part of the journal."""

    def submit(self, *acts: Act) -> None:
        """Return once the acts are on disk, all or none. Raises JournalFull or DiskFull."""
        ...


_kept: ContextVar[list[Act] | None] = ContextVar("kept", default=None)


@dataclass(frozen=True, slots=True)
class Metric:
    """One family for /metrics: samples are label sets and values."""

    name: str
    kind: str  # counter, gauge
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]


@dataclass
class Ports:
    """The one instance is `ports`."""

    acts: ActSink | None = None
    journal: Journal | None = None
    telemetry: Any = None
    collectors: list[Callable[[], Iterable[Metric]]] = field(default_factory=list)
    # what each door took and refused; with the id of an intake key, of this key alone
    doors: Callable[..., Mapping[str, Mapping[str, Any]]] = lambda *_: {}

    def submit(self, act: Act) -> bool:
        """Hand an act to the journal; whether it is there now, and not only at the end of `together`. Raises NotReady,
        JournalFull or DiskFull."""
        if self.acts is None:
            raise NotReady("the journal cannot be reached from here")
        if (kept := _kept.get()) is not None:
            kept.append(act)
            return False
        self.acts.submit(act)
        return True

    @contextmanager
    def together(self) -> Iterator[None]:
        """Hand the acts of this block to the journal at its end, all or none; none after an error."""
        kept: list[Act] = []
        token = _kept.set(kept)
        try:
            yield
        finally:
            _kept.reset(token)
        if kept and self.acts is not None:
            self.acts.submit(*kept)

    def the_journal(self) -> Journal:
        """The journal. Raises NotReady."""
        if self.journal is None:
            raise NotReady("the journal cannot be reached from here")
        return self.journal

    def the_telemetry(self) -> Any:
        """The telemetry store. Raises NotReady."""
        if self.telemetry is None:
            raise NotReady("telemetry cannot be reached from here")
        return self.telemetry


ports = Ports()
