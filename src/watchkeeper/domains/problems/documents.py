"""A report as a file: Markdown, a page of HTML that needs nothing else, or PDF."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.html import format_html

from watchkeeper.domains.annotations.notes import html_of
from watchkeeper.domains.problems.models import Report
from watchkeeper.exchange.pdf import pdf_of

FORMS = ("md", "html", "pdf")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top}pre{background:#f3f3f3;padding:.5rem;overflow-x:auto}"
)


@dataclass(frozen=True)
class Document:
    """A file: its name, what it is, its bytes."""

    name: str
    type: str
    content: bytes


def document(title: str, body: str, under: str, form: str) -> Document:
    """A text in Markdown as a file of one of FORMS; `under` its title stands of whom it is and of when."""
    name = f"{re.sub(r'[^A-Za-z0-9]+', '-', title).strip('-')[:80] or 'report'}.{form}"
    match form:
        case "pdf":
            return Document(name, "application/pdf", pdf_of(body, title, under))
        case "html":
            page = format_html(
                '<!doctype html><html lang="en"><meta charset="utf-8"><title>{}</title><style>{}</style>'
                "<h1>{}</h1><p>{}</p>{}</html>\n",
                title, _STYLE, title, under, html_of(body),
            )  # fmt: skip
            return Document(name, "text/html; charset=utf-8", page.encode())
    return Document(name, "text/markdown; charset=utf-8", f"# {title}\n\n{under}\n\n{body}".encode())


def of_report(report: Report, form: str) -> Document:
    """A post-incident report as a file. Raises NoPdf for one that cannot be printed."""
    under = f"Written by {report.made_by}, version {report.version} of {report.changed_at:%Y-%m-%d %H:%M} UTC"
    return document(report.title, report.body, under, form)
