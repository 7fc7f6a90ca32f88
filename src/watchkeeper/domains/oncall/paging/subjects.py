"""How what is escalated stands now: over, acknowledged, held back, or still nobody's."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q

from watchkeeper.domains.oncall.paging.models import Escalation
from watchkeeper.domains.situations.models import Alert, AppliedAct, Situation

State = Escalation.State
HELD = "held"


def standing(escalations: Iterable[Escalation]) -> dict[int, str]:
    """Escalation → the state in which it has to end, or HELD while silences or maintenance hold all alerts back; those
    that go on are not in it. Whoever has paged people by hand wants them although somebody has it, or it is silenced."""
    about = [e for e in escalations if e.kind == "situations"]
    keys = {e.record for e in about}
    found = Situation.objects.filter(pk__in=keys).values_list("pk", "state", "merged_into")
    situations = {key: (state, merged) for key, state, merged in found}
    alerts = _alerts(keys)
    out = {}
    for escalation in about:
        state, merged = situations.get(escalation.record, ("resolved", ""))  # one that is no more is over
        firing, audible, taken = alerts.get(escalation.record, (0, 0, 0))
        if state == "resolved" or merged:
            out[escalation.pk] = State.RESOLVED.value
        elif escalation.by_hand:
            continue
        elif _acknowledged(escalation, state, bool(firing) and taken == firing):
            out[escalation.pk] = State.ACKNOWLEDGED.value
        elif firing and not audible:
            out[escalation.pk] = HELD
    return out


def _acknowledged(escalation: Escalation, state: str, taken: bool) -> bool:
    """Whether somebody has it. Of what has become graver they have to have said so since: one by one of the alerts, as the
    situation's acknowledgement is heard."""
    if not escalation.graver:
        return taken or state == "acknowledged"
    acts = AppliedAct.objects.filter(kind="acknowledge", applied_at__gt=escalation.began_at)
    firing = Alert.objects.filter(situation=escalation.record, status="firing")
    return taken and not firing.exclude(pk__in=acts.values("target")).exists()


def _alerts(situations: set[str]) -> dict[str, tuple[int, int, int]]:
    """Of each situation: how many of its alerts fire, of how many people hear, how many somebody has acknowledged."""
    found = Alert.objects.filter(situation__in=situations, status="firing").order_by()
    counted = found.values_list("situation").annotate(
        firing=Count("pk"), audible=Count("pk", filter=Q(suppressed_by="")),
        taken=Count("pk", filter=~Q(acknowledged_by="")),
    )  # fmt: skip
    return {key: (firing, audible, taken) for key, firing, audible, taken in counted}
