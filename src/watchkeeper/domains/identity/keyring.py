"""The doors' Keyring: every intake key in memory, brought up to date in the background, so that no request waits
for the database. A key that is revoked stops within REFRESH seconds, a mapping that is changed counts by then; a key that
is made works at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError, connection

from watchkeeper.domains.identity import models
from watchkeeper.domains.identity.rules import LOOPBACK, within
from watchkeeper.kernel.secrets import fingerprint
from watchkeeper.model.doors import IntakeKey, Mapping
from watchkeeper.model.errors import Unauthorised

REFRESH = 1.5  # seconds
_log = logging.getLogger(__name__)
_SOON = 0.2  # at most so often, in seconds, an unknown secret makes us look before it is time
_PATIENCE = 0.1  # so long it then waits


@dataclass(frozen=True)
class _Keys:
    by_hash: dict[str, IntakeKey] = field(default_factory=dict)
    read_at: float = 0.0


class DatabaseKeyring:
    """Inert until `start`; `by_secret` and `by_address` may be called from any thread and from an event loop."""

    def __init__(self) -> None:
        self._keys = _Keys()
        self._stop = threading.Event()
        self._wanted = threading.Event()
        self._fresh = threading.Condition()
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the keys and keep reading them. Raises DatabaseError when they cannot be read now."""
        done: list[DatabaseError | None] = []
        self._thread = threading.Thread(target=self._run, args=(done,), name="keyring")
        with self._fresh:
            self._thread.start()
            self._fresh.wait_for(lambda: done, timeout=30.0)
        if done and done[0] is not None:
            raise done[0]

    def stop(self) -> None:
        """End the background reading."""
        self._stop.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def by_secret(self, secret: str, door: str, address: str) -> IntakeKey:
        """The key with this secret. Raises Unauthorised: unknown, or not for this door or address."""
        hashed = fingerprint(secret)
        key = self._keys.by_hash.get(hashed) or self._look_again(hashed)
        if key is None:
            raise Unauthorised("this intake key is unknown or revoked")
        if key.doors and door not in key.doors:
            raise Unauthorised(f"the intake key {key.name!r} is not for the door {door}", key=key.id)
        if key.addresses and not within(address, key.addresses):
            raise Unauthorised(f"the intake key {key.name!r} may not be used from {address}", key=key.id)
        return key

    def by_address(self, door: str, address: str) -> IntakeKey:
        """The key that admits this client address without a secret: the one with the narrowest network that
        contains it. A key without networks admits this machine. Raises Unauthorised."""
        best: IntakeKey | None = None
        width = 0
        for key in self._keys.by_hash.values():
            if key.doors and door not in key.doors:
                continue
            # A network that was named counts for more than the loopback of one that names none.
            fit = 1000 * within(address, key.addresses) if key.addresses else within(address, LOOPBACK)
            if fit > width:
                best, width = key, fit
        if best is None:
            raise Unauthorised(f"no intake key admits {address} to {door}")
        return best

    def _look_again(self, hashed: str) -> IntakeKey | None:
        """An unknown secret may belong to a key made a moment ago; guessing must not become database load."""
        now = time.monotonic()
        with self._fresh:
            if self._thread is None or now - self._asked_at < _SOON:
                return None
            self._asked_at = now
            self._wanted.set()
            self._fresh.wait_for(lambda: self._keys.read_at > now, timeout=_PATIENCE)
        return self._keys.by_hash.get(hashed)

    def _run(self, done: list[DatabaseError | None]) -> None:
        try:
            while not self._stop.is_set():
                error: DatabaseError | None = None
                try:
                    self._read()
                except DatabaseError as e:
                    # The keys we know stay good: the doors stay open while the records are away.
                    error = e
                    connection.close()
                    _log.warning("intake keys cannot be read, going on with those known: %s", e)
                with self._fresh:
                    if not done:
                        done.append(error)
                    self._fresh.notify_all()
                self._wanted.wait(REFRESH)
                self._wanted.clear()
        finally:
            connection.close()

    def _read(self) -> None:
        began = time.monotonic()
        found = models.IntakeKey.objects.filter(revoked_at=None).order_by("pk")
        rows = found.values_list("hash", "pk", "name", "doors", "networks", "rate", "series")
        mappings = {key: Mapping(**told) for key, told in _mappings()}
        self._keys = _Keys(
            {
                h: IntakeKey(str(pk), name, tuple(doors), tuple(nets), rate, series, mappings.get(pk))
                for h, pk, name, doors, nets, rate, series in rows
            },
            began,
        )


def _mappings() -> Iterator[tuple[int, dict[str, str]]]:
    """Of each key that has one: its expressions by field."""
    names = Mapping.__struct_fields__
    for key, *written in models.PayloadMapping.objects.values_list("intake_key_id", *names):
        yield key, dict(zip(names, written, strict=True))
