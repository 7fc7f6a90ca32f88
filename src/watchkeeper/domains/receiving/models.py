"""Users of SNMPv3, and subscriptions to MQTT brokers."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models

from watchkeeper.kernel.fields import SealedField


def new_client_id() -> str:
    """The name under which a broker keeps what waits for a subscription."""
    return f"watchkeeper-{secrets.token_hex(6)}"


class SnmpUser(models.Model):
    """Somebody who may send SNMPv3 notifications; what they send has to be as safe as is said here."""

    class Auth(models.TextChoices):
        """How messages are signed."""

        NONE = "none", "not signed"
        SHA512 = "sha512", "SHA-512"
        SHA384 = "sha384", "SHA-384"
        SHA256 = "sha256", "SHA-256"
        SHA224 = "sha224", "SHA-224"
        SHA = "sha", "SHA-1"
        MD5 = "md5", "MD5"

    class Privacy(models.TextChoices):
        """How messages are encrypted."""

        NONE = "none", "not encrypted"
        AES = "aes", "AES-128"
        AES192 = "aes192", "AES-192"
        AES256 = "aes256", "AES-256"
        AES192C = "aes192c", "AES-192, as Cisco extends keys"
        AES256C = "aes256c", "AES-256, as Cisco extends keys"
        DES = "des", "DES"

    name = models.CharField(max_length=32, unique=True)
    enabled = models.BooleanField("on", default=True)
    auth = models.CharField("signed with", max_length=8, choices=Auth, default=Auth.NONE)
    auth_secret = SealedField("pass phrase for signing", blank=True, default="")
    privacy = models.CharField("encrypted with", max_length=8, choices=Privacy, default=Privacy.NONE)
    privacy_secret = SealedField("pass phrase for encryption", blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "SNMP user"

    def __str__(self) -> str:
        return self.name


class MqttSubscription(models.Model):
    """Topics of an MQTT broker that are listened to, and what their messages are."""

    class Payload(models.TextChoices):
        """What a message holds."""

        NUMBER = "number", "one number: a sample"
        NUMBERS = "numbers", "a JSON object: a sample for each number in it"
        EVENTS = "events", "JSON: an event, by a mapping"

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    host = models.CharField("broker", max_length=253)
    port = models.PositiveIntegerField(default=1883)
    tls = models.BooleanField("TLS", default=False)
    certificate = models.TextField("authority", blank=True, default="")
    user = models.CharField(max_length=200, blank=True, default="")
    password = SealedField(blank=True, default="")
    client_id = models.CharField("client id", max_length=64, unique=True, default=new_client_id)
    topics = models.JSONField(default=list)
    payload = models.CharField("messages are", max_length=8, choices=Payload, default=Payload.NUMBER)
    metric = models.CharField(max_length=200, blank=True, default="")
    labels = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "MQTT subscription"

    def __str__(self) -> str:
        return self.name
