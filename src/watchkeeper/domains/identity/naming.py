"""People by their user names, in what REST takes and shows: whoever works with others knows how they are called, and need
not be allowed to read accounts."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from watchkeeper.domains.identity.models import AccountKind, User


def _people() -> Any:
    return User.objects.filter(is_active=True, kind=AccountKind.PERSON)


def people_called(words: str) -> Any:
    """Those of whose user name, name or address each of these words is a part, by user name."""
    found = _people()
    for word in words.split()[:8]:
        found = found.filter(Q(username__icontains=word) | Q(name__icontains=word) | Q(email__icontains=word))
    return found.order_by("username")


class Person(serializers.SlugRelatedField[Any]):
    """One person, who has an account that is in use."""

    default_error_messages = {"does_not_exist": "nobody here is called {value}"}

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options.setdefault("queryset", User.objects.none())  # see get_queryset
        options.setdefault("help_text", "a user name")
        options.setdefault("style", {"input": "person"})
        super().__init__(slug_field="username", **options)

    def get_queryset(self) -> Any:
        """As the base; asked each time."""
        return _people()


class People(serializers.ListField):
    """User names in an order; taken as accounts, in that order."""

    child = serializers.CharField(max_length=150)

    def to_internal_value(self, data: Any) -> list[User]:
        """Names as accounts. Raises ValidationError."""
        named = super().to_internal_value(data)
        known = {u.username: u for u in _people().filter(username__in=named)}
        if unknown := [n for n in named if n not in known]:
            raise serializers.ValidationError(f"nobody here is called {', '.join(unknown)}")
        return [known[n] for n in named]
