"""The SMTP door takes mails for accounts of the service desk: on disk before it says so, and no alert of them."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.receivers.smtp_harness import KEY, RunningSmtp
from watchkeeper.receivers.mail import MOST
from watchkeeper.receivers.smtp_spool import Spool


class Declared:
    """Two accounts."""

    def mail_addresses(self) -> Mapping[str, int]:
        return {"desk@example.org": 7, "it@example.org": 8}


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[RunningSmtp]:
    running = RunningSmtp(tmp_path, spool=Spool(tmp_path / "mail", Declared()))
    yield running
    running.stop()


def mail(text: str = "it is slow\n") -> EmailMessage:
    out = EmailMessage()
    out["From"], out["Subject"] = "ann@example.net", "slow"
    out.set_content(text)
    return out


def spooled(tmp_path: Path) -> dict[str, bytes]:
    """Account → the mail that waits for it."""
    return {p.name.partition(".")[0]: p.read_bytes() for p in (tmp_path / "mail").glob("*.eml")}


def test_a_mail_to_an_account_is_on_disk_and_no_event(smtp: RunningSmtp, tmp_path: Path) -> None:
    with smtp.client() as client:
        client.login("desk", KEY)  # a mail server that signs in sends on to the address itself
        client.send_message(mail(), "ann@example.net", ["Desk@example.org", "it@example.org"])
    assert spooled(tmp_path).keys() == {"7", "8"} and b"it is slow" in spooled(tmp_path)["7"]
    assert not smtp.rows()


def test_the_key_in_the_address_names_the_account_after_a_plus(smtp: RunningSmtp, tmp_path: Path) -> None:
    with smtp.client() as client:
        client.send_message(
            mail("x" * 70 + "\n" + "large\n" * MOST), "ann@example.net", [f"{KEY}+desk@wk.example"]
        )
        client.send_message(mail(), "ann@example.net", [f"{KEY}@wk.example"])
    assert len(spooled(tmp_path)["7"]) > MOST
    assert len(smtp.rows()) == 1  # the other is an alert, as ever


def test_without_a_key_nothing_is_taken_and_the_two_do_not_mix(smtp: RunningSmtp, tmp_path: Path) -> None:
    with smtp.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.send_message(mail(), "ann@example.net", ["desk@example.org"])
    with smtp.client() as client:
        refused = client.send_message(
            mail(), "a@example.net", [f"{KEY}+desk@wk.example", f"{KEY}@wk.example"]
        )
    assert [code for code, _ in refused.values()] == [452]
    assert spooled(tmp_path).keys() == {"7"} and not smtp.rows()


def test_a_disk_that_is_full_makes_the_sender_try_again(smtp: RunningSmtp, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file is in the way")
    with smtp.client() as client, pytest.raises(smtplib.SMTPDataError) as error:
        client.send_message(mail(), "ann@example.net", [f"{KEY}+desk@wk.example"])
    assert error.value.smtp_code == 451
