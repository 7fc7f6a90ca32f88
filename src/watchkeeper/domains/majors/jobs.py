"""Carries out what follows from updates: a mail to each stakeholder, a reminder when the next one is due."""

from __future__ import annotations

from django.conf import settings

from watchkeeper.domains.majors import updating
from watchkeeper.domains.majors.models import MajorIncident, StatusUpdate
from watchkeeper.domains.outgoing import mail, webhooks
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow


@outbox.handler(updating.MAIL)
def deliver(row: OutboxRow) -> str:
    """Send it. Raises TryAgain, GiveUp or OSError."""
    update = StatusUpdate.objects.select_related("major").filter(pk=row.payload["update"]).first()
    if update is None:
        raise outbox.GiveUp("the update has been removed")
    major, to = update.major, [row.payload["to"]]
    lines = [f"{update.get_state_display().capitalize()}: {major.title}", "", update.text]
    if major.impact:
        lines += ["", "What it means:", major.impact]
    if (
        major.next_update_at
        and update.pk == major.updates.order_by("-pk").values_list("pk", flat=True).first()
    ):
        lines += ["", f"The next update follows by {major.next_update_at:%Y-%m-%d %H:%M} UTC."]
    lines += ["", *(f"{settings.PUBLIC_URL}/status/{slug}/" for slug in _pages(major))]
    subject = f"[{update.get_state_display()}] {major.title}"
    return mail.send(mail.compose(webhooks.message_id(row.pk), to, subject, lines, f"major-{major.pk}"), to)


@outbox.handler(updating.REMINDER)
def remind(row: OutboxRow) -> str:
    """Say that an update is due, if it is."""
    major = MajorIncident.objects.filter(pk=row.payload["major"]).first()
    if major is None:
        raise outbox.GiveUp("the major incident has been removed")
    return updating.remind(major, row.payload["after"])


def _pages(major: MajorIncident) -> list[str]:
    """Addresses of the public pages that tell of it."""
    found = major.components.filter(page__public=True).values_list("page__slug", flat=True)
    return sorted(set(found))
