"""Somebody for whom a provider vouches: found, linked or made here, and given what their groups count for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from watchkeeper.domains import access
from watchkeeper.domains.federation.models import GroupMapping, IdentityProvider
from watchkeeper.domains.federation.rules import every, first, username_of
from watchkeeper.domains.identity.models import AccountKind, User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.problems import Refused


class NotLetIn(Refused):
    """The provider vouches for somebody who has no account here."""

    status = 403
    reason = "not_let_in"


@dataclass(frozen=True)
class Arrival:
    """Who is vouched for: by whom, under which lasting id, and what is said of them."""

    provider: IdentityProvider
    uid: str
    said: Mapping[str, Any]
    email_verified: bool = False
    groups: frozenset[str] | None = None  # where they are not among what is said

    @property
    def username(self) -> str:
        """As it will be here."""
        return username_of(first(self.said, self.provider.username_claim))

    @property
    def email(self) -> str:
        """What the provider calls their address."""
        return first(self.said, self.provider.email_claim)[:254]


def welcome(arrival: Arrival, address: str) -> User:
    """The user, brought up to date. Raises NotLetIn."""
    from allauth.socialaccount.models import SocialAccount

    provider = arrival.provider
    with transaction.atomic():
        known = (
            SocialAccount.objects.filter(provider=provider.slug, uid=arrival.uid)
            .select_related("user")
            .first()
        )
        user = known.user if known else _linked(arrival) or _made(arrival)
        if not user.is_active or user.kind != AccountKind.PERSON:
            raise NotLetIn(
                "Your account here has been switched off. An administrator can switch it on again."
            )
        actor = Actor(ActorKind.PERSON, user.username, str(user.pk), user.scope, address)
        if known is None:
            SocialAccount.objects.create(user=user, provider=provider.slug, uid=arrival.uid, extra_data={})
            audit.record(actor, "identity.link", user, after={"provider": provider.slug, "id": arrival.uid})
        _up_to_date(user, arrival, actor)
        _grouped(user, arrival, actor)
    return user


def _linked(arrival: Arrival) -> User | None:
    """Whoever has this address here, if the provider's word on addresses is to be believed."""
    if not (arrival.provider.link_by_email and arrival.email_verified and arrival.email):
        return None
    found = list(User.objects.filter(email__iexact=arrival.email, kind=AccountKind.PERSON)[:2])
    return found[0] if len(found) == 1 else None


def _made(arrival: Arrival) -> User:
    who, provider = arrival.username, arrival.provider
    if not who:
        raise NotLetIn(f"{provider} did not say who you are: it sent no {provider.username_claim}.")
    if not provider.create_accounts:
        raise NotLetIn(
            f"{provider} knows you as {who}, but nobody has made you an account here. Ask an administrator."
        )
    if User.objects.filter(username__iexact=who).exists():
        # The name alone proves nothing: it may be somebody else's at the provider.
        raise NotLetIn(f"There is an account {who} here already. An administrator can link it to {provider}.")
    user = User.objects.create_user(who)
    actor = Actor(ActorKind.SYSTEM, str(provider.slug))
    audit.record(actor, "user.create", user, after=audit.state_of(user))
    return user


def _up_to_date(user: User, arrival: Arrival, actor: Actor) -> None:
    before = audit.state_of(user)
    user.name = first(arrival.said, arrival.provider.name_claim)[:150] or user.name
    if arrival.email_verified:  # mails and tickets of an address go to whoever has it here
        user.email = arrival.email or user.email
    after = audit.state_of(user)
    if after != before:
        user.save(update_fields=["name", "email"])
        audit.record(actor, "user.change", user, before=before, after=after)


def _grouped(user: User, arrival: Arrival, actor: Actor) -> None:
    """Teams and roles of the mapped groups; those that no group gives any more end."""
    mappings = list(GroupMapping.objects.filter(provider=arrival.provider).select_related("team", "role"))
    if not mappings:
        return
    theirs = (
        arrival.groups if arrival.groups is not None else every(arrival.said, arrival.provider.groups_claim)
    )
    given = [m for m in mappings if m.group in theirs]
    access.place(
        user,
        teams={m.team for m in given if m.team}, of_teams={m.team for m in mappings if m.team},
        roles={m.role for m in given if m.role}, by=f"group of {arrival.provider.slug}", actor=actor,
    )  # fmt: skip
