"""What people declare in records and doors need at once: users of SNMPv3, subscriptions to MQTT brokers; and the port
by which a door asks for them."""

from __future__ import annotations

from typing import Protocol

import msgspec


class SnmpUser(msgspec.Struct, frozen=True):
    """A user of SNMPv3. Without `auth` nothing is signed, without `privacy` nothing encrypted."""

    name: str
    auth: str = ""  # md5 sha sha224 sha256 sha384 sha512
    auth_secret: str = ""
    privacy: str = ""  # des aes aes192 aes256 aes192c aes256c
    privacy_secret: str = ""


class SnmpUsers(Protocol):
    """Who may send by SNMPv3 now."""

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        """By name. The same object while nothing has changed. From any thread."""
        ...
