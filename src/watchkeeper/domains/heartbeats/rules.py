"""When Watchkeeper is well enough for a heartbeat. Pure: what is known of it goes in, what is wrong comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MIB = 1024 * 1024
#: reader of the journal → what people call the work that waits for it
WORK = {"analysis": "analysis", "telemetry": "storage"}


@dataclass(frozen=True)
class Vitals:
    """What the platform knows of itself at one moment."""

    silent: Mapping[str, float | None] = field(
        default_factory=dict
    )  # process → seconds; None: it does not run, and should
    behind: Mapping[str, float] = field(default_factory=dict)  # reader of the journal → seconds
    free: int = 0  # bytes, of the disk that has the data folder
    unready: str = ""  # what the front says is wrong with it, the journal or the console
    unread: str = ""  # what of records and journal cannot be read, and why

    @property
    def ending(self) -> bool:
        """Whether the platform is being stopped: its supervisor has said so."""
        return self.silent.get("supervisor", 0.0) is None


def faults(vitals: Vitals, patience: float, least_free: int) -> tuple[str, ...]:
    """What keeps a heartbeat back, in words. `patience`: seconds that a process may be silent and a reader behind;
    `least_free`: MiB.

    >>> faults(Vitals({"analyse": 40.2, "jobs": 0.1}, {"telemetry": 0.0}, 9 * MIB), 30, 5)
    ('the process analyse has given no sign of life for 40 s',)
    """
    return tuple(_faults(vitals, patience, least_free))


def _faults(vitals: Vitals, patience: float, least_free: int) -> Iterator[str]:
    for name, seconds in vitals.silent.items():
        if seconds is None:
            yield f"the process {name} does not run, or is just starting"
        elif seconds is not None and seconds > patience:
            yield f"the process {name} has given no sign of life for {seconds:.0f} s"
    yield from filter(None, (vitals.unready, vitals.unread))
    for reader, seconds in vitals.behind.items():
        if seconds > patience:
            yield f"{WORK.get(reader, reader)} is {seconds:.0f} s behind"
    if vitals.free < least_free * MIB:
        yield f"the disk has {vitals.free // MIB} MiB left, and at least {least_free} MiB are wanted"
