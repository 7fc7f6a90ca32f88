"""Unsafe changes are refused: a policy that does not parse, names what is not there or cannot be made a filter; and
whatever would leave nobody who can administer."""

from __future__ import annotations

from collections.abc import Iterable

from cedarpy import pst

from watchkeeper.domains.access import language
from watchkeeper.domains.access.conditions import condition_of
from watchkeeper.domains.access.deciding import filter_of, present_policies
from watchkeeper.domains.access.facts import Column, Kind, Principal, Question, Uid, kind_of, question
from watchkeeper.domains.access.language import BadPolicy, Rule
from watchkeeper.domains.access.models import Organisation, Policy, Role, Team
from watchkeeper.domains.access.standing import ADMINISTRATOR, administrators, standings
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.permissions import CRUD, PLATFORM_ACTS
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Resource, registry

#: what an administrator must be able to do, so that everything else can be mended
VITAL = (
    ("read", "policies"),
    ("create", "policies"),
    ("change", "policies"),
    ("create", "grants"),
    ("change", "users"),
)


def check(text: str, kinds_of_record: Iterable[Resource] = registry) -> None:
    """Whether this can be the text of a policy about these kinds. Raises BadPolicy, which says what is wrong and where."""
    rules = language.parse([("", text)]).rules
    if not rules:
        raise BadPolicy("there is no rule in it: a rule begins with permit or forbid")
    kinds = {k.path: k for k in (kind_of(None), *map(kind_of, kinds_of_record))}
    known = _known(kinds)
    for rule in rules:
        try:
            _named(rule, known)
            condition_of(rule, Question(Principal(""), "read", _widest(rule, kinds), "read"))
        except BadPolicy as error:
            raise BadPolicy(f"{rule.name}: {error}") from error


def assure(without: User | None = None) -> None:
    """Raises Refused when no administrator could change policies, grants and users any more; `without` one who goes."""
    # One after the other: two administrators who put each other out must not both succeed.
    list(Role.objects.select_for_update().filter(name=ADMINISTRATOR))
    policies = present_policies()
    left = [a for a in administrators() if a != without]
    people = [s.principal for s in standings(left).values()]
    for person in people or [Principal("", frozenset((Uid("Role", ADMINISTRATOR),)))]:
        asked = (question(person, act, registry[path], kind_of(registry[path])) for act, path in VITAL)
        if all(filter_of(policies, q) is True for q in asked):
            return
    raise Refused("after this, no administrator could change policies, grants and users any more")


def unnamed(group: Uid) -> None:
    """Raises Refused while a policy names this role, team or organisation, so that its name has to stay."""
    for policy in Policy.objects.filter(text__contains=group.type):
        rules = language.parse([(policy.name, policy.text)]).rules
        if any(group == Uid(str(u.type), u.id) for r in rules for u in pst.entity_uids(r.tree)):
            raise Refused(f"the policy {policy.name!r} names {group}")


def _known(kinds: dict[str, Kind]) -> dict[str, set[str]]:
    """Everything that a policy can name, by type; users come and go, so any name will do."""
    actions = {a.name for r in registry for a in r.actions}
    return {
        "Role": set(Role.objects.values_list("name", flat=True)),
        "Team": set(Team.objects.values_list("name", flat=True)),
        "Organisation": set(Organisation.objects.values_list("name", flat=True)),
        "Kind": set(kinds),
        "Area": {area for k in kinds.values() for area in k.areas},
        "Action": {*CRUD, *PLATFORM_ACTS.values(), "act", *actions},
    }


def _named(rule: Rule, known: dict[str, set[str]]) -> None:
    for uid in pst.entity_uids(rule.tree):
        kind, name = str(uid.type), uid.id
        if kind == "User":
            continue
        if kind not in known:
            raise BadPolicy(f"{uid}: there is no type {kind}; there are User, {', '.join(known)}")
        if name not in known[kind]:
            raise BadPolicy(f"{uid} is not there; there are: {', '.join(sorted(known[kind])) or 'none'}")


def _widest(rule: Rule, kinds: dict[str, Kind]) -> Kind:
    """A kind with every attribute that the rule may ask about: of its own kind, or of all kinds together."""
    match rule.tree.resource:
        case pst.ScopeEq(entity=pst.EntityUid(id=path)) if path in kinds:
            columns = kinds[path].columns
        case _:
            columns = tuple({c.name: c for k in kinds.values() for c in k.columns}.values())
    return Kind("", frozenset(), tuple(Column(c.name, c.path, c.sort, True) for c in columns), strict=True)
