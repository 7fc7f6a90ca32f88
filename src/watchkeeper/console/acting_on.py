"""The forms of what can be done to a situation: who, which alerts and which other situations are chosen from
lists, not typed."""

from __future__ import annotations

from dataclasses import replace

from watchkeeper.console.fields import Field, fields_of
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.situations.models import AppliedAct, Membership, Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Action, registry

OTHERS = 40  # situations to choose from
PEOPLE = 200


def forms(record: Situation, members: list[Membership], actor: Actor) -> list[tuple[Action, list[Field]]]:
    """The actions that make sense for it now, with their inputs."""
    out = []
    resource = registry["situations"]
    for action in resource.actions:
        if not action.offered(record) or not may(actor, action.name, resource, record):
            continue
        fields = _filled(action.name, record, members, fields_of(action.fields, actor), actor)
        if fields is not None:
            out.append((action, fields))
    return out


def _filled(
    name: str, record: Situation, members: list[Membership], fields: list[Field], actor: Actor
) -> list[Field] | None:
    """The inputs of an action with what there is to choose from; None when there is nothing."""
    match name:
        case "assign":
            people = User.objects.filter(is_active=True).order_by("username")[:PEOPLE]
            choices = (("", "Nobody"), *((u.username, u.name or u.username) for u in people))
            return [_list(fields[0], "To", "choice", choices, value=record.assignee)]
        case "merge":
            alive = visible(actor, "situations").filter(state__in=("open", "acknowledged"), merged_into="")
            others = alive.exclude(pk=record.pk).order_by("-opened_at")[:OTHERS]
            found = tuple((s.pk, f"{s.title} ({s.alert_count})") for s in others)
            return [_list(fields[0], "Situations that go into this one", "pick", found)] if found else None
        case "split":
            if len(members) < 2:
                return None
            alerts = tuple((m.alert_id, _told(m)) for m in members)
            return [_list(fields[0], "Alerts that leave for a situation of their own", "pick", alerts)]
        case "undo":
            done = AppliedAct.objects.filter(target=record.pk, kind__in=("merge", "split")).count()
            undone = AppliedAct.objects.filter(target=record.pk, kind="undo").count()
            return [] if done > undone else None
    return fields


def _told(member: Membership) -> str:
    where = f" at {member.alert.item.name}" if member.alert.item else ""
    return f"{member.alert.name}{where}"


def _list(
    field: Field, label: str, shape: str, choices: tuple[tuple[str, str], ...], value: str = ""
) -> Field:
    return replace(field, label=label, shape=shape, choices=choices, help="", value=value, required=True)
