"""Where the history begins that mail programs quote below an answer: known marks, line by line, in linear time. Pure."""

from __future__ import annotations

import re

#: above this our mails ask for the answer
MARK = "— Please answer above this line —"
_LINES = 5000
_LONG = 500  # characters of a line that are looked at
_ORIGINAL = re.compile(
    r"[\s*_>]*-{2,}\s?(?:original message|original appointment|forwarded message|urspr(?:ü|ue)ngliche nachricht|"
    r"message d'origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht)\s?-{2,}",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"[\s*_]*(?:on|am|le|el|il|op|em|den)\s", re.IGNORECASE)
_WROTE = re.compile(
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev)\b[^:]{0,200}:[\s*_]*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"[\s*_]*(?:from|von|de|da|van)\s?:", re.IGNORECASE)
_SENT = re.compile(
    r"[\s*_]*(?:sent|date|gesendet|datum|envoyé|fecha|enviado|inviato|verzonden|data)\s?:", re.IGNORECASE
)
_SUBJECT = re.compile(r"[\s*_]*(?:subject|betreff|objet|asunto|oggetto|onderwerp|assunto)\s?:", re.IGNORECASE)


def split(text: str) -> tuple[str, str]:
    """The answer and what it quotes. All is the answer where nothing else would be left.

    >>> split("Yes.\\n\\nOn Monday Ann wrote:\\n> Really?")
    ('Yes.', 'On Monday Ann wrote:\\n> Really?')
    """
    lines = text.split("\n")
    short = [line[:_LONG] for line in lines[:_LINES]]
    at = next((n for n in range(len(short)) if _begins(short, n)), None)
    if at is None:
        at = _quoted_end(lines)
    answer = "\n".join(lines[:at]).rstrip().rstrip("_").rstrip()
    if not answer.strip():
        return text, ""
    return answer, "\n".join(lines[at:]).strip()


def _begins(lines: list[str], at: int) -> bool:
    line = lines[at]
    if MARK in line or _ORIGINAL.match(line):
        return True
    if _BEGINS.match(line) and any(_WROTE.search(" ".join(lines[at : at + n])) for n in (1, 2, 3)):
        return True
    if _FROM.match(line):
        after = lines[at + 1 : at + 6]
        return any(map(_SENT.match, after)) and any(map(_SUBJECT.match, after))
    return False


def _quoted_end(lines: list[str]) -> int:
    """Where the quoted lines begin that the text ends with."""
    at = len(lines)
    while at and (lines[at - 1].lstrip().startswith(">") or not lines[at - 1].strip()):
        at -= 1
    return at
