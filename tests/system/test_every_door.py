"""Every door on a whole platform whose disk gets full, and whose receiving process is killed: what has no room is told so
in the words of its protocol, each door takes again, and what was answered is stored. HTTP doors are found in the
platform's own table."""

from __future__ import annotations

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cramjam
import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub

from tests.fuzz.seeds import split_http
from tests.fuzz.targets import good_of, over_http
from tests.journal.full_disk import Ballast
from tests.platform import Platform
from tests.receivers.front_harness import MAPPING
from tests.receivers.snmp_harness import tool
from tests.support import eventually, free_port
from tests.system.test_full_disk import disk  # noqa: F401
from watchkeeper.app.config import LISTENERS
from watchkeeper.receivers.http import HttpDoor

#: without an answer to a sender, so nothing is promised; or the same as another
UNANSWERED = {"syslog", "syslog_tls", "netflow", "https", "otlp_grpc_tls"}
BY_GRPC = "by grpc"
#: doors whose captured message becomes events, and so rows that can be counted by door
COUNTED = 14
ROWS = f"""SELECT door AS name, count() AS n FROM events GROUP BY door
UNION ALL SELECT 'otlp_grpc' AS name, count() AS n FROM logs WHERE body = '{BY_GRPC}'"""
Send = Callable[[], bool]


class Doors:
    """A platform with every door that answers, and a sender for each."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.key = platform, platform.key
        key = platform.get("/api/intake-keys/")["results"][0]["id"]
        mapping = {f: getattr(MAPPING, f) for f in MAPPING.__struct_fields__}
        assert platform.do("/api/payload-mappings/", {"intake_key": key, **mapping}).status == 201
        platform.run("intake-key", "create", "traps", "--door", "snmp", "--network", "127.0.0.0/8")
        self.senders: dict[str, Send] = {"otlp_grpc": self.log, "smtp": self.mail, "snmp": self.inform}
        assert set(self.senders) | UNANSWERED == set(LISTENERS), (
            "a door with a port of its own needs a sender here"
        )
        self.senders |= {door.path: self.http(door) for door in over_http()}

    def port(self, name: str) -> int:
        return int(self.platform.env[LISTENERS[name].setting].rpartition(":")[2])

    def http(self, door: HttpDoor) -> Send:
        kind, body = good_of(door)
        headers, data = split_http(body) if door.decode_headers else ({}, body)
        if door.encodings == ("snappy",):
            headers, data = {"Content-Encoding": "snappy"}, bytes(cramjam.snappy.compress_raw(body))
        headers = {"Content-Type": kind, "X-Watchkeeper-Key": self.key, **headers}

        def send() -> bool:
            try:
                status = self.platform.call("POST", door.path, data, 10, **headers).status
            except OSError:
                return False  # no answer, no promise
            assert status < 300 or status in (429, 503, 507), (door.path, status)
            return status < 300

        return send

    def log(self) -> bool:
        request = ExportLogsServiceRequest()
        record = request.resource_logs.add().scope_logs.add().log_records.add()
        record.body.string_value, record.time_unix_nano = BY_GRPC, time.time_ns()
        with grpc.insecure_channel(f"127.0.0.1:{self.port('otlp_grpc')}") as channel:
            try:
                LogsServiceStub(channel).Export(
                    request, metadata=(("x-watchkeeper-key", self.key),), timeout=10
                )
            except grpc.RpcError as error:
                told = (
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                )
                assert error.code() in told, error
                return False
        return True

    def mail(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port("smtp"), timeout=10) as s:
                s.sendmail("a@b", f"{self.key}@here", f"Subject: by mail {time.time_ns()}\n\ntext")
        except smtplib.SMTPResponseException as error:
            assert 400 <= error.smtp_code < 500, error
            return False
        except smtplib.SMTPRecipientsRefused as error:
            assert all(400 <= code < 500 for code, _ in error.recipients.values()), error
            return False
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def rows_of_each(self, at_least: int = 0) -> dict[str, int]:
        """Door → its rows in telemetry; nothing while there are fewer doors."""
        store = self.platform.telemetry()
        try:
            found = {str(row["name"]): int(row["n"]) for row in store.rows(ROWS) if int(row["n"])}
        finally:
            store.close()
        return found if len(found) >= at_least else {}

    def missing(self, taken: Counter[str], of_one: dict[str, int]) -> dict[str, int]:
        """Door → how many rows of what it has answered are not stored; `of_one` is what one message of each sender of
        a door makes."""
        there = self.rows_of_each()
        by_door: dict[str, int] = {}
        for name, rows in of_one.items():
            paths = [d.path for d in over_http() if d.name == name] or [{"mail": "smtp"}.get(name, name)]
            by_door[name] = rows * min(taken[path] for path in paths)
        return {name: n - there[name] for name, n in by_door.items() if there[name] < n}

    def inform(self) -> bool:
        words = (
            "-r",
            "0",
            "-t",
            "2",
            "-v2c",
            "-c",
            "public",
            f"127.0.0.1:{self.port('snmp')}",
            "1",
            "1.3.6.1.4.1.9.0.1",
        )
        return tool("snmpinform", *words, timeout=20).returncode == 0


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    names = [LISTENERS[name].setting for name in ("otlp_grpc", "smtp", "snmp")]
    return {setting: f"127.0.0.1:{free_port()}" for setting in names}


@pytest.fixture
def platform(disk: Path, env: dict[str, str]) -> Iterator[Platform]:  # noqa: F811
    with Platform(disk / "var", env).start() as started:
        yield started
        assert started.stop() == 0


@pytest.mark.timeout(240)
def test_a_full_disk_is_told_and_every_door_comes_back_from_it_and_from_a_kill(
    platform: Platform,
    disk: Path,  # noqa: F811
) -> None:
    doors = Doors(platform)
    for name, send in doors.senders.items():
        assert eventually(send, 30), name
    taken = Counter(dict.fromkeys(doors.senders, 1))
    of_one = eventually(lambda: doors.rows_of_each(COUNTED), 60)
    ballast = Ballast(disk)
    ballast.fill()
    eventually(
        lambda: platform.call("GET", "/readyz").status == 503 or not doors.senders["/api/v2/alerts"](), 60
    )
    refused = {name for name, send in doors.senders.items() if not _count(taken, name, send)}
    assert refused == set(doors.senders), f"taken on a full disk: {set(doors.senders) - refused}"
    ballast.free()
    for name, send in doors.senders.items():
        eventually(lambda name=name, send=send: _count(taken, name, send), 60)  # type: ignore[misc]
    _kill_while_sending(platform, doors, taken)
    eventually(lambda: not doors.missing(taken, of_one), 60)


def _count(taken: Counter[str], name: str, send: Send) -> bool:
    answered = send()
    taken[name] += answered
    return answered


def _kill_while_sending(platform: Platform, doors: Doors, taken: Counter[str]) -> None:
    """Each time at another door, whose message is on its way then."""
    names = list(doors.senders)
    for at in range(0, len(names), len(names) // 3):
        victim = platform.processes()["receive"]
        sending = threading.Thread(target=_count, args=(taken, names[at], doors.senders[names[at]]))
        sending.start()
        victim.kill()
        sending.join()
        for name in names[at : at + 3]:
            eventually(lambda name=name: _count(taken, name, doors.senders[name]), 60)  # type: ignore[misc]
