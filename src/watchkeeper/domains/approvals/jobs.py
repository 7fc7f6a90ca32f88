"""What time does to approvals: mails are sent, who does not answer is reminded and then others are asked, and delegations
begin and end."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from watchkeeper.domains.approvals import asking, delegating, telling
from watchkeeper.domains.approvals.models import Answer, Step
from watchkeeper.domains.approvals.rules import ROUNDS
from watchkeeper.domains.outgoing import mail, webhooks
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(telling.KIND)
def deliver(row: OutboxRow) -> str:
    """Send it. Raises TryAgain or GiveUp."""
    told = row.payload
    lines = [told["text"], "", f"{settings.PUBLIC_URL}{told['path']}"]
    message = mail.compose(webhooks.message_id(row.pk), [told["to"]], told["subject"], lines)
    return mail.send(message, [told["to"]])


@outbox.handler(asking.KIND)
def overdue(row: OutboxRow) -> str:
    """Remind whoever has not answered; the second time, ask those who come next."""
    round_ = row.payload["round"]
    step = (
        Step.objects.filter(pk=row.payload["step"], state=Step.State.OPEN).select_related("request").first()
    )
    if step is None:
        return "it is answered"
    with transaction.atomic():
        waiting = list(step.votes.filter(answer=Answer.OPEN).select_related("approver", "delegate"))
        for vote in waiting:
            telling.reminded(vote, round_)
        new = asking.ask_people(step, asking.voters(step))  # whoever has come to a team since
        if round_ >= 2:
            new += asking.ask_people(step, asking.voters(step, fallback=True))
        if round_ < ROUNDS:
            asking.remind_at(step, round_ + 1)
    return f"{len(waiting)} reminded, {new} more asked"


@outbox.handler(delegating.KIND)
def delegated(row: OutboxRow) -> str:
    """A delegation has begun or ended."""
    return f"{delegating.follow(row.payload['person'])} votes have another delegate"
