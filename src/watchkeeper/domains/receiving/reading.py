"""What is declared for doors, in memory and brought up to date in the background, so that no message waits for the
database."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, connection

from watchkeeper.domains.receiving import models
from watchkeeper.model.declared import MqttSubscription, SnmpUser

REFRESH = 1.5  # seconds
_log = logging.getLogger(__name__)
_USER = ("name", "auth", "auth_secret", "privacy", "privacy_secret")
_SUBSCRIPTION = ("name", "host", "port", "client_id", "payload", "tls", "certificate", "user", "password", "metric",
                 "labels", "mapping")  # fmt: skip


class DatabaseDeclared:
    """Inert until `start`; what it gives may be asked for from any thread."""

    def __init__(self) -> None:
        self._users: tuple[SnmpUser, ...] = ()
        self._subscriptions: tuple[MqttSubscription, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="declared", daemon=True)

    def start(self) -> None:
        """Read, and keep reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the background reading."""
        self._stop.set()
        self._thread.join()

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        """By name; the same object while nothing has changed."""
        return self._users

    def mqtt_subscriptions(self) -> tuple[MqttSubscription, ...]:
        """Those that are on."""
        return self._subscriptions

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._read()
                except DatabaseError as error:
                    # What we know stays good: the doors stay open while the records are away.
                    connection.close()
                    _log.warning("what is declared for doors cannot be read, going on as before: %s", error)
                self._stop.wait(REFRESH)
        finally:
            connection.close()

    def _read(self) -> None:
        users = tuple(
            SnmpUser(*row) for row in models.SnmpUser.objects.filter(enabled=True).values_list(*_USER)
        )
        if users != self._users:
            self._users = users
        found = models.MqttSubscription.objects.filter(enabled=True).order_by("pk")
        self._subscriptions = tuple(
            MqttSubscription(
                id=str(one.pk),
                topics=tuple(one.topics),
                **{field: getattr(one, field) for field in _SUBSCRIPTION},
            )
            for one in found
        )
