"""Probes ask real servers on loopback; what they complain about is told after so many times in a row, and ended."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pollers.polled_servers import Names, Page, endless, redirect, text
from tests.receivers.certificates import Authority
from tests.support import free_port
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.polled import Firing, Probe
from watchkeeper.pollers.outcome import CERTIFICATE, DOWN, SLOW, Complaint, Outcome
from watchkeeper.pollers.probing import Prober, certificate
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.schedule import Schedule
from watchkeeper.pollers.watch import Asked, Watch
from watchkeeper.pollers.web import Web

DAY_MS = 86_400_000


def ask(kind: str, target: str, **fields: Any) -> Outcome:
    """One question, with the time as it is."""

    async def asked() -> Outcome:
        reach = Reach(refuses)
        web = Web(reach)
        await web.start()
        prober = Prober(reach, web)
        fields.setdefault("timeout", 3.0)
        found = await prober.ask(
            Probe(id="1", name="p", kind=kind, **fields), target, round(time.time() * 1000)
        )
        prober.close()
        await web.stop()
        return found

    return asyncio.run(asked())


def words(found: Outcome, condition: str = DOWN) -> str:
    complaint = found.complaints.get(condition)
    return complaint.words if complaint else ""


def measured(found: Outcome) -> dict[str, float]:
    return {m.name: m.value for m in found.measured}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[Page]:
    made = Page(text(b"hello"), authority.issue("shop"))
    yield made
    made.stop()


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page(text(b"all is well"))
    yield made
    made.stop()


def test_http_expects_a_status_and_a_body(page: Page) -> None:
    url = f"http://{page.address}/"
    assert ask("http", url, body="is w.ll").ok
    assert (
        words(ask("http", url, body="is ill"))
        == "answers without what is expected: nothing in it matches 'is ill'"
    )
    assert words(ask("http", url, statuses=(301, 404))) == "answers 200 instead of 301 or 404"
    page.say = text(b"", status=404)
    found = ask("http", url, statuses=(301, 404))
    assert (
        found.ok
        and measured(found)["probe_http_status_code"] == 404
        and measured(found)["probe_success"] == 1
    )
    page.say = redirect(f"http://{page.address}/")
    assert words(ask("http", url)) == "redirects more than 5 times"
    page.say = endless(b"x" * 1000)
    assert ask("http", url, body="xxx").ok
    page.say = endless(b"x", pause=0.05)
    assert words(ask("http", url, timeout=0.3)) == "does not answer within 0.3 s"


def test_a_certificate_is_checked_and_its_end_told(secure: Page, authority: Authority) -> None:
    url, trusted = f"https://{secure.address}/", authority.ca.read_text()
    assert words(ask("http", url)).startswith("shows a certificate that cannot be trusted: ")
    found = ask("http", url, authority=trusted)
    assert found.ok and words(found, CERTIFICATE) == "has a certificate that ends within a day"
    ends = measured(found)["probe_ssl_earliest_cert_expiry"]
    assert abs(ends - (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).timestamp()) < 600
    assert ask("http", url, verify=False).ok
    shown = ask("tls", secure.address, authority=trusted)
    assert (
        shown.ok and words(shown, CERTIFICATE) and measured(shown)["probe_ssl_earliest_cert_expiry"] == ends
    )
    assert words(ask("tls", f"127.0.0.2:{secure.port}", authority=trusted))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        assert words(ask("tls", where, timeout=0.3)) == "does not answer within 0.3 s"


def test_the_end_of_a_certificate_grows_worse_with_the_days() -> None:
    probe = Probe(id="1", name="p", kind="tls")
    told = {days: certificate(probe, days * DAY_MS + 1, 0) for days in (30, 12, 6, 1, 0, -1)}
    assert told[30] is None
    assert told[12] == Complaint("warning", "has a certificate that ends in 12 days")
    assert told[6] == Complaint("critical", "has a certificate that ends in 6 days")
    assert told[1] == Complaint("critical", "has a certificate that ends in 1 day")
    assert told[0] == Complaint("critical", "has a certificate that ends within a day")
    assert told[-1] == Complaint("critical", "has a certificate that has ended")


def test_tcp_connects_sends_and_expects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"220 mail ")
                    connection.settimeout(1)
                    try:
                        connection.sendall(connection.recv(100).upper())
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        assert ask("tcp", where).ok
        assert ask("tcp", where, expect="^220 .*HELO X\r\n", send="helo x\\r\\n").ok
        assert "says '220 mail QUIT', which does not match '^500'" in words(
            ask("tcp", where, expect="^500", send="quit")
        )
    assert words(ask("tcp", f"127.0.0.1:{free_port()}")) == "refuses the connection"
    assert words(ask("tcp", "169.254.169.254:80")) == "is not polled: nothing there is ever polled"


def test_dns_expects_records() -> None:
    names = Names("shop.example", "192.0.2.7")
    server = f"127.0.0.1:{names.port}"
    found = ask("dns", "shop.example", server=server, answers=("192.0.2.7",))
    assert found.ok and measured(found)["probe_dns_lookup_time_seconds"] > 0
    wrong = ask("dns", "shop.example", server=server, answers=("192.0.2.8",))
    assert words(wrong) == "has 192.0.2.7 as A, and not 192.0.2.8"
    assert words(ask("dns", "other.example", server=server)) == "is answered with NXDOMAIN"
    assert words(ask("dns", "shop.example", server=server, record="TXT")) in ("has no TXT record",)


def test_a_ping_is_answered_on_loopback_in_both_families() -> None:
    for target in ("127.0.0.1", "localhost", "::1"):
        found = ask("icmp", target)
        assert found.ok, words(found)
        assert 0 < measured(found)["probe_icmp_duration_seconds"] < 3


def test_what_is_slow_is_told_as_a_warning(page: Page) -> None:
    found = ask("http", f"http://{page.address}/", slow=0.000001)
    assert found.ok and found.complaints[SLOW] and "s to answer" in words(found, SLOW)
    assert ask("http", f"http://{page.address}/", slow=60.0).complaints[SLOW] is None


ASKED = Asked("probe", "1", "db1:5432", {"instance": "db1:5432"}, 2)
BAD, GOOD = Outcome(complaints={DOWN: Complaint("critical", "is gone")}), Outcome(complaints={DOWN: None})


def test_a_single_failure_is_not_told_and_what_is_told_ends_once() -> None:
    watch = Watch()
    assert (
        not watch.judge(ASKED, BAD, 1) and not watch.judge(ASKED, GOOD, 2) and not watch.judge(ASKED, BAD, 3)
    )
    [fires] = watch.judge(ASKED, BAD, 4)
    assert fires["summary"] == "db1:5432 is gone, second time in a row" and fires["status"] == "firing"
    assert not watch.judge(ASKED, BAD, 5)
    [over] = watch.judge(ASKED, GOOD, 6)
    assert (over["status"], over["starts_ms"], over["ends_ms"]) == ("resolved", 4, 6)
    assert over["labels"] == fires["labels"] and not watch.judge(ASKED, GOOD, 7)


def test_a_successor_tells_again_what_may_not_have_arrived() -> None:
    first = Watch()
    first.judge(ASKED, BAD, 1)
    first.judge(ASKED, BAD, 2)
    assert first.judge(ASKED, GOOD, 3)
    kept = first.kept()
    assert list(kept) == [ASKED.key(DOWN)], "the end is not in the journal yet"
    assert [r["status"] for r in Watch(kept).judge(ASKED, GOOD, 4)] == ["resolved"]
    again = Watch(kept)
    assert [r["status"] for r in again.judge(ASKED, BAD, 4)] == ["firing"] and not again.judge(ASKED, BAD, 5)
    assert [r["summary"] for r in Watch(kept).leave({ASKED.key(DOWN)}, 6)] == ["db1:5432 is no longer polled"]
    first.settle()
    assert not first.kept()


def test_a_severity_that_changes_is_told() -> None:
    watch = Watch({ASKED.key(CERTIFICATE): Firing(1, {}, "warning", "x")})
    later = Outcome(complaints={DOWN: None, CERTIFICATE: Complaint("warning", "w")})
    watch.judge(ASKED, later, 1)
    assert not watch.judge(ASKED, later, 2)
    [worse] = watch.judge(ASKED, Outcome(complaints={CERTIFICATE: Complaint("critical", "c")}), 3)
    assert (worse["severity"], worse["starts_ms"]) == ("critical", 1)


def test_a_schedule_spreads_leaves_out_and_does_not_make_up() -> None:
    schedule, counts = Schedule(), [0] * 150
    for n in range(1000):
        schedule.put(f"t{n}", 15.0, 1000.0)
    for tenth in range(4500):
        found = schedule.due(1000.0 + tenth / 10)
        if tenth >= 300:
            counts[tenth % 150] += len(found)
    assert sum(counts) == 28 * 1000 and max(counts) < 28 * 25, (
        "about seven a tenth of a second, and never all"
    )
    assert len(schedule.due(1e6)) == 1000, "a long sleep is one question a target"
    assert len(schedule.due(1e6)) == 0
    schedule.drop("t1")
    assert "t1" not in schedule.due(1e6 + 100)


def test_http_tells_how_long_each_part_took(page: Page, secure: Page) -> None:
    plain, encrypted = (ask("http", f"{scheme}://{one.address}/", verify=False)
                        for scheme, one in (("http", page), ("https", secure)))  # fmt: skip
    for found, handshakes in ((plain, False), (encrypted, True)):
        took = {m.labels["phase"]: m.value for m in found.measured if m.name == "probe_http_duration_seconds"}
        assert set(took) == {"resolve", "connect", "tls", "processing", "transfer"}
        assert min(took.values()) >= 0 and took["connect"] > 0 and took["processing"] > 0
        assert (took["tls"] > 0) is handshakes
        assert sum(took.values()) <= found.seconds
