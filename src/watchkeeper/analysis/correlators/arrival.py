"""What a correlator sees of an alert, what it keeps of it, and the protocol that correlators follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from watchkeeper.model.correlation import Parameters
from watchkeeper.model.reason import Reason
from watchkeeper.model.topology import Topology


class Arrival(NamedTuple):
    """An alert that began. `time_ms` is its begin as its sender says; `labels` are `name=value` pairs."""

    id: str  # fingerprint
    time_ms: int
    item: str  # item id, "" when none is known
    name: str
    what: int  # hash of item, name, summary and labels: what is said, whoever counts it
    labels: tuple[str, ...] = ()


class Member(NamedTuple):
    """An alert in a group, and why it is there."""

    arrival: Arrival
    because: tuple[Reason, ...]


class View(Protocol):
    """A group as others see it."""

    @property
    def id(self) -> int: ...
    @property
    def members(self) -> dict[str, Member]: ...
    @property
    def follows(self) -> int:
        """The closed group that this one comes after; 0 if none."""
        ...


class Correlator(Protocol):
    """Groups alerts as they arrive. It has no clock: the alerts' own times drive it."""

    version: str

    def place(self, arrivals: Iterable[Arrival], topology: Topology) -> set[int]:
        """Put alerts into groups; return the groups that changed. A group that is not found any more has
        dissolved into others."""
        ...

    def group(self, number: int) -> View | None:
        """A group by its number."""
        ...

    def where(self, alert: str) -> int:
        """The number of the group that an alert is in; 0 if in none."""
        ...

    def adopt(
        self,
        members: Sequence[Member],
        topology: Topology,
        *,
        kept: bool,
        closed: bool = False,
        apart: bool = False,
    ) -> int:
        """Make a group of these as it was before a restart, or as a person or a rule wants it (`kept`: later arrivals
        take none of them away again; `apart`: it draws nothing in); take them out of others. Returns its number."""
        ...

    def add(self, number: int, member: Member) -> bool:
        """Put an alert into this group for good, out of any other; False when the group is over."""
        ...

    def choose(self, parameters: Parameters) -> None:
        """Use these from now on."""
        ...

    @property
    def parameters(self) -> Parameters:
        """Those in use."""
        ...

    def use(self, version: str) -> None:
        """Be this version of `model.versions.CORRELATION` from now on."""
        ...

    def close(self, number: int) -> None:
        """Nothing joins this group any more; what would have joined begins one that follows it."""
        ...

    def stir(self, alert: str, time_ms: int) -> None:
        """An alert began again and stays in its group, which is therefore still going on."""
        ...

    def release(self, alert: str) -> None:
        """Take an alert out of its group, so that it can be placed again."""
        ...

    def idle(self, before_ms: int) -> list[int]:
        """Groups whose last alert began before this time."""
        ...

    def forget(self, number: int) -> None:
        """Drop a group and all that is known of its members."""
        ...

    def snapshot(self) -> Any:
        """What was learned, as plain data."""
        ...

    def restore(self, state: Any) -> None:
        """Take back what was learned; anything unknown is as good as nothing."""
        ...
