"""Says yes to Amazon SNS, which asks an endpoint whether it wants a topic's messages: the one request that the receive
process makes, to an address that the door has checked, under the rules for whatever leaves this machine."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from watchkeeper.domains.outgoing import outbound
from watchkeeper.model.errors import WatchkeeperError

_log = logging.getLogger(__name__)
_WAITING = 100  # confirmations; what is asked beyond waits for a person, as does what has no way out


class Confirming:
    """Inert until `start`. Called with an address and what to journal once it was visited; never waits."""

    def __init__(self, submit: Callable[[Sequence[Any]], object]) -> None:
        self._submit = submit
        self._asked: queue.Queue[tuple[str, Sequence[Any]]] = queue.Queue(_WAITING)

    def start(self) -> None:
        """Begin to visit what is asked for. It ends with the process: whoever is not confirmed asks again."""
        threading.Thread(target=self._run, name="confirming", daemon=True).start()

    def __call__(self, url: str, after: Sequence[Any]) -> None:
        try:
            self._asked.put_nowait((url, after))
        except queue.Full:
            _log.warning("too many subscriptions wait for their confirmation; %s is left to a person", url)

    def _run(self) -> None:
        while True:
            self._visit(*self._asked.get())

    def _visit(self, url: str, after: Sequence[Any]) -> None:
        try:
            status = outbound.get(url, {}).status
            if status == 200:
                self._submit(after)
                return
            trouble = f"it answered {status}"
        except WatchkeeperError as error:
            trouble = error.detail
        host = url.partition("?")[0]
        _log.warning(
            "the subscription at %s could not be confirmed (%s): its alert has the link", host, trouble
        )
