"""One connection to an MQTT broker: it comes back by itself, the broker keeps for us what comes meanwhile, and a message
is acknowledged (QoS 1) only after the journal has synced what it says.
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from watchkeeper.model.declared import MqttSubscription
from watchkeeper.model.errors import TooLarge, WatchkeeperError
from watchkeeper.receivers.dead_letters import DeadLetters, Letter
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.http import Entries
from watchkeeper.receivers.mqtt import Messages
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.syslog_listener import wall_ms
from watchkeeper.receivers.syslog_writer import Group

Check = Callable[[str, int], Sequence[str]]
"""(host, port) → the addresses that may be connected to. Raises WatchkeeperError."""

KEEPALIVE = 30  # seconds
_TIMEOUT = 10.0  # seconds that connecting may take
_LONGEST_WAIT = 30  # seconds between two attempts
_WAITING = 1000  # messages that may wait for the journal; the broker keeps the others
_AT_ONCE = 500  # messages that share a commit,
_BYTES = 4 * 1024 * 1024  # and bytes of them
_AGAIN = 0.2  # seconds between two offers to a journal that is full
_PATIENCE = 5.0  # seconds that stopping waits for a full journal
_GOODBYE = 2.0  # seconds that a broker has to hear what we want no more
_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    """A message, and the connection that it came by: only that one may acknowledge it."""

    connection: int
    message: MQTTMessage
    payload: bytes


class Shared(NamedTuple):
    """What all connections of a process share."""

    group: Group
    series: SeriesTable
    counters: DoorCounters
    letters: DeadLetters
    check: Check


class _Guarded(Client):
    """Connects to addresses that were checked at this moment and no others; the name serves for the certificate."""

    def __init__(self, check: Check, client_id: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True)
        self._check, self._tls = check, tls

    def _create_socket(self) -> Any:
        """Where the library makes its socket. Raises OSError."""
        try:
            self._host.encode("idna")
            addresses = self._check(self._host, self._port)
        except WatchkeeperError as error:
            raise OSError(error.detail) from error
        except UnicodeError as error:
            raise OSError(f"{self._host[:100]} is no name of a host: {error}") from error
        failed = OSError("no address")
        for address in addresses:
            try:
                connected = socket.create_connection((address, self._port), _TIMEOUT)
            except OSError as error:
                failed = error
                continue
            return connected if self._tls is None else self._secured(connected, self._tls)
        raise failed

    def _secured(self, connected: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
        """Raises OSError."""
        secured = tls.wrap_socket(connected, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except OSError:
            secured.close()
            raise
        return secured

    def reconnect(self) -> Any:
        """As the library's; says why it failed. Raises OSError."""
        try:
            return super().reconnect()
        except OSError as error:
            self.on_failure(error)
            raise

    def on_failure(self, error: OSError) -> None:
        """Told of what kept it from connecting."""


class Connection:
    """Inert until `start`. Raises ValueError, or ssl.SSLError, for what cannot be a subscription."""

    def __init__(self, subscription: MqttSubscription, shared: Shared) -> None:
        self.subscription, self._shared = subscription, shared
        self._messages = Messages(subscription, shared.series)
        tls = (
            ssl.create_default_context(cadata=subscription.certificate or None) if subscription.tls else None
        )
        self._client = client = _Guarded(shared.check, subscription.client_id, tls)
        self._number = 0  # of the connection
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(_WAITING)
        self._until = float("inf")
        self._worker = threading.Thread(target=self._work, name=f"mqtt {subscription.name}")
        self._unsubscribed, self._closing = threading.Event(), threading.Event()
        if subscription.user:
            client.username_pw_set(subscription.user, subscription.password)
        client.reconnect_delay_set(1, _LONGEST_WAIT)
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.on_subscribe, client.on_disconnect = self._on_subscribe, self._on_disconnect
        client.on_unsubscribe = lambda *_: self._unsubscribed.set()
        client.on_failure = lambda error: self._say(str(error))  # type: ignore[method-assign]

    def start(self) -> None:
        """Connect, and keep connecting."""
        self._say("not connected yet")
        self._shared.counters.left(self.subscription.name)
        self._client.connect_async(self.subscription.host, self.subscription.port, KEEPALIVE)
        self._worker.start()
        self._client.loop_start()

    def stop(self, wanted: Sequence[str] | None = None) -> None:
        """Finish what has arrived and disconnect; the broker keeps the rest. With `wanted`, it is told first to keep
        nothing but that, for somebody has changed or removed the subscription."""
        gone = [f for f in self._messages.filters if wanted is not None and f not in wanted]
        if gone and self._client.is_connected():
            self._client.unsubscribe(gone)
            self._unsubscribed.wait(_GOODBYE)
        self._until = time.monotonic() + _PATIENCE
        self._queue.put(None)
        self._worker.join()
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()
        self._say("")
        self._shared.counters.back(self.subscription.name)

    def _say(self, trouble: str) -> None:
        known = self._shared.counters.troubles
        if trouble and known.get(self.subscription.name) != trouble:
            _log.info("MQTT subscription %s: %s", self.subscription.name, trouble)
        if trouble:
            known[self.subscription.name] = trouble
        else:
            known.pop(self.subscription.name, None)

    def _on_connect(self, client: Client, _: Any, __: Any, code: Any, ___: Any) -> None:
        self._number += 1
        if code.is_failure:
            self._say(f"the broker refuses us: {code}")
            return
        self._shared.counters.back(self.subscription.name)
        client.subscribe([(f, 1) for f in self._messages.filters])

    def _on_subscribe(self, _: Client, __: Any, ___: int, codes: Sequence[Any], ____: Any) -> None:
        refused = [f for f, code in zip(self._messages.filters, codes, strict=False) if code.is_failure]
        self._say(f"the broker refuses {', '.join(refused)}" if refused else "")

    def _on_disconnect(self, _: Client, __: Any, ___: Any, code: Any, ____: Any) -> None:
        if not self._closing.is_set():
            self._shared.counters.left(self.subscription.name)
        if code.is_failure and "refuses us" not in self._shared.counters.troubles.get(
            self.subscription.name, ""
        ):
            self._say(f"the connection was lost: {code}")

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        while not self._closing.is_set():
            with suppress(queue.Full):
                self._queue.put(_Waiting(self._number, message, bytes(message.payload)), timeout=_AGAIN)
                return

    def _work(self) -> None:
        ended = False
        while not ended:
            some = [self._queue.get()]
            size = 0
            while len(some) < _AT_ONCE and size < _BYTES and not self._queue.empty():
                some.append(self._queue.get())
                size += len(some[-1].payload) if some[-1] else 0
            ended = None in some
            self._take([w for w in some if w is not None])

    def _take(self, some: Sequence[_Waiting]) -> None:
        """Journal messages together, then acknowledge them."""
        now_ms, counters = wall_ms(), self._shared.counters
        entries: Entries = []
        letters: list[Letter] = []
        taken = 0
        for _, message, payload in some:
            try:
                entries += self._messages.read(message.topic, payload, now_ms)
                taken += 1
            except WatchkeeperError as error:
                letters.append(Letter(error.reason, f"{message.topic[:200]}: {error.detail}", payload))
        counters.ages.saw_batches(entries[-1:], now_ms)
        made = sum(b.num_rows for _, b in entries)
        entries += self._shared.letters.rows(counters, self.subscription.name, letters, now_ms)
        try:
            if entries and not self._commit(entries):
                return
        except TooLarge as error:
            if len(some) > 1:
                for one in some:
                    self._take([one])
                return
            letters, taken = [Letter(error.reason, error.detail, b"")], 0
        if taken:
            size = sum(len(w.payload) for w in some)
            counters.accept(made, size, now_ms, requests=taken)
        for reason, count in Counter(letter.reason for letter in letters).items():
            counters.reject(reason, count)
        for connection, message, _ in some:
            if message.qos and connection == self._number:
                self._client.ack(message.mid, message.qos)

    def _commit(self, entries: Entries) -> bool:
        """Offer entries until the journal takes them; False when stopping leaves no time, and the broker keeps what was
        not acknowledged. Raises TooLarge."""
        held = False
        while True:
            try:
                with self._shared.series.declaring() as first:
                    self._shared.group.submit_blocking([*first, *entries])
            except TooLarge:
                raise
            except WatchkeeperError as error:
                held = True
                self._say(error.detail)
                if time.monotonic() > self._until:
                    return False
                time.sleep(_AGAIN)
            else:
                if held:
                    self._say("")
                return True
