"""Which addresses and settings a page about hosts names, for every way to run the platform; and what it says when nothing
comes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.receivers.certificates import Authority
from watchkeeper.app.config import Config
from watchkeeper.console.hosts.files import files
from watchkeeper.console.hosts.reach import Reach, reach
from watchkeeper.console.hosts.ways import Asked
from watchkeeper.console.models import AddedHost
from watchkeeper.domains.identity import create_intake_key
from watchkeeper.domains.identity.models import IntakeKey, User

HERE = "http://127.0.0.1:8080/"
OPEN = {"WATCHKEEPER_LISTEN": "0.0.0.0:8080", "WATCHKEEPER_SYSLOG": "0.0.0.0:5514"}
TLS = {"WATCHKEEPER_TLS_CERT": "/c.pem", "WATCHKEEPER_TLS_KEY": "/k.pem"}


def seen(asked: str, **env: str) -> Reach:
    return reach(Config.from_env(env), asked, "10.0.0.1")


def test_on_loopback_the_settings_are_named() -> None:
    found = seen(HERE)
    assert found.url == "http://127.0.0.1:8080"
    assert found.missing == ("WATCHKEEPER_LISTEN=0.0.0.0:8080", "WATCHKEEPER_SYSLOG=0.0.0.0:5514")
    assert seen(HERE, **TLS).missing == (
        "WATCHKEEPER_HTTPS=0.0.0.0:8443",
        "WATCHKEEPER_SYSLOG_TLS=0.0.0.0:6514",
    )


def test_a_platform_that_is_open_is_named_as_others_reach_it() -> None:
    assert seen(HERE, **OPEN) == Reach("http://10.0.0.1:8080", "10.0.0.1", 5514, 0)
    assert seen("http://watch:8080/", **OPEN).url == "http://watch:8080"
    assert (
        seen(HERE, **OPEN, WATCHKEEPER_PUBLIC_URL="https://watch.example.org").url
        == "https://watch.example.org"
    )
    assert seen(HERE, WATCHKEEPER_LISTEN="10.0.0.9:80", WATCHKEEPER_SYSLOG="off") == Reach(
        "http://10.0.0.9:80", "10.0.0.9", 0, 0
    )


def test_behind_a_proxy_on_loopback_only_syslog_is_missing() -> None:
    found = seen(HERE, WATCHKEEPER_PUBLIC_URL="https://watch.example.org")
    assert (found.url, found.missing) == ("https://watch.example.org", ("WATCHKEEPER_SYSLOG=0.0.0.0:5514",))


def test_syslog_goes_over_tls_where_there_is_a_certificate() -> None:
    open_tls = {**TLS, "WATCHKEEPER_HTTPS": "0.0.0.0:443", "WATCHKEEPER_SYSLOG_TLS": "0.0.0.0:6514"}
    found = seen("https://watch.example.org/", **open_tls)
    assert (found.secure, found.missing) == (True, ())
    setup = files(Asked("", "10.0.0.7", "9100", ("rsyslog",)), found, "")["rsyslog"]
    assert 'port="6514"' in setup and 'StreamDriverPermittedPeers="watch.example.org"' in setup


def test_rsyslog_knows_a_platform_that_is_reached_by_its_address_by_a_name_of_its_certificate(
    tmp_path: Path,
) -> None:
    certificate, key = Authority(tmp_path).issue("watch.example.org")
    tls = {"WATCHKEEPER_TLS_CERT": str(certificate), "WATCHKEEPER_TLS_KEY": str(key)}
    found = seen("https://10.0.0.1/", **tls, WATCHKEEPER_SYSLOG_TLS="0.0.0.0:6514")
    setup = files(Asked("", "10.0.0.7", "9100", ("rsyslog",)), found, "")["rsyslog"]
    assert 'target="10.0.0.1"' in setup
    assert 'StreamDriverPermittedPeers="watch.example.org"' in setup


@pytest.mark.django_db
def test_after_two_minutes_of_nothing_it_says_what_to_look_at(client: Client) -> None:
    create_intake_key("web-3", ["otlp", "syslog"])
    host = AddedHost.objects.create(
        name="web-3", address="10.0.0.7", ways=["otelcol", "rsyslog"], key=IntakeKey.objects.get()
    )
    client.force_login(User.objects.create_user("ada", "correct horse battery", is_administrator=True))
    assert b"Nothing has come for two minutes" not in client.get(f"/hosts/add/{host.pk}/").content
    AddedHost.objects.update(created_at=timezone.now() - dt.timedelta(minutes=3))
    shown = client.get(f"/hosts/add/{host.pk}/").content.decode()
    for said in (
        "Nothing has come for two minutes",
        "/readyz",
        "/v1/logs",
        "journalctl -u otelcol-contrib",
        "nc -vz",
    ):
        assert said in shown
    client.force_login(User.objects.create_user("bob", "correct horse battery"))
    assert client.get(f"/hosts/add/{host.pk}/").status_code == 403
