"""What a look at all accounts, grants and tokens finds: what is not used, what belongs to nobody, what is kept apart
and is in one hand all the same. Looked for again and again; what is so no more settles itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access import separating
from watchkeeper.domains.access.facts import kind_of
from watchkeeper.domains.access.granting import end
from watchkeeper.domains.access.models import AccessFinding, FindingState, Found, Grant
from watchkeeper.domains.identity.behind import require_administers
from watchkeeper.domains.identity.ending import switch_off
from watchkeeper.domains.identity.keys import revoke
from watchkeeper.domains.identity.models import AccountKind, ApiToken, User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import belonging
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Done, Resource, registry


class Seen(NamedTuple):
    """One thing that was found."""

    found: Found
    subject: str
    detail: str
    user: int | None = None
    grant: int | None = None
    token: int | None = None
    rule: int | None = None


def look(now: dt.datetime) -> int:
    """Look at everything; write what is new, settle what is so no more. How many findings are open."""
    seen = {(s.found, s.subject): s for s in _everything(now)}
    known = {(f.found, f.subject): f for f in AccessFinding.objects.all()}
    with transaction.atomic():
        AccessFinding.objects.bulk_create(
            AccessFinding(found=s.found, subject=s.subject, detail=s.detail[:500], user_id=s.user, grant_id=s.grant,
                          token_id=s.token, rule_id=s.rule, found_at=now)
            for key, s in seen.items() if key not in known
        )  # fmt: skip
        for key, finding in known.items():
            excepted = finding.found == Found.SEPARATION and finding.state == FindingState.KEPT
            if key not in seen and excepted and not _over(finding, now):
                continue
            if key not in seen and finding.state != FindingState.SETTLED:
                finding.state, finding.kept_until = FindingState.SETTLED, None
            elif key in seen and (finding.state == FindingState.SETTLED or _over(finding, now)):
                finding.state, finding.found_at, finding.kept_until = FindingState.OPEN, now, None
            elif key not in seen or finding.detail == seen[key].detail[:500]:
                continue
            finding.detail = seen[key].detail[:500] if key in seen else finding.detail
            finding.save()
    return AccessFinding.objects.filter(state=FindingState.OPEN).count()


def _over(finding: AccessFinding, now: dt.datetime) -> bool:
    return finding.state == FindingState.KEPT and finding.kept_until is not None and finding.kept_until <= now


def _everything(now: dt.datetime) -> Iterator[Seen]:
    before = now - dt.timedelta(days=settings.DORMANT_DAYS)
    yield from _apart()
    yield from _accounts(before)
    yield from _tokens(now, before)
    yield from _grants(now, before)


def _apart() -> Iterator[Seen]:
    for c in separating.conflicts():
        roles = sorted(c.roles)
        yield Seen(Found.SEPARATION, f"rule {c.rule.pk} user {c.user.pk} {roles[0]} {roles[1]}"[:200],
                   f"{c.user} is {roles[0]} and {roles[1]}, which “{c.rule}” keeps apart",
                   user=c.user.pk, rule=c.rule.pk)  # fmt: skip


def _unseen(before: dt.datetime) -> Q:
    return Q(created_at__lt=before) & (Q(last_seen_at=None) | Q(last_seen_at__lt=before)) & (
        Q(last_login=None) | Q(last_login__lt=before)
    )  # fmt: skip


def _accounts(before: dt.datetime) -> Iterator[Seen]:
    living = User.objects.filter(is_active=True)
    for user in living.filter(_unseen(before)):
        last = max((at for at in (user.last_seen_at, user.last_login) if at), default=None)
        when = f"was last used on {last:%d %B %Y}" if last else "was never used"
        yield Seen(Found.DORMANT, f"user {user.pk}", f"The account {user} {when}", user=user.pk)
    people = living.filter(kind=AccountKind.PERSON, is_administrator=False, created_at__lt=before)
    for user in people.filter(teams=None).exclude(grants__in=Grant.objects.in_force(timezone.now())):
        yield Seen(Found.HOMELESS, f"user {user.pk}", f"{user} is in no team and has no grant", user=user.pk)
    for user in living.filter(kind=AccountKind.SERVICE).filter(Q(owner=None) | Q(owner__is_active=False)):
        why = f"its owner {user.owner} is disabled" if user.owner else "it has no owner"
        yield Seen(Found.OWNERLESS, f"user {user.pk}", f"The service account {user}: {why}", user=user.pk)


def _tokens(now: dt.datetime, before: dt.datetime) -> Iterator[Seen]:
    living = ApiToken.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, created_at__lt=before
    )
    for token in living.filter(Q(last_used_at=None) | Q(last_used_at__lt=before)).select_related("user"):
        when = f"was last used on {token.last_used_at:%d %B %Y}" if token.last_used_at else "was never used"
        of = f" of {token.user}" if token.user else ""
        yield Seen(Found.UNUSED_TOKEN, f"token {token.pk}", f"The token “{token}”{of} {when}",
                   user=token.user_id, token=token.pk)  # fmt: skip


def _grants(now: dt.datetime, before: dt.datetime) -> Iterator[Seen]:
    living = Grant.objects.in_force(now).select_related("role", "user", "in_organisation", "in_team")
    idle = User.objects.filter(_unseen(before))
    for grant in living.filter(user__in=idle, valid_from__lt=before):
        yield Seen(Found.UNUSED_GRANT, f"grant {grant.pk}",
                   f"{grant.user} has the role {grant.role}{grant.where} and has not been here since",
                   user=grant.user_id, grant=grant.pk)  # fmt: skip
    for grant in living.exclude(attribute=""):
        for value in grant.values:
            belongs = grant.attribute in belonging and belonging[grant.attribute](frozenset((value,)))
            if not belongs and not any(_known(r, grant.attribute, value) for r in registry):
                yield Seen(Found.EMPTY_GRANT, f"grant {grant.pk} {value}"[:200],
                           f"{grant}: there is no record whose {grant.attribute.replace('_', ' ')} is {value}",
                           user=grant.user_id, grant=grant.pk)  # fmt: skip


def _known(resource: Resource, attribute: str, value: str) -> bool:
    column = kind_of(resource).column(attribute)
    if column is None or column.sort not in ("text", "severity"):
        return False
    if column.sort == "severity":
        return True
    return bool(resource.model._default_manager.filter(**{column.path: value}).exists())


class FindingKeptSerializer(serializers.Serializer[Any]):
    """Why it may stay, and until when."""

    note = serializers.CharField(max_length=500, label="Why it may stay")
    until = serializers.DateTimeField(required=False, help_text="empty: for half a year")


_HALF_A_YEAR = dt.timedelta(days=183)


def _keep(actor: Actor, finding: AccessFinding, data: dict[str, Any]) -> Done:
    """Roles that are kept apart stay in one hand by an exception, which anybody can look up."""
    now = timezone.now()
    until = data.get("until") or now + _HALF_A_YEAR
    if until <= now:
        raise Refused("until: that is over already")
    finding.state, finding.note, finding.kept_until = FindingState.KEPT, data["note"], until
    finding.save()
    if finding.found == Found.SEPARATION:
        separating.excepted(actor, finding.rule, finding.user, data["note"], until)
    return Done()


def _disable(actor: Actor, finding: AccessFinding, _: dict[str, Any]) -> Done:
    """With all that they have open, as at the account itself."""
    if finding.user.is_administrator:
        require_administers(actor, "change")
    with transaction.atomic():
        switch_off(finding.user)
        return _settle(finding)


def _revoke(_: Actor, finding: AccessFinding, __: dict[str, Any]) -> Done:
    with transaction.atomic():
        if finding.token is not None:
            revoke(finding.token)
        else:
            end(finding.grant)
        return _settle(finding)


def _settle(finding: AccessFinding) -> Done:
    finding.state = FindingState.SETTLED
    finding.save(update_fields=["state"])
    return Done()


def _of(*found: Found) -> Callable[[AccessFinding], bool]:
    return lambda f: f.found in found and f.state != FindingState.SETTLED


def keep(now: dt.datetime) -> None:
    """For the periodic work: look, and say in the trail when something new came up."""
    before = AccessFinding.objects.filter(state=FindingState.OPEN).count()
    found = look(now)
    if found > before:
        audit.record(SYSTEM, "access-finding.look", after={"open": found, "new": found - before})


plain(
    AccessFinding, "access finding", "access-findings", "detail found state found_at kept_until note",
    fields=("id", "found", "detail", "state", "user", "grant", "token", "rule", "found_at", "kept_until", "note"),
    filters={"found": ["exact", "in"], "state": ["exact"], "user": ["exact"], "found_at": ["gte", "lt"]},
    search=("detail", "note"),
    ordering=("-found_at", "-id"),
    orderable=("found", "state", "kept_until"),
    writable=(),
    allow=frozenset(),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    default_filters={"state": "open"},
    policy_attributes=("found", "user__username"),
    actions=(
        Action("disable", "Disable the account", _disable, scope=Scope.ADMIN,
               offered=_of(Found.DORMANT, Found.HOMELESS, Found.OWNERLESS),
               confirm="Nobody can sign in or call with it any more."),
        Action("revoke", "Take it back", _revoke, scope=Scope.ADMIN,
               offered=_of(Found.UNUSED_TOKEN, Found.UNUSED_GRANT, Found.EMPTY_GRANT),
               confirm="It counts no more from this moment."),
        Action("keep", "Keep it", _keep, fields=FindingKeptSerializer, scope=Scope.ADMIN,
               offered=lambda f: f.state == FindingState.OPEN),
    ),
)  # fmt: skip
