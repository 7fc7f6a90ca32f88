"""New talkers: an item that asks another which it has never asked, though its flows have been known for a day and it rarely
asks anybody new. Learned from the relations that flows show; memory is bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from watchkeeper.analysis.pipeline import Work
from watchkeeper.model.topology import RelationKind

ORIGIN = "netflow"
KNOWN_MS = 86_400_000  # a client whose flows are known for less is being learned
RESTLESS = 3  # new ones within a day after which a client is one of those that ask anybody
OVER_MS = 3_600_000
PER_HOUR = 10  # told of all clients together
MOST_CLIENTS, MOST_PEERS = 10_000, 256


class NewTalk(NamedTuple):
    """`client` has asked `server` for the first time, or (active False) that is an hour ago."""

    client: str
    server: str
    time_ms: int
    known_ms: int  # for how long the client's flows had been known
    active: bool = True

    @property
    def key(self) -> str:
        """The same for the same pair."""
        return f"{self.client}|{self.server}"


class Client:
    """Whom an item has asked, and when somebody new was among them lately."""

    __slots__ = ("first_ms", "lately", "peers")

    def __init__(self, first_ms: int) -> None:
        self.first_ms = first_ms
        self.peers: dict[str, None] = {}
        self.lately: list[int] = []


class Talkers:
    """The clients that flows have shown."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._open: dict[str, NewTalk] = {}
        self._told: list[int] = []

    def look(self, work: Work) -> Iterator[NewTalk]:
        """What is to be told of the relations that are new in this Work, and what is over."""
        for found in work.discoveries:
            for r in found.relations:
                if r.kind is RelationKind.DEPENDS_ON and r.origin == ORIGIN:
                    yield from self._asked(r.source, r.target, work.now_ms)
        for key, talk in list(self._open.items()):
            if work.now_ms - talk.time_ms > OVER_MS:
                del self._open[key]
                yield talk._replace(active=False, time_ms=work.now_ms)

    def _asked(self, client: str, server: str, now_ms: int) -> Iterator[NewTalk]:
        known = self._clients.get(client)
        if known is None:
            known = self._clients[client] = Client(now_ms)
            if len(self._clients) > MOST_CLIENTS:
                self._clients.popitem(last=False)
        self._clients.move_to_end(client)
        if server in known.peers or len(known.peers) >= MOST_PEERS:
            return  # who asks so many is no news
        known.peers[server] = None
        if now_ms - known.first_ms < KNOWN_MS:
            return
        known.lately = [*(t for t in known.lately[-RESTLESS:] if now_ms - t < KNOWN_MS), now_ms]
        self._told = [t for t in self._told if now_ms - t < OVER_MS]
        if len(known.lately) > RESTLESS or len(self._told) >= PER_HOUR:
            return
        self._told.append(now_ms)
        talk = NewTalk(client, server, now_ms, now_ms - known.first_ms)
        self._open[talk.key] = talk
        yield talk

    def remember(self, talk: NewTalk) -> None:
        """Take for told what a living alert says was told."""
        self._open.setdefault(talk.key, talk)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        clients = [[k, c.first_ms, list(c.peers), c.lately] for k, c in self._clients.items()]
        return {"clients": clients, "open": [list(t) for t in self._open.values()], "told": self._told}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Take back a snapshot."""
        if state is None:
            return
        for key, first_ms, peers, lately in state["clients"]:
            self._clients[key] = client = Client(first_ms)
            client.peers, client.lately = dict.fromkeys(peers), lately
        self._open = {(t := NewTalk(*plain)).key: t for plain in state["open"]}
        self._told = list(state["told"])
