"""What is declared for doors keeps what every kind promises, and is refused where it could not work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem
from watchkeeper.domains.receiving.models import MqttSubscription, SnmpUser


class TestSnmpUsers(KindChecks):
    path = "snmp-users"
    invalid = {"name": "x" * 33, "auth": "rot13", "privacy": "aes1"}
    changes = {"enabled": False, "auth": "sha512", "privacy": "aes256"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"switch{n}", "auth": "sha256", "auth_secret": "signing phrase", "privacy": "aes",
                "privacy_secret": "hiding phrase"}  # fmt: skip

    @pytest.mark.parametrize(("body", "field"), [
        ({"auth": "sha", "auth_secret": "short"}, "auth_secret"),
        ({"auth": "sha"}, "auth_secret"),
        ({"privacy": "aes", "privacy_secret": "long enough"}, "auth"),
        ({"auth": "sha", "auth_secret": "long enough", "privacy": "aes"}, "privacy_secret"),
        ({"name": "ü" * 17}, "name"),
    ])  # fmt: skip
    def test_what_no_device_could_use_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {"name": "x", **body}, content_type="application/json")
        assert field in str(problem(answer, 400))

    def test_pass_phrases_are_sealed_and_never_shown(self) -> None:
        (one,) = self.make(1, 2)
        assert "phrase" not in str(self.send("get", f"{self.url}{one}/"))
        assert SnmpUser.objects.get(pk=one).auth_secret == "signing phrase"
        self.send("patch", f"{self.url}{one}/", {"enabled": False})
        assert SnmpUser.objects.get(pk=one).auth_secret == "signing phrase"


class TestMqttSubscriptions(KindChecks):
    path = "mqtt-subscriptions"
    invalid = {"port": 0, "topics": [], "payload": "xml", "labels": {"a b": "c"}, "mapping": {"colour": "x"}}
    changes = {"port": 8883, "tls": True, "topics": ["a/{line}"], "payload": "events", "metric": "",
               "mapping": {"name": "alarm.text", "label.host": "device"}}  # fmt: skip

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"plant {n}", "host": "mqtt.example.org", "topics": ["plant/{line}/{what}"],
                "metric": "plant_{what}", "password": "secret"}  # fmt: skip

    @pytest.mark.parametrize(("body", "field"), [
        ({"topics": ["a/#/b"]}, "topics"),
        ({"topics": ["a+"]}, "topics"),
        ({"topics": ["a/{b"]}, "topics"),
        ({"metric": "hello world"}, "metric"),
        ({"metric": "x_{colour}"}, "metric"),
        ({"mapping": {"name": "foo["}}, "mapping"),
        ({"mapping": {"label.": "foo"}}, "mapping"),
        ({"certificate": "-----BEGIN CERTIFICATE-----"}, "certificate"),
        ({"certificate": "Zertifikat von Müller"}, "certificate"),
    ])  # fmt: skip
    def test_what_could_not_work_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in str(problem(answer, 400))

    def test_the_password_is_sealed_and_never_shown(self) -> None:
        (one,) = self.make(1, 2)
        assert "secret" not in str(self.send("get", f"{self.url}{one}/"))
        assert MqttSubscription.objects.get(pk=one).password == "secret"
