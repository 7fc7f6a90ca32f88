"""Reviews: begins the rounds of a campaign with a line for every grant in its scope, takes the verdicts, reminds, and
does at the due date what the campaign says with what nobody answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from watchkeeper.domains.access.granting import end
from watchkeeper.domains.access.models import (
    Grant,
    Review,
    ReviewCampaign,
    Reviewers,
    ReviewLine,
    ReviewState,
    Team,
    Unanswered,
    Verdict,
)
from watchkeeper.domains.access.safety import assure
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.domains.access.telling import administrators, tell
from watchkeeper.domains.identity.models import ApiToken, User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor
from watchkeeper.kernel.problems import Forbidden, Refused
from watchkeeper.kernel.states import Transition, move

REMIND_DAYS = (7, 1)  # before a review is due


def begin(actor: Actor, campaign: ReviewCampaign) -> Review:
    """A new round, with a line for all that is in the campaign's scope now. Raises Refused while one is open."""
    with transaction.atomic():
        if campaign.reviews.filter(state=ReviewState.OPEN).exists():
            raise Refused(f"a review of {campaign} is open; it closes first")
        now = timezone.now()
        number = (campaign.reviews.aggregate(last=Max("number"))["last"] or 0) + 1
        review = Review.objects.create(
            campaign=campaign, number=number, opened_at=now, due_at=now + dt.timedelta(days=campaign.days)
        )
        lines = [_line(review, grant, grant.user) for grant in _grants(campaign, now)]
        lines += [_line(review, None, user) for user in _administrators(campaign)]
        if not lines:
            raise Refused("nobody holds anything of what this campaign is about")
        ReviewLine.objects.bulk_create(lines)
        campaign.next_at = now + dt.timedelta(days=campaign.interval_days) if campaign.interval_days else None
        campaign.save(update_fields=["next_at"])
        audit.record(
            actor, "review.begin", review, after={"lines": len(lines), "due": review.due_at.isoformat()}
        )
        _ask(review, "opened", f"Please say for each who has what you answer for, whether they keep it, until "
                               f"{review.due_at:%d %B %Y}.")  # fmt: skip
    return review


def _grants(campaign: ReviewCampaign, now: dt.datetime) -> Iterable[Grant]:
    found = Grant.objects.in_force(now).select_related("role", "user", "team", "in_organisation", "in_team")
    roles, people = list(campaign.roles.all()), _people(campaign)
    if roles:
        found = found.filter(role__in=roles)
    if people is not None:
        found = found.filter(Q(user__in=people) | Q(team__in=_teams(campaign)))
    return found.order_by("role__name", "id")


def _administrators(campaign: ReviewCampaign) -> Iterable[User]:
    """Administrators by their own record, which no grant is about."""
    roles = {r.name for r in campaign.roles.all()}
    if roles and ADMINISTRATOR not in roles:
        return []
    people = _people(campaign)
    return [a for a in administrators() if people is None or a.pk in people]


def _teams(campaign: ReviewCampaign) -> set[int]:
    own = Q(pk__in=campaign.teams.all()) | Q(organisation__in=campaign.organisations.all())
    return set(Team.objects.filter(own).values_list("pk", flat=True))


def _people(campaign: ReviewCampaign) -> set[int] | None:
    """Members of the teams that it is about; None: everybody."""
    if not campaign.teams.exists() and not campaign.organisations.exists():
        return None
    return set(User.objects.filter(teams__in=_teams(campaign)).values_list("pk", flat=True))


def _line(review: Review, grant: Grant | None, user: User | None) -> ReviewLine:
    return ReviewLine(
        review=review,
        grant=grant,
        user=user,
        role_name=grant.role.name if grant else ADMINISTRATOR,
        holder=grant.holder if grant else str(user),
        where=grant.where if grant else "",
        evidence=_evidence(grant, user),
        reviewer=_reviewer(review.campaign, grant, user),
    )


def _evidence(grant: Grant | None, user: User | None) -> dict[str, str]:
    """How it came about and whether it is used, in words."""
    told: dict[str, str] = {}
    if grant is not None:
        told = {"why": grant.reason, "granted by": grant.approved_by, "since": _day(grant.valid_from)}
        if grant.expires_at:
            told["until"] = _day(grant.expires_at)
        if grant.team is not None:
            members = list(grant.team.members.all())
            seen = [m.last_seen_at for m in members if m.last_seen_at]
            told |= {"members": str(len(members)), "last seen": _day(max(seen)) if seen else "never"}
    if user is not None:
        used = ApiToken.objects.filter(user=user).aggregate(last=Max("last_used_at"))["last"]
        told |= {"last seen": _day(user.last_seen_at), "last signed in": _day(user.last_login)}
        told |= {"last token use": _day(used)} if used else {}
        told |= {} if user.is_active else {"account": "disabled"}
    return told


def _day(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "never"


def _reviewer(campaign: ReviewCampaign, grant: Grant | None, user: User | None) -> User | None:
    """The first who may: nobody reviews what they hold themselves."""
    candidates: list[User] = []
    if campaign.reviewers == Reviewers.ROLE_OWNERS and grant is not None:
        candidates += grant.role.owners.all()
    if campaign.reviewers == Reviewers.TEAM_OWNERS:
        teams = (
            Team.objects.filter(members=user)
            if user
            else Team.objects.filter(pk=grant.team_id if grant else None)
        )
        candidates += User.objects.filter(owned_teams__in=teams).distinct()
    candidates += [campaign.owner, *administrators()]
    return next((c for c in candidates if c.is_active and not _holds(c, grant, user)), None)


def _holds(person: User, grant: Grant | None, user: User | None) -> bool:
    if user is not None:
        return person.pk == user.pk
    return grant is not None and grant.team is not None and grant.team.members.filter(pk=person.pk).exists()


def _ask(review: Review, cause: str, text: str) -> None:
    waiting = review.lines.filter(verdict=Verdict.OPEN).values("reviewer")
    subject = f"{review.campaign}: who keeps what?"
    tell(
        f"review:{review.pk}:{cause}",
        User.objects.filter(pk__in=waiting),
        subject,
        text,
        f"/reviews/{review.pk}/",
    )


def _decided(actor: Actor, line: ReviewLine, data: dict[str, Any]) -> None:
    person = actor.person
    if person is None or (person.pk != line.reviewer_id and not person.is_administrator):
        raise Forbidden(
            "review", "review-lines", (f"{line.reviewer or 'Another'} was asked to answer this.",)
        )
    if _holds(person, line.grant, line.user):
        raise Forbidden("review", "review-lines", ("Nobody reviews what they hold themselves.",))
    line.note = data.get("note", "")
    line.decided_by, line.decided_at = actor.name[:200], timezone.now()


def kept(actor: Actor, line: ReviewLine, data: dict[str, Any]) -> None:
    """The transition's part: who may, and who did."""
    _decided(actor, line, data)


def revoked(actor: Actor, line: ReviewLine, data: dict[str, Any]) -> None:
    """The same, and the grant ends. Raises Refused when nobody could administer after it."""
    _decided(actor, line, data)
    take_away(line)


def take_away(line: ReviewLine) -> None:
    """End what the line is about."""
    if line.grant is not None:
        if line.grant.expires_at is None or line.grant.expires_at > timezone.now():
            end(line.grant)
    elif line.user is not None and line.user.is_administrator:
        line.user.is_administrator = False
        line.user.save(update_fields=["is_administrator"])
        assure()


_UNANSWERED = Transition(
    "revoke-unanswered", "", ("open",), "unanswered", then=lambda _, line, __: _lapse(line)
)
_GONE = Transition("find-ended", "", ("open",), "gone")
_CLOSE = Transition("close", "Close", ("open",), "closed", then=lambda _, review, __: _closed(review))


def _lapse(line: ReviewLine) -> None:
    line.decided_by, line.decided_at = "watchkeeper", timezone.now()
    take_away(line)


def _closed(review: Review) -> None:
    review.closed_at = timezone.now()


def close(actor: Actor, review: Review) -> None:
    """Close a review of which every line is answered. Raises Refused while one is open."""
    left = review.lines.filter(verdict=Verdict.OPEN).count()
    if left:
        raise Refused(f"{left} lines are not answered yet")
    move("state", _CLOSE, actor, review)


def keep(now: dt.datetime) -> None:
    """Begin what is due, note what has ended meanwhile, remind, and end what nobody answered."""
    for campaign in ReviewCampaign.objects.filter(enabled=True, next_at__lte=now):
        _begin_due(campaign)
    for review in Review.objects.filter(state=ReviewState.OPEN).select_related("campaign__owner"):
        ended = review.lines.filter(verdict=Verdict.OPEN, grant__expires_at__lte=now)
        for line in ended | review.lines.filter(verdict=Verdict.OPEN, grant=None, user=None):
            move("verdict", _GONE, SYSTEM, line)
        if not review.lines.filter(verdict=Verdict.OPEN).exists():
            close(SYSTEM, review)
        elif review.due_at <= now:
            _overdue(review, now)
        else:
            for days in REMIND_DAYS:
                if review.due_at - now <= dt.timedelta(days=days) < review.due_at - review.opened_at:
                    due = f"{review.due_at:%d %B %Y}"
                    _ask(
                        review,
                        f"reminder-{days}-{due}",
                        f"Some lines still wait for your answer, until {due}.",
                    )


def _begin_due(campaign: ReviewCampaign) -> None:
    try:
        begin(SYSTEM, campaign)
    except (
        Refused
    ) as error:  # the last one is still open, or there is nothing to look at: tried again tomorrow
        ReviewCampaign.objects.filter(pk=campaign.pk).update(next_at=F("next_at") + dt.timedelta(days=1))
        audit.record(SYSTEM, "review.begin-later", campaign, after={"because": error.detail})


def _overdue(review: Review, now: dt.datetime) -> None:
    campaign = review.campaign
    if campaign.unanswered == Unanswered.ESCALATE and review.escalated_at is None:
        with transaction.atomic():
            for line in review.lines.filter(verdict=Verdict.OPEN).select_related("grant__team", "user"):
                candidates = [campaign.owner, *administrators()]
                line.reviewer = next((c for c in candidates if not _holds(c, line.grant, line.user)), None)
                line.save(update_fields=["reviewer"])
            review.escalated_at, review.due_at = now, now + dt.timedelta(days=campaign.days)
            review.save(update_fields=["escalated_at", "due_at"])
            audit.record(SYSTEM, "review.escalate", review, after={"due": review.due_at.isoformat()})
            _ask(review, "escalated", f"Nobody answered these in time. What is not answered until "
                                      f"{review.due_at:%d %B %Y} is revoked.")  # fmt: skip
        return
    for line in review.lines.filter(verdict=Verdict.OPEN):
        try:
            move("verdict", _UNANSWERED, SYSTEM, line)
        except Refused as error:  # it would leave nobody who can administer: an administrator has to answer
            ReviewLine.objects.filter(pk=line.pk).update(note=error.detail[:500])
    if not review.lines.filter(verdict=Verdict.OPEN).exists():
        close(SYSTEM, review)
