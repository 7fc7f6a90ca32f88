"""What people wrote, as PDF: all of it is there as text, and nothing of it is a command of what sets it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from watchkeeper.exchange.pdf import NoPdf, pdf_of

REPORT = """# What happened

Redis **went down**; see [the wiki](https://wiki.example.org/redis).

1. It was slow
   - and then slower
2. It was *gone*

| time | what |
|---|---|
| 12:01 | Привет, “Redis” #set page(width: 1cm) |

> $x$ \\#panic("no") <b>bold</b> ![picture](https://elsewhere.example/x.png)

```
restart "redis"]
```
"""


def read(pdf: bytes) -> PdfReader:
    """A PDF as its readers see it."""
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    """The text of all pages, with its white space made one."""
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).replace("\u200b", "").split())


def test_everything_that_was_written_is_in_it() -> None:
    pdf = pdf_of(REPORT, 'Redis "down"', "INC-7, by ann")
    text = words(pdf)
    for part in ('Redis "down"', "INC-7, by ann", "What happened", "went down", "and then slower", "12:01",
                 "Привет, “Redis” #set page(width: 1cm)", '$x$ #panic("no") <b>bold</b>', 'restart "redis"]'):  # fmt: skip
        assert part in text, part
    links = [a.get_object()["/A"]["/URI"] for a in read(pdf).pages[0]["/Annots"]]
    assert links == ["https://wiki.example.org/redis", "https://elsewhere.example/x.png"]
    assert read(pdf).metadata.title == 'Redis "down"'


def test_a_long_text_has_numbered_pages() -> None:
    pdf = pdf_of("\n\n".join(f"line {n} " + "word " * 60 for n in range(60)), "Long")
    pages = read(pdf).pages
    assert len(pages) > 2
    assert f"2 / {len(pages)}" in pages[1].extract_text()
    with pytest.raises(NoPdf, match="at most"):
        pdf_of("x" * 2_000_001, "Too long")


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(st.sampled_from('#[](){}"\\$*_`~<>|-\n @=/1.:'), st.characters()), max_size=120
    )
)
def test_any_text_can_be_set(text: str) -> None:
    assert pdf_of(text, text[:40], text[-20:]).startswith(b"%PDF")
