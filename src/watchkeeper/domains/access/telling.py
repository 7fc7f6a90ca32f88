"""Tells people by e-mail, through the outbox, what they have to know or do about access."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.kernel import outbox

KIND = "access-mail"
MINE = "/my-access/"


def tell(cause: str, people: Iterable[User | None], subject: str, text: str, path: str = MINE) -> None:
    """Once for each cause and person, in the caller's transaction. Whoever has no address finds it in the console."""
    outbox.add(
        outbox.Effect(
            id=f"access:{cause}:{person.pk}",
            kind=KIND,
            subject=f"access:{cause}"[:200],
            payload={"to": person.email, "subject": subject, "text": text, "path": path},
        )
        for person in people
        if person is not None and person.email and person.is_active
    )


def administrators() -> list[User]:
    """Active people who are administrators by their own record."""
    return list(User.objects.filter(is_administrator=True, is_active=True, kind=AccountKind.PERSON))
