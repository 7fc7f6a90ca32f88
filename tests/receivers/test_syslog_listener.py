"""Syslog over real sockets: what is sent is in the journal, or it is counted and the sender is known."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.receivers.syslog_harness import LOCAL, RunningSyslog
from tests.support import eventually
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.syslog_datagrams import DatagramSocket, address_of


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[RunningSyslog]:
    running = RunningSyslog(tmp_path)
    running.start()
    yield running
    running.stop()
    running.close()


def line(text: str) -> bytes:
    return f"<13>{time.strftime('%b %e %H:%M:%S')} web1 app[7]: {text}".encode()


def test_datagrams_and_both_framings_arrive_in_order(syslog: RunningSyslog) -> None:
    syslog.send(*(line(f"datagram {i}") for i in range(300)))
    with syslog.connect() as lines, syslog.connect() as counted:
        lines.sendall(b"".join(line(f"line {i}") + b"\n" for i in range(300)))
        counted.sendall(b"".join(b"%d %s" % (len(m), m) for m in (line(f"frame {i}") for i in range(300))))
        eventually(lambda: len(syslog.rows()) == 900)
    for kind in ("datagram", "line", "frame"):
        assert [b for b in syslog.bodies() if b.startswith(kind)] == [f"{kind} {i}" for i in range(300)]
    row = syslog.rows()[0]
    assert (row["host"], row["source"], row["labels"]) == ("web1", "app", '{"facility":"user","pid":"7"}')
    assert abs(row["time_ns"] // 10**6 - row["received_ms"]) < 120_000
    eventually(lambda: syslog.counted["rows"] == 900)
    assert syslog.counted["rejected"] == {}


def test_the_sender_is_the_host_when_the_message_names_none(syslog: RunningSyslog) -> None:
    syslog.send(b"<13>just text")
    assert eventually(syslog.rows)[0]["host"] == "127.0.0.1"


def test_what_is_no_message_is_a_dead_letter_and_counted(syslog: RunningSyslog) -> None:
    good, bad = [line(f"good {i}") for i in range(50)], [b"\xff" * 20, b"<13>1 bad", b"<13>"]
    syslog.send(*(m for one in good for m in (one, *bad)))
    eventually(lambda: len(syslog.rows()) == 50)
    counted = eventually(lambda: syslog.counted if sum(syslog.counted["rejected"].values()) == 150 else None)
    assert counted["rejected"] == {"no_priority": 50, "bad_header": 50, "empty": 50}
    letters = syslog.rows(Stream.DEAD_LETTERS)
    assert {(r["door"], r["sender"], r["reason"], r["payload"]) for r in letters} == {
        ("syslog", "127.0.0.1", "no_priority", b"\xff" * 20),
        ("syslog", "127.0.0.1", "bad_header", b"<13>1 bad"),
        ("syslog", "127.0.0.1", "empty", b"<13>"),
    }
    assert counted["dead_letters"] == len(letters) == 150


def test_ten_thousand_bad_datagrams_fill_no_disk_and_stop_nothing(syslog: RunningSyslog) -> None:
    for i in range(100):
        syslog.send(*(b"junk %d" % j for j in range(100)), line(f"good {i}"))
        time.sleep(0.002)
    eventually(lambda: len(syslog.rows()) == 100)
    assert eventually(lambda: syslog.counted["rejected"].get("no_priority") == 10_000)
    assert syslog.counted["dead_letters"] + syslog.counted["dead_letters_dropped"] == 10_000
    assert len(syslog.rows(Stream.DEAD_LETTERS)) < 1000


def test_senders_that_no_key_admits_are_turned_away_and_listed(syslog: RunningSyslog) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.2", 0))
        for _ in range(5):
            s.sendto(line("from elsewhere"), ("127.0.0.1", syslog.udp_port))
    with syslog.connect("127.0.0.3") as s:
        assert s.recv(1) == b""
    syslog.send(line("from here"))
    eventually(lambda: syslog.bodies() == ["from here"])
    eventually(lambda: syslog.counted["rejected"] == {"unauthorised": 6})
    assert syslog.listener.admission.refused() == {"127.0.0.2": 5, "127.0.0.3": 1}


def test_a_key_with_a_rate_slows_streams_and_refuses_datagrams(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, IntakeKey(id="k", name="slow", addresses=("127.0.0.1",), rate=100.0))
    running.start()
    with running.connect() as s:
        for i in range(7):  # a burst of five seconds, then as many as the rate allows
            s.sendall(b"".join(line(f"{i} {j}") + b"\n" for j in range(100)))
            time.sleep(0.02)
        running.send(line("one too many"))
        assert eventually(lambda: running.counted["rejected"] == {"rate_limited": 1})
        assert len(running.rows()) <= 700
        s.sendall(line("last") + b"\n")
        eventually(lambda: "last" in running.bodies())
    assert len(running.rows()) == 701
    running.stop()
    running.close()


def test_a_journal_that_is_full_makes_senders_wait_and_loses_nothing(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, max_bytes=6_000_000)
    running.start()
    count = 40_000
    sent = threading.Event()

    def sender() -> None:
        with running.connect() as s:
            s.settimeout(60)
            for i in range(count // 100):
                s.sendall(
                    b"".join(line(f"{i * 100 + j} {os.urandom(450).hex()}") + b"\n" for j in range(100))
                )
        sent.set()

    thread = threading.Thread(target=sender, daemon=True)
    thread.start()
    eventually(lambda: running.listener.fault() != "")
    assert not sent.wait(1.0)
    seen: list[int] = []
    after = 0
    while len(seen) < count:
        assert running.journal.wait(after, 20.0)
        for entry in running.journal.read(after):
            seen += [int(body.split()[0]) for body in entry.batch.column("body").to_pylist()]
            after = entry.offset
        for consumer in ("telemetry", "analysis"):
            running.journal.commit(consumer, after)
    thread.join()
    assert seen == list(range(count))
    running.stop()
    running.close()


def test_what_was_read_is_committed_at_a_graceful_stop(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path)
    running.start()
    with running.connect() as s:
        s.sendall(b"".join(line(f"{i}") + b"\n" for i in range(5000)) + line("no newline"))
        running.send(line("datagram"))
        eventually(lambda: running.listener.streams[0].connections == 1)
        running.stop()
    assert sorted(running.bodies()) == sorted([*(str(i) for i in range(5000)), "no newline", "datagram"])
    running.close()


def test_stopping_does_not_wait_for_ever_for_a_full_journal(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, max_bytes=9000)
    running.start()
    for count in (5, 5, 1, 1):  # the second five find no room beside the first
        running.send(*(line(os.urandom(450).hex()) for _ in range(count)))
        eventually(lambda: running.counted["rows"] == 5)
    eventually(lambda: running.listener.fault() != "")
    running.stop()
    assert (running.counted["rows"], running.counted["rejected"]) == (5, {"journal_full": 7})
    running.close()


def test_framing_that_is_lost_ends_the_connection_and_long_frames_do_not(syslog: RunningSyslog) -> None:
    with syslog.connect() as s:
        s.sendall(b"70000 " + b"<" * 70_000 + b"%d %s" % (len(line("next")), line("next")))
        eventually(lambda: syslog.bodies() == ["next"])
        s.sendall(b"1000000000000000000 <13>x")
        assert s.recv(1) == b""
    reasons = {"frame_too_long": 1, "lost_framing": 1}
    assert eventually(lambda: syslog.counted["rejected"] == reasons)
    assert {r["reason"]: len(r["payload"]) for r in syslog.rows(Stream.DEAD_LETTERS)} == {
        "frame_too_long": 65_536,
        "lost_framing": 25,
    }


def test_a_thousand_idle_connections_do_not_disturb_one_that_speaks(syslog: RunningSyslog) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(syslog.connect()).sendall(b"<13>unfinished")
        eventually(lambda: syslog.listener.streams[0].connections == 1000)
        with syslog.connect() as s:
            s.sendall(line("heard") + b"\n")
            eventually(lambda: syslog.bodies() == ["heard"])
    eventually(lambda: syslog.listener.streams[0].connections == 0)
    assert eventually(lambda: len(syslog.rows()) == 1001)


def test_what_the_kernel_drops_is_counted_to_the_last_datagram(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, receive_buffer=20_000)
    running.send(*(line(f"{i}") for i in range(2000)))  # nobody receives yet
    running.start()
    eventually(lambda: running.counted["rows"] > 0)
    dropped = eventually(lambda: running.counted["rejected"].get("kernel_drop"))
    assert dropped + len(running.rows()) == 2000
    running.send(line("later"))
    eventually(lambda: "later" in running.bodies())
    assert running.counted["rejected"] == {"kernel_drop": dropped}
    running.stop()
    running.close()


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_datagrams_with_and_without_recvmmsg(host: str, batched: bool) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as bound, socket.socket(family, socket.SOCK_DGRAM) as s:
        bound.bind((host, 0))
        source = DatagramSocket(bound, batched=batched)
        assert len(source.receive().sizes) == 0
        sent = [b"a", b"", b"b" * 60_000, *(b"%d" % i for i in range(400))]
        for one in sent:
            s.sendto(one, bound.getsockname())
        parts = [source.receive(), source.receive()]
        assert b"".join(p.data for p in parts) == b"".join(sent)
        assert [n for p in parts for n in p.sizes.tolist()] == [len(one) for one in sent]
        assert {address_of(name) for p in parts for name in p.names} == {host}
        assert source.drops() == 0


def test_ipv6_and_ipv4_meet_on_one_socket(tmp_path: Path) -> None:
    running = RunningSyslog(tmp_path, LOCAL, host="::")
    running.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"<13>four", ("127.0.0.1", running.udp_port))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.sendto(b"<13>six", ("::1", running.udp_port))
    with socket.create_connection(("127.0.0.1", running.tcp_port), 10) as t:
        t.sendall(b"<13>stream\n")
    eventually(lambda: len(running.rows()) == 3)
    assert {r["body"]: r["host"] for r in running.rows()} == {
        "four": "127.0.0.1",
        "six": "::1",
        "stream": "127.0.0.1",
    }
    running.stop()
    running.close()
