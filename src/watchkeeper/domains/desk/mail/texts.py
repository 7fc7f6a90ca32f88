"""What mails about tickets say, by template: words such as $number stand for what is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

#: what a template may name → what it stands for
WORDS = {
    "number": "the ticket's number, INC-12",
    "title": "its title",
    "text": "the reply, or what was done",
    "name": "who has written it",
    "desk": "the sender's name of the account",
}
#: by sort: subject and text, where nobody has written another
DEFAULTS = {
    "acknowledgement": (
        "[$number] $title",
        "We have received your message, and it is now ticket $number.\n\nTo add to it, answer this mail.\n\n$desk",
    ),
    "reply": ("Re: [$number] $title", "$text\n\n$name\n$desk"),
    "resolution": (
        "Re: [$number] $title",
        "Ticket $number is resolved:\n\n$text\n\nIf it is not, answer this mail, and it is opened again.\n\n$desk",
    ),
}


def wrong(template: str) -> str:
    """What is wrong with a template, in words; "" when nothing is.

    >>> wrong("$number: $titel"), wrong("100 $"), wrong("$number")
    ('there is no $titel; there are: $desk, $name, $number, $text, $title', 'a $ alone: write $$', '')
    """
    if not Template(template).is_valid():
        return "a $ alone: write $$"
    unknown = [f"${name}" for name in Template(template).get_identifiers() if name not in WORDS]
    known = ", ".join(f"${name}" for name in sorted(WORDS))
    return f"there is no {', '.join(unknown)}; there are: {known}" if unknown else ""


def filled(template: str, words: Mapping[str, str]) -> str:
    """A template with what its words stand for."""
    return Template(template).safe_substitute(words)
