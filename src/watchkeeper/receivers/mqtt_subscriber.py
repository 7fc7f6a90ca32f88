"""Keeps one connection for every MQTT subscription that is declared: begins, ends and renews them as the records say.
The client is loaded when there is a subscription.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from watchkeeper.model.declared import MqttSubscription, MqttSubscriptions
from watchkeeper.model.topics import Topic
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.syslog_writer import Group

if TYPE_CHECKING:
    from watchkeeper.receivers.mqtt_client import Check, Connection

NAME = "mqtt"
_LOOK = 0.5  # seconds between two looks at what is declared
_log = logging.getLogger(__name__)


class MqttSubscriber:
    """`check` gives the addresses of a broker that may be connected to."""

    def __init__(self, declared: MqttSubscriptions, *, group: Group, series: SeriesTable, stats: DoorStats,
                 letters: DeadLetters, check: Check) -> None:  # fmt: skip
        self._declared, self._group, self._series, self._stats = declared, group, series, stats
        self._letters, self._check = letters, check
        self._connections: dict[str, Connection] = {}
        self._refused: dict[str, MqttSubscription] = {}  # what cannot be one, so that it is said once
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt")

    async def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    async def stop(self) -> None:
        """Finish what has arrived, and disconnect."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._tend({one.id: one for one in self._declared.mqtt_subscriptions()})
            self._stop.wait(_LOOK)
        for connection in self._connections.values():
            connection.stop()

    def _tend(self, wanted: dict[str, MqttSubscription]) -> None:
        for pk, connection in list(self._connections.items()):
            if wanted.get(pk) != connection.subscription:
                del self._connections[pk]
                connection.stop(_filters(wanted.get(pk), connection.subscription))
        for pk, subscription in wanted.items():
            if pk not in self._connections and self._refused.get(pk) != subscription:
                self._begin(subscription)

    def _begin(self, subscription: MqttSubscription) -> None:
        from watchkeeper.receivers.mqtt_client import Connection, Shared

        shared = Shared(self._group, self._series, self._stats.door(NAME), self._letters, self._check)
        try:
            connection = Connection(subscription, shared)
        except (ValueError, OSError) as error:  # of a certificate that is none: ssl.SSLError
            self._refused[subscription.id] = subscription
            shared.counters.troubles[subscription.name] = str(error)
            _log.warning("MQTT subscription %s cannot be used: %s", subscription.name, error)
            return
        self._refused.pop(subscription.id, None)
        self._connections[subscription.id] = connection
        connection.start()


def _filters(new: MqttSubscription | None, old: MqttSubscription) -> tuple[str, ...]:
    """What the broker should keep of an old subscription: nothing when it is gone or kept under another name."""
    if new is None or (new.host, new.port, new.client_id) != (old.host, old.port, old.client_id):
        return ()
    return tuple(Topic(t).filter for t in new.topics)
