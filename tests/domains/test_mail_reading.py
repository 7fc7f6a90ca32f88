"""Reading mails: any bytes are a mail, and what people and programs write comes out as they meant it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains.desk.mail import quoting, threads
from watchkeeper.domains.desk.mail.reading import MOST_FILES, Mail, read

_HEADERS = st.sampled_from(
    [b"From", b"To", b"Subject", b"Message-ID", b"References", b"Content-Type", b"Content-Transfer-Encoding",
     b"Content-Disposition", b"Content-ID", b"Date", b"Precedence", b"Return-Path"]
)  # fmt: skip
_VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"multipart/mixed; boundary=b", b"multipart/report; boundary=b", b"message/rfc822", b"message/delivery-status",
         b"text/html", b"base64", b"quoted-printable", b"x-uuencode", b"=?utf-8?b?gg?=", b"text/plain; charset=utf-7",
         b"attachment; filename*=utf-8''%ff", b"attachment; filename*0*=x''a; filename*1=b", b"<a@b", b"a@b, \"c", b"idna"]
    ),
)  # fmt: skip
_LINES = st.one_of(
    st.tuples(_HEADERS, _VALUES).map(lambda h: h[0] + b": " + h[1]),
    st.sampled_from(
        [b"", b"--b", b"--b--", b"<p><b>", b"begin 644 x", b"> quoted", b"From: a", b"On x wrote:"]
    ),
    st.binary(max_size=80),
)


@given(st.one_of(st.binary(max_size=2000), st.lists(_LINES, max_size=60).map(b"\n".join)))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    mail = read(raw)
    assert len(mail.parts) <= MOST_FILES and len(mail.identity) == 64
    for text in (mail.text, mail.subject, mail.quoted, mail.name, *(p.name for p in mail.parts)):
        assert "\x00" not in text
        text.encode()
    assert read(raw).identity == mail.identity


@given(st.text(max_size=500))
def test_quoting_loses_no_word(text: str) -> None:
    answer, quoted = quoting.split(text)
    assert "".join((answer + quoted).replace("_", "").split()) == "".join(text.replace("_", "").split())


@given(st.integers(1, 10**9), st.from_regex(r"[a-z]{1,10}-[0-9]{1,6}", fullmatch=True))
def test_a_message_id_proves_its_own_ticket_and_no_other(ticket: int, cause: str) -> None:
    made = threads.message_id("key", ticket, cause, "example.org")
    assert threads.about("key", ["junk@x", made]) == ticket
    assert threads.about("other key", [made]) is None
    assert threads.about("key", [made.replace(f".{ticket}.", f".{ticket + 1}.")]) is None


def test_headers_of_no_charset_and_of_a_wrong_one_can_be_read() -> None:
    raw = b"From: J\xfcrgen <j@example.org>\nSubject: Dr\xc3\xbccker =?klingon?q?x?= =?utf-8?q?=C3=BC?=\n\nGr\xfc\xdfe"
    mail = read(raw)
    assert (mail.name, mail.address, mail.subject) == ("Jürgen", "j@example.org", "Drücker xü")
    assert mail.text == "Grüße"


def test_html_is_read_as_people_see_it() -> None:
    html = (
        b"<html><head><style>p{}</style><title>t</title></head><body><p>Hello <b>you</b></p><ul><li>one</ul>"
        b"<table><tr><td>a<td>b</table><script>alert(1)</script><img src='https://spy.example.com/x.png'></body>"
    )
    text = read(b"Content-Type: text/html\n\n" + html).text
    assert "Hello **you**" in text and "* one" in text and "| a | b |" in text
    assert "alert" not in text and "spy" not in text and "p{}" not in text


ANSWERS = {
    "> old": "Yes.\n\n> old\n> older",
    "On Mon, 1 Jan 2026 at 10:00, Desk\n<desk@example.org> wrote:": (
        "Yes.\n\nOn Mon, 1 Jan 2026 at 10:00, Desk\n<desk@example.org> wrote:\n> old"
    ),
    "Am 1.1.2026 um 10:00 schrieb Desk:": "Yes.\n\nAm 1.1.2026 um 10:00 schrieb Desk:\n> old",
    "-----Original Message-----": "Yes.\n\n-----Original Message-----\nold",
    "Von:": "Yes.\n\n________________________________\nVon: Desk\nGesendet: Montag\nAn: Ann\nBetreff: x\n\nold",
    quoting.MARK: f"Yes.\n\n{quoting.MARK}\n\nold",
}


@pytest.mark.parametrize("mark", ANSWERS)
def test_what_mail_programs_quote_is_found(mark: str) -> None:
    answer, quoted = quoting.split(ANSWERS[mark])
    assert answer == "Yes." and quoted.lstrip("_\n").startswith(mark)


def test_what_is_no_quotation_stays() -> None:
    text = "On Monday it broke.\nFrom: the printer\nI > you\n> see\nthat is all"
    assert quoting.split(text) == (text, "")
    assert isinstance(read(b"\n" + text.encode()), Mail)
