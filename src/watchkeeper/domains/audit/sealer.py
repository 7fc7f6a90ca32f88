"""The background work on the audit trail: seals what was written, writes a checkpoint a minute, and looks at the
end of the chain each hour. Acts never wait for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from django.db import DatabaseError, close_old_connections, connection

from watchkeeper.domains.audit.checkpoints import Checkpoints
from watchkeeper.domains.audit.reading import head, unsealed
from watchkeeper.domains.audit.sealing import checkpoint, seal_all, seal_batch
from watchkeeper.domains.audit.verifying import verify
from watchkeeper.kernel.ports import Metric

TAIL = 10_000  # entries that the hourly look goes back; well under a second
_log = logging.getLogger(__name__)


class Sealer:
    """Inert until `run`. Several may run, in one process or many: each entry is sealed once."""

    def __init__(
        self, file: Checkpoints, poll: float = 1.0, checkpoints: float = 60.0, looks: float = 3600.0
    ):
        """Look for entries every `poll` seconds, write at most one checkpoint in `checkpoints`, and verify the
        end of the chain every `looks`."""
        self.file, self.poll, self.checkpoints, self.looks = file, poll, checkpoints, looks
        self._looked: tuple[bool, float] | None = None  # whether all was well, and when, in Unix seconds
        self._checkpointed = 0  # the number that the file ends with
        self._next_checkpoint = self._next_look = 0.0  # on the monotonic clock

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        try:
            while not stop.is_set():
                if not self._step():
                    stop.wait(self.poll)
        finally:
            connection.close()

    def finish(self, within: float = 2.0) -> None:
        """At a clean stop, when nobody acts any more: seal what is left, and write a checkpoint."""
        try:
            seal_all(within)
            self._checkpoint()
        except (DatabaseError, OSError) as error:
            _log.warning("the audit trail has no checkpoint of this stop: %s", error)

    def metrics(self) -> Iterable[Metric]:
        """For /metrics. Whether the chain is whole is not told before the first look."""
        told = [
            ("sealed", "Entries of the audit trail that are sealed", float(head()[0])),
            ("unsealed", "Entries of the audit trail that wait for their seal", float(unsealed())),
            ("checkpointed", "The number that the last checkpoint knows", float(self._checkpointed)),
        ]
        if self._looked:
            whole, at = self._looked
            told += [
                (
                    "chain_whole",
                    "Whether the end of the audit trail was whole at the last look",
                    float(whole),
                ),
                ("verified_timestamp_seconds", "When the end of the audit trail was last looked at", at),
            ]
        for name, text, value in told:
            yield Metric(f"watchkeeper_audit_{name}", "gauge", text, [({}, value)])

    def _step(self) -> bool:
        """One batch, and what is due beside it; False when there was nothing to seal."""
        try:
            close_old_connections()
            sealed = seal_batch()
            now = time.monotonic()
            if not sealed and now >= self._next_look:
                self._next_look = now + self.looks
                self._look()
            if now >= self._next_checkpoint and self._checkpoint():
                self._next_checkpoint = now + self.checkpoints
        except (DatabaseError, OverflowError) as error:  # a forged number can be the last there is
            _log.warning("the audit trail cannot be sealed, trying again: %s", error)
            return False
        except OSError as error:
            _log.error("the audit trail's checkpoints cannot be read or written, trying again: %s", error)
            self._next_checkpoint = time.monotonic() + self.checkpoints
            return False
        return bool(sealed)

    def _checkpoint(self) -> bool:
        """Write one unless the file ends with it; whether it was written."""
        last = self.file.last()
        if head() != ((last.number, last.seal) if last else (0, "")) and (made := checkpoint(self.file)):
            self._checkpointed = made.number
            return True
        self._checkpointed = last.number if last else 0
        return False

    def _look(self) -> None:
        verdict = verify(self.file, TAIL)
        self._looked = (verdict.whole, time.time())
        for finding in verdict.findings[:10]:
            _log.error("the audit trail is not whole: number %d: %s", finding.number, finding.detail)
