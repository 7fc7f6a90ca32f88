"""What is sealed at rest is typed unseen: in the form of every kind, also where a serializer declares the field itself."""

from __future__ import annotations

import pytest
from rest_framework import serializers

from watchkeeper.console.fields import fields_of
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.fields import SealedField
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of

pytestmark = pytest.mark.django_db


def secrets() -> list[tuple[str, str]]:
    """Kind and name of each field that can be written and holds a secret."""
    found = []
    for resource in registry:
        sealed = {f.name for f in resource.model._meta.get_fields() if isinstance(f, SealedField)} | {
            "password"
        }
        shown = serializer_of(resource)().fields
        found += [
            (resource.path, name) for name, f in shown.items() if f.source in sealed and not f.read_only
        ]
    return found


def test_there_are_some() -> None:
    names = {name for _, name in secrets()}
    assert {"bind_password", "client_secret", "password", "auth_secret", "privacy_secret", "secret"} <= names


def test_each_is_hidden_in_its_form_and_never_shown() -> None:
    actor = Actor(ActorKind.SYSTEM, "system", scope=Scope.ADMIN)
    for path, name in secrets():
        serializer = serializer_of(registry[path])
        field = serializer().fields[name]
        assert isinstance(field, serializers.CharField) and field.write_only, (path, name)
        [shown] = fields_of(serializer, actor, {name})
        assert shown.shape == "secret" and not shown.value, (path, name, shown)
