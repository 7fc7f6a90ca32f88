"""What people declare in records and doors need at once: users of SNMPv3, subscriptions to MQTT brokers; and the port
by which a door asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Unread(msgspec.Struct, frozen=True):
    """A record that is on and cannot be used, because its secret cannot be read."""

    id: str
    name: str
    why: str


class SnmpUser(msgspec.Struct, frozen=True):
    """A user of SNMPv3: what they send is signed by `auth` and encrypted by `privacy`."""

    name: str
    auth: str = "none"  # none md5 sha sha224 sha256 sha384 sha512
    auth_secret: str = ""
    privacy: str = "none"  # none des aes aes192 aes256 aes192c aes256c
    privacy_secret: str = ""


class SnmpUsers(Protocol):
    """Who may send by SNMPv3 now."""

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        """By name. The same object while nothing has changed. From any thread."""
        ...


class MqttSubscription(msgspec.Struct, frozen=True):
    """Topics of one broker, and what their messages are."""

    id: str
    name: str
    host: str
    port: int
    client_id: str
    topics: tuple[str, ...]  # with {label} in place of + where a part of the topic becomes a label
    payload: str  # number numbers events
    tls: bool = False
    certificate: str = ""  # PEM of the authority, "" for those of this system
    user: str = ""
    password: str = ""
    metric: str = ""  # may have {label} in it
    labels: dict[str, str] = {}
    mapping: dict[str, str] = {}  # field of an event → JMESPath


class MqttSubscriptions(Protocol):
    """Which brokers to listen to now."""

    def mqtt_subscriptions(self) -> tuple[MqttSubscription, ...]:
        """Those that are on. From any thread."""
        ...


class MailAddresses(Protocol):
    """Which addresses are of mail accounts whose mails the SMTP door takes."""

    def mail_addresses(self) -> Mapping[str, int]:
        """Address, in lower case → the account's key. From any thread."""
        ...
