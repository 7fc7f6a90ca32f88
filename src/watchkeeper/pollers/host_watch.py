"""Which services of this machine are known, and the moment one of them stops listening or is back. Pure: time
and the services that are there now are passed in.

A service is established once it has listened for a minute (the age of its process counts, so what ran before
the platform is established at once). When an established one is missed in two looks at least `GONE_MS` apart,
it has stopped listening: that is an alert, and another for every program that had a connection to it. Desktop
programs that listen on ephemeral ports only are never established.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from watchkeeper.pollers.host_services import EPHEMERAL, OWN, SETTLED_MS, End, Service, Talk

GONE_MS = 4_000
BOOT_MS = 180_000  # after the machine has started, its services get so long to come up
TALK_MS = 600_000  # a connection seen within this time makes a dependency
FORGET_MS = 7 * 86_400_000  # a service that stayed away so long is no more
MOST_SERVICES = 200
VERSION = 1

#: programs that open ports for themselves: editors, browsers, debuggers, chat and sync clients
_DESKTOP = frozenset(
    ("code", "code-server", "codium", "cursor", "electron", "chrome", "chromium", "firefox", "chromedriver",
     "geckodriver", "gopls", "rust-analyzer", "pyright", "dlv", "gdbserver", "lldb-server", "adb", "debugpy",
     "ipykernel_launcher", "jupyter-lab", "jupyter-notebook", "pytest", "spotify", "dropbox", "steam",
     "slack", "discord", "kdeconnectd", "idea", "pycharm")
)  # fmt: skip

#: programs of which one runs for every port that is handed through
_ONE_A_PORT = frozenset(("docker-proxy", "rootlessport", "socat", "kubectl"))


class Known(msgspec.Struct):
    """A service that was seen to listen, also while it does not."""

    key: str  # stays the same when ports are added
    name: str  # unique on this machine
    program: str
    ports: list[tuple[str, int]]
    first_ms: int
    seen_ms: int
    established: bool = False
    gone_since_ms: int = 0  # last seen at this time and missed since; 0: it is there
    down: bool = False  # told to have stopped
    user: str = ""
    unit: str = ""
    looked_into: bool = True  # False while its processes are hidden from us: then its program is a guess
    clients: dict[str, int] = {}  # "kind key" of who talks to it, and when that was last seen
    bereft: list[str] = []  # of those, the ones that were told to have lost it


class State(msgspec.Struct):
    """What is kept over a restart."""

    version: int = VERSION
    services: list[Known] = []


class Alert(NamedTuple):
    """Something to tell: `service` stopped listening or, with a `client`, that one lost it; or it is over."""

    firing: bool
    service: Known
    client: End | None
    starts_ms: int
    ends_ms: int  # 0 while firing


class Watch:
    """The services of one machine over time."""

    def __init__(self, state: State | None = None, ephemeral: int = EPHEMERAL) -> None:
        self.known: dict[str, Known] = {k.key: k for k in state.services} if state else {}
        self._ephemeral = ephemeral
        self._far: dict[Talk, int] = {}  # with endpoints elsewhere, and when last seen
        self._now: dict[str, str] = {}  # the service's key of the moment → Known.key

    def state(self) -> State:
        """What to keep: services that are established."""
        return State(services=[k for k in self.known.values() if k.established])

    def shown(self) -> list[Known]:
        """The services that are worth an item: established ones, there or not, our own, and new ones that
        do not listen on ephemeral ports only."""
        worth = [
            k for k in self.known.values() if k.established or k.program == OWN or not self._fleeting(k.ports)
        ]
        return sorted(worth, key=lambda k: (not k.established, k.key))[:MOST_SERVICES]

    def uneasy(self) -> bool:
        """Whether a service is missed and not yet told to have stopped, so that the next look decides."""
        return any(k.gone_since_ms and not k.down for k in self.known.values())

    def of(self, service: Service) -> Known:
        """The known service that this one is, from the last `see`."""
        return self.known[self._now[service.key]]

    def end(self, end: End) -> End:
        """The same end by a key that stays."""
        return End("service", self._now.get(end.key, end.key)) if end.kind == "service" else end

    def see(self, services: Iterable[Service], now_ms: int, booted_ms: int) -> list[Alert]:
        """Take in what listens now. Returns what has changed and is worth telling."""
        self._now = self._match(list(services), now_ms)
        present = set(self._now.values())
        alerts: list[Alert] = []
        for k in list(self.known.values()):
            if k.key in present:
                alerts += self._returned(k, now_ms)
                k.seen_ms, k.gone_since_ms = now_ms, 0
                continue
            if not k.down:  # else it was told since when; the clock may have been set back
                k.gone_since_ms = min(k.gone_since_ms or now_ms, now_ms)
            if not k.established:
                del self.known[k.key]
            elif now_ms - k.seen_ms > FORGET_MS:
                alerts += self._returned(k, now_ms)
                del self.known[k.key]
            elif not k.down and now_ms - k.gone_since_ms >= GONE_MS and now_ms - booted_ms >= BOOT_MS:
                alerts += self._gone(k)
        return alerts

    def hear(self, talks: Iterable[Talk], now_ms: int) -> None:
        """Take in who talks to whom now."""
        for talk in talks:
            source = self.end(talk.source)
            target = self.known.get(self.end(talk.target).key) if talk.target.kind == "service" else None
            if target is not None:
                target.clients[" ".join(source)] = now_ms
            elif talk.target.kind == "endpoint":
                self._far[Talk(source, talk.target)] = now_ms

    def talks(self, now_ms: int) -> list[Talk]:
        """Who talked to whom within the last while, by ends that stay."""
        self._far = {t: seen for t, seen in self._far.items() if now_ms - seen <= TALK_MS}
        near = [
            Talk(End(*client.split(" ", 1)), End("service", k.key))
            for k in self.known.values()
            for client, seen in k.clients.items()
            if now_ms - seen <= TALK_MS
        ]
        return sorted([*near, *self._far])

    def _gone(self, k: Known) -> list[Alert]:
        k.down = True
        k.clients = {c: seen for c, seen in k.clients.items() if k.seen_ms - seen <= TALK_MS}
        k.bereft = [c for c in sorted(k.clients) if self._there(c)]
        return self._alerts(True, k, 0)

    def _returned(self, k: Known, now_ms: int) -> list[Alert]:
        if not k.down:
            return []
        alerts = self._alerts(False, k, now_ms)
        k.down, k.bereft = False, []
        return alerts

    def _alerts(self, firing: bool, k: Known, ends_ms: int) -> list[Alert]:
        clients = (End(*c.split(" ", 1)) for c in k.bereft)
        return [Alert(firing, k, client, k.gone_since_ms, ends_ms) for client in (None, *clients)]

    def _there(self, client: str) -> bool:
        """Whether a client has not gone itself; of a process that does not listen nobody knows."""
        kind, key = client.split(" ", 1)
        other = self.known.get(key) if kind == "service" else None
        return other is None or not other.gone_since_ms

    def _match(self, services: list[Service], now_ms: int) -> dict[str, str]:
        """The key of the known service for each one, new ones made known: a program is the one it was if it
        shares a port with it, or if it listens on ephemeral ports only, which change."""
        matched: dict[str, str] = {}
        taken: set[str] = set()
        for loosely in (False, True):
            for s in services:
                if s.key in matched:
                    continue
                k = self._one_like(s, taken, loosely)
                if k is not None:
                    matched[s.key] = k.key
                    taken.add(k.key)
        for s in services:
            if s.key not in matched:
                matched[s.key] = self._new(s, now_ms).key
            self._update(self.known[matched[s.key]], s, now_ms)
        return matched

    def _one_like(self, s: Service, taken: set[str], loosely: bool) -> Known | None:
        for k in self.known.values():
            if k.key in taken:
                continue
            same = k.program == s.program or not s.pids or not k.looked_into
            if not loosely and same and not set(k.ports).isdisjoint(s.ports):
                return k
            if (
                loosely
                and k.program == s.program
                and (s.program == OWN or (self._fleeting(k.ports) and self._fleeting(s.ports)))
            ):
                return k
        return None

    def _new(self, s: Service, now_ms: int) -> Known:
        names = {k.name for k in self.known.values()}
        name = s.key if s.program in names or s.program in _ONE_A_PORT else s.program
        k = Known(s.key, name, s.program, list(s.ports), now_ms, now_ms, looked_into=bool(s.pids))
        self.known[k.key] = k
        return k

    def _update(self, k: Known, s: Service, now_ms: int) -> None:
        k.ports = list(s.ports)
        if s.pids:
            k.program, k.looked_into, k.user, k.unit = s.program, True, s.user, s.unit
        k.first_ms = min(k.first_ms, s.started_ms or now_ms, now_ms)
        if now_ms - k.first_ms >= SETTLED_MS and s.program != OWN:
            k.established = not (self._fleeting(s.ports) and s.program in _DESKTOP)

    def _fleeting(self, ports: Iterable[tuple[str, int]]) -> bool:
        return all(port >= self._ephemeral for _, port in ports)
