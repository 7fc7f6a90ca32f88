"""Runbooks that may help with a ticket or a situation, by the items and words that they share with it."""

from __future__ import annotations

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.knowledge.suggesting import Suggested, said, suited
from watchkeeper.domains.runbooks import rules
from watchkeeper.domains.runbooks.models import Runbook
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible

SHOWN = 3
_ALERTS = 50


def runbooks_for(actor: Actor, record: Ticket | Situation) -> list[Suggested]:
    """Those in use that suit it best."""
    among = visible(actor, "runbooks", Runbook.objects.filter(status=rules.IN_USE))
    if isinstance(record, Ticket):
        items = [str(pk) for pk in record.items.values_list("pk", flat=True)]
        return suited("runbooks", among, said(record), items, SHOWN)
    alerts = Alert.objects.filter(situation=record.pk).values_list("name", "item_id")[:_ALERTS]
    text = f"{record.title}\n{' '.join(sorted({name for name, _ in alerts}))}"
    return suited("runbooks", among, text, sorted({str(item) for _, item in alerts if item}), SHOWN)
