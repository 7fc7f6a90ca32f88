"""Mail as events: what a mail says, and the SMTP door with Python's own client as sender."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers.smtp_harness import KEY, RunningSmtp, certificate
from tests.support import eventually
from watchkeeper.model.errors import TooLarge, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.events import batch, rows
from watchkeeper.receivers.mail import MOST, NAME, reported, tamed

CAPTURES = Path(__file__).resolve().parent.parent / "captures" / "mail"
NOW_MS = 1_795_385_321_000
TO = f"{KEY}@watchkeeper.example"


def mail(subject: str, text: str = "Something is wrong.\n", **headers: str) -> EmailMessage:
    out = EmailMessage()
    out["From"], out["To"], out["Subject"] = "Cron <root@web1.example.org>", TO, subject
    for name, value in headers.items():
        out[name.replace("_", "-")] = value
    out.set_content(text)
    return out


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[RunningSmtp]:
    running = RunningSmtp(tmp_path)
    yield running
    running.stop()


def told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "labels": json.loads(row["labels"]), "annotations": json.loads(row["annotations"])}


def became(raw: bytes) -> dict[str, Any]:
    try:
        made = reported(raw, "sender@example.org", NOW_MS)
    except WatchkeeperError as error:
        return {"status": error.status, "reason": error.reason, "detail": error.detail}
    return told(batch(NAME, rows([made], NOW_MS), NOW_MS).to_pylist()[0])


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.eml")), ids=lambda p: p.stem)
def test_a_captured_mail_becomes_what_is_expected(path: Path) -> None:
    assert became(path.read_bytes()) == json.loads(path.with_suffix(".expected.json").read_text())


@pytest.mark.parametrize(("first", "second"), [
    ("PROBLEM: Disk /var 91% full on web1", "RESOLVED: Disk /var 84% full on web1"),
    ("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", "** RECOVERY Service Alert: web1/HTTP is OK **"),
    ("Problem: Load is too high on db2", "Resolved in 5m 3s: Load is too high on db2"),
    ("[FIRING:1] HighLatency api", "[RESOLVED] HighLatency api"),
    ("Re: [EXT] Alert: backup 2026-11-26 02:00 failed", "OK: backup 2026-11-27 02:00 failed"),
    ("Fwd: AW: job 5f0c2a3e-0a1b-4c2d-8e3f-001122334455 stuck", "RECOVERY: job 00000000-0a1b-4c2d-8e3f-001122334455 stuck"),
])  # fmt: skip
def test_a_subject_names_the_same_thing_before_and_after(first: str, second: str) -> None:
    assert tamed(first)[0] == tamed(second)[0] != ""
    assert (tamed(first)[1], tamed(second)[1]) == (False, True)


@pytest.mark.parametrize("subject", ["OK to deploy tonight?", "Up and running", "Closed doors", "okay: x"])
def test_what_only_sounds_like_the_end_is_none(subject: str) -> None:
    assert not tamed(subject)[1]


def test_names_keep_their_numbers() -> None:
    assert (
        tamed("web1 eth0 10.0.0.7:8080 /dev/sda2 v1.2 lost")[0]
        == "web1 eth0 10.0.0.7:8080 /dev/sda2 v1.2 lost"
    )


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_mail_or_refused(raw: bytes) -> None:
    for body in (raw, b"Subject: " + raw, b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" + raw):
        try:
            made = reported(body, "x", NOW_MS)
        except WatchkeeperError:
            continue
        batch(NAME, rows([made], NOW_MS), NOW_MS)


@pytest.mark.parametrize("raw", [
    b"x: y\n" * (MOST // 5 + 1),
    b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(5000)),
    b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 100_000,
])  # fmt: skip
def test_bombs_are_refused(raw: bytes) -> None:
    with pytest.raises(TooLarge):
        reported(raw, "x", NOW_MS)


def test_a_mail_is_safe_once_it_is_answered(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        client.send_message(
            mail("Backup failed on web1", "Line one\n\nLine two\n", X_Severity="page", X_Host="web1")
        )
        (row,) = map(told, smtp.rows())
        client.send_message(mail("RESOLVED: Backup failed on web1", X_Host="web1"))
    assert (row["name"], row["severity"], row["summary"]) == (
        "Backup failed on web1", "critical", "Line one\nLine two",
    )  # fmt: skip
    assert row["labels"] == {"from": "root@web1.example.org", "host": "web1"} and row["door"] == "mail"
    after = told(smtp.rows()[1])
    assert (after["status"], after["name"], after["labels"]) == ("resolved", row["name"], row["labels"])
    assert (smtp.counted["requests"], smtp.counted["rejected"]) == (2, {})


def test_who_has_no_key_is_turned_away(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        for wrong in ("nobody", "wki_other"):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                client.sendmail("a@b", f"{wrong}@here", "Subject: x\n\nx")
            assert refused.value.recipients[f"{wrong}@here"][0] == 550
        with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPServerDisconnected)):
            client.sendmail("a@b", "third@here", "Subject: x\n\nx")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            for _ in range(3):
                client.noop()
    assert smtp.rows() == [] and smtp.counted["rejected"] == {"unauthorised": 3}


def test_a_password_serves_as_well(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("anybody", "wrong")
        client.login("anybody", KEY)
        client.sendmail("a@b", "alerts@watchkeeper", "Subject: signed in\n\nx")
    assert [r["name"] for r in smtp.rows()] == ["signed in"]


def test_a_full_journal_lets_the_sender_try_again(tmp_path: Path) -> None:
    smtp = RunningSmtp(tmp_path, max_bytes=200_000)
    try:
        with smtp.client() as client, pytest.raises(smtplib.SMTPDataError) as refused:
            for n in range(10_000):
                client.send_message(mail(f"mail {chr(97 + n % 26) * 200}", "x\n" * 500))
        assert refused.value.smtp_code == 451 and smtp.counted["rejected"] == {"journal_full": 1}
        assert smtp.counted["requests"] == len(smtp.rows())
    finally:
        smtp.stop()


def test_what_is_too_large_is_refused_before_and_after(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as early:  # it says its size
            client.sendmail("a@b", TO, "Subject: x\n\n" + "x" * (MOST + 1))
        assert early.value.smtp_code == 552
        client.docmd("MAIL", "FROM:<a@b>")
        client.docmd("RCPT", f"TO:<{TO}>")
        assert client.data(b"Subject: x\r\n\r\n" + b"x\r\n" * (MOST // 3))[0] == 552
        client.sendmail("a@b", TO, "Subject: goes on\n\nx")
    assert [r["name"] for r in smtp.rows()] == ["goes on"] and smtp.counted["rejected"] == {"too_large": 2}


def test_a_key_that_sends_too_much_waits(smtp: RunningSmtp) -> None:
    with smtp.client() as client, pytest.raises(smtplib.SMTPDataError) as refused:
        for _ in range(5):
            client.sendmail("a@b", "wki_slow@here", "Subject: x\n\nx")
    assert refused.value.smtp_code == 450 and smtp.counted["rejected"] == {"rate_limited": 1}


def test_no_mail_hides_in_another(smtp: RunningSmtp) -> None:
    """Only CRLF . CRLF ends a mail: what ends with less would be two mails here and one elsewhere."""
    hidden = b"MAIL FROM:<a@b>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: second\r\n\r\nx" % TO.encode()
    for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r"):
        with smtp.client() as client:
            client.ehlo()
            client.docmd("MAIL", "FROM:<a@b>")
            client.docmd("RCPT", f"TO:<{TO}>")
            client.docmd("DATA")
            client.send(b"Subject: first\r\n\r\ntext" + end + hidden + b"\r\n.\r\n")
            assert client.getreply()[0] == 250
    assert {r["name"] for r in smtp.rows()} == {"first"}


def test_what_speaks_no_smtp_is_hung_up_on(smtp: RunningSmtp) -> None:
    for said in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 100_000 + b"\r\n",
        b"HELP\r\n" * 50,
        b"\x16\x03\x01\r\n" * 20,
    ):
        with socket.create_connection(("127.0.0.1", smtp.port), timeout=10) as s:
            s.sendall(said)
            answer = b""
            try:
                while piece := s.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            assert answer.startswith(b"220 ") and b"\r\n250" not in answer
    with smtp.client() as client:
        client.sendmail("a@b", TO, "Subject: still there\n\nx")
    assert [r["name"] for r in smtp.rows()] == ["still there"]


def test_tls_begins_in_the_middle_and_a_password_only_then(tmp_path: Path) -> None:
    smtp = RunningSmtp(tmp_path, tls=True)
    try:
        with smtp.client() as client:
            client.ehlo()
            assert client.docmd("AUTH", "PLAIN AHgAeA==")[0] == 538 and not client.has_extn("auth")
            client._host = "localhost"  # type: ignore[attr-defined]  # the name in the certificate
            client.starttls(context=ssl.create_default_context(cadata=certificate()[0].decode()))
            client.ehlo()
            client.login("anybody", KEY)
            client.sendmail("a@b", "x@y", "Subject: in secret\n\n" + "xxx\n" * 100_000)
        with socket.create_connection(("127.0.0.1", smtp.port), timeout=10) as s:
            s.recv(1000)
            s.sendall(b"STARTTLS\r\nEHLO injected\r\n")  # what came in the clear must not count as secret
            assert s.recv(1000) == b""
        assert [r["name"] for r in smtp.rows()] == ["in secret"]
    finally:
        smtp.stop()


def test_a_mail_that_cannot_be_read_is_kept(smtp: RunningSmtp) -> None:
    bomb = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 1000
    with smtp.client() as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("a@b", TO, bomb)
    assert refused.value.smtp_code == 552
    (letter,) = smtp.rows(Stream.DEAD_LETTERS)
    assert (letter["reason"], letter["sender"], letter["door"]) == ("too_many_parts", "mail", "mail")


def test_lines_that_begin_with_a_dot_keep_it(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        client.sendmail("a@b", TO, "Subject: dots\n\n.one\n..two\n.\nthree\n")
        client.sendmail("a@b", TO, "")
        client.docmd("MAIL", "FROM:<a@b>")
        client.docmd("RCPT", f"TO:<{TO}>")
        assert client.docmd("DATA")[0] == 354
        client.send(b".\r\n")
        assert client.getreply()[0] == 250
    assert [r["summary"] for r in smtp.rows()] == [".one\n..two\n.\nthree", "", ""]


def test_one_address_cannot_hold_all_connections(smtp: RunningSmtp) -> None:
    held = [socket.create_connection(("127.0.0.1", smtp.port), timeout=10) for _ in range(100)]
    assert all(s.recv(1000).startswith(b"220") for s in held)
    with socket.create_connection(("127.0.0.1", smtp.port), timeout=10) as s:
        assert s.recv(1000) == b""
    assert smtp.counted["rejected"] == {"too_many_connections": 1}
    for s in held:
        s.close()

    def served() -> bool:
        try:
            with smtp.client() as client:
                return client.noop()[0] == 250
        except smtplib.SMTPException:
            return False

    assert eventually(served)


def test_a_mail_without_an_end_is_hung_up_on(smtp: RunningSmtp) -> None:
    with smtp.client() as client:
        client.ehlo()
        client.docmd("MAIL", "FROM:<a@b>")
        client.docmd("RCPT", f"TO:<{TO}>")
        client.docmd("DATA")
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            for _ in range(100):
                client.send(b"x" * 100_000)
    assert smtp.rows() == [] and smtp.counted["rejected"] == {"too_large": 1}
