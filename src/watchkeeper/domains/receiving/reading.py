"""What is declared for doors, in memory and brought up to date in the background, so that no message waits for the
database."""

from __future__ import annotations

from collections.abc import Mapping

from watchkeeper.domains.desk.mail.parties import door_addresses
from watchkeeper.domains.receiving import models
from watchkeeper.domains.receiving.rereading import Rereading, readable
from watchkeeper.model.declared import MqttSubscription, SnmpUser

_USER = ("name", "auth", "auth_secret", "privacy", "privacy_secret")
_SUBSCRIPTION = ("name", "host", "port", "client_id", "payload", "tls", "certificate", "user", "password", "metric",
                 "labels", "mapping")  # fmt: skip


class DatabaseDeclared(Rereading):
    """Inert until `start`; what it gives may be asked for from any thread."""

    what = "what is declared for doors"

    def __init__(self) -> None:
        super().__init__()
        self._users: tuple[SnmpUser, ...] = ()
        self._subscriptions: tuple[MqttSubscription, ...] = ()
        self._addresses: Mapping[str, int] = {}

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        """By name; the same object while nothing has changed."""
        return self._users

    def mqtt_subscriptions(self) -> tuple[MqttSubscription, ...]:
        """Those that are on."""
        return self._subscriptions

    def mail_addresses(self) -> Mapping[str, int]:
        """Of the accounts that are on and whose mails the SMTP door takes."""
        return self._addresses

    def _read(self) -> None:
        self._addresses = door_addresses()
        users, no_users = readable(models.SnmpUser.objects.filter(enabled=True), _user)
        if users != self._users:
            self._users = users
        found = models.MqttSubscription.objects.filter(enabled=True).order_by("pk")
        self._subscriptions, no_subscriptions = readable(found, _subscription)
        self._unread = {"snmp": no_users, "mqtt": no_subscriptions}


def _user(one: models.SnmpUser) -> SnmpUser:
    return SnmpUser(*(getattr(one, field) for field in _USER))


def _subscription(one: models.MqttSubscription) -> MqttSubscription:
    fields = {field: getattr(one, field) for field in _SUBSCRIPTION}
    return MqttSubscription(id=str(one.pk), topics=tuple(one.topics), **fields)
