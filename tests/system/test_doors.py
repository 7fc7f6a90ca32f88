"""Doors with ports and ways of their own, on a whole platform: PagerDuty's events become an acknowledged alert, OTLP over
gRPC outlives a killed process, syslog comes by TLS."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub

from tests.platform import Platform
from tests.receivers.certificates import Authority
from tests.support import eventually, free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def running(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    chain, key = authority.issue("here")
    ports = {"OTLP_GRPC": free_port(), "SYSLOG_TLS": free_port()}
    env = {f"WATCHKEEPER_{name}": f"127.0.0.1:{port}" for name, port in ports.items()}
    env |= {"WATCHKEEPER_TLS_CERT": str(chain), "WATCHKEEPER_TLS_KEY": str(key)}
    with Platform(tmp_path_factory.mktemp("doors") / "var", env).start() as platform:
        yield platform
        assert platform.stop() == 0


def port(platform: Platform, name: str) -> int:
    return int(platform.env[f"WATCHKEEPER_{name}"].rpartition(":")[2])


def enqueue(platform: Platform, action: str, **more: Any) -> None:
    event = {"routing_key": platform.key, "event_action": action, "dedup_key": "disk of db-1", **more}
    answer = platform.call("POST", "/v2/enqueue", json.dumps(event).encode(), Content_Type="application/json")
    assert answer.status == 202, answer.body


def alert(platform: Platform) -> dict[str, Any]:
    found: list[dict[str, Any]] = platform.get("/api/alerts/?search=Disk")["results"]
    return found[0] if found else {}


def test_an_alert_of_pagerduty_is_acknowledged_and_resolved(running: Platform) -> None:
    payload = {"summary": "Disk full on db-1", "severity": "critical", "source": "db-1.example.com"}
    enqueue(running, "trigger", payload=payload)
    enqueue(running, "acknowledge")
    eventually(lambda: alert(running).get("acknowledged_by"), 60)
    assert alert(running)["status"] == "firing"
    enqueue(running, "resolve")
    eventually(lambda: alert(running)["status"] == "resolved", 60)
    assert running.get("/api/alerts/?search=Disk")["count"] == 1


def test_what_was_answered_over_grpc_is_there_after_a_kill(running: Platform) -> None:
    metadata = (("x-watchkeeper-key", running.key),)
    taken = []
    with grpc.insecure_channel(f"127.0.0.1:{port(running, 'OTLP_GRPC')}") as channel:
        export = LogsServiceStub(channel).Export
        for number in range(300):
            if number == 100:
                running.processes()["receive"].kill()
            request = ExportLogsServiceRequest()
            record = request.resource_logs.add().scope_logs.add().log_records.add()
            record.time_unix_nano, record.body.string_value = time.time_ns(), f"by grpc {number}"
            try:
                export(request, metadata=metadata, timeout=30, wait_for_ready=True)
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE
            else:
                taken.append(f"by grpc {number}")
    assert len(taken) > 250
    store = running.telemetry()
    query = "SELECT DISTINCT body FROM logs WHERE startsWith(body, 'by grpc ')"
    eventually(lambda: {r["body"] for r in store.rows(query)} >= set(taken), 60)
    store.close()


def test_syslog_by_tls(running: Platform, authority: Authority) -> None:
    running.run("intake-key", "create", "syslog", "--door", "syslog")
    trusted = ssl.create_default_context(cafile=str(authority.ca))
    message = b"<11>1 - web-1 app 7 - - by tls"

    def arrived() -> bool:
        with (
            socket.create_connection(("127.0.0.1", port(running, "SYSLOG_TLS")), 10) as plain,
            trusted.wrap_socket(plain, server_hostname="127.0.0.1") as s,
        ):
            s.sendall(b"%d %s" % (len(message), message))
        return bool(store.rows("SELECT body FROM logs WHERE body = 'by tls'"))

    store = running.telemetry()
    eventually(arrived, 60, 0.3)
    store.close()
