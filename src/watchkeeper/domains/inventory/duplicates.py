"""Finds items that may be the same thing, by looking up what could match and never by comparing all with all; and merges by
itself what a rule proves that is allowed to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Lower
from django.utils import timezone

from watchkeeper.domains.inventory.identity import chunks, contradicts
from watchkeeper.domains.inventory.matching import PROPOSED_FROM, RULES, normal, rule_of, score
from watchkeeper.domains.inventory.merging import merge, stays
from watchkeeper.domains.inventory.models import (
    Device,
    Duplicate,
    Identifier,
    Interface,
    Item,
    MatchRule,
    Relation,
    VirtualMachine,
)
from watchkeeper.kernel.acting import Actor
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.topology import Identifier as Name
from watchkeeper.model.topology import RelationKind, short_form

_NAMED = (
    "host",
    "service",
    "application",
    "database",
    "business_service",
    "cluster",
    "site",
    "system",
    "workload",
)
_MOST_ALIKE = 4  # of one name: more are a way of naming and no duplicates
_LISTENING = ("service", "process", "endpoint")


class Evidence(NamedTuple):
    """Two items, a rule that holds for them, and how it reads."""

    first: str
    second: str
    rule: str
    sentence: str


def rules() -> dict[str, MatchRule]:
    """The rules, as they are set here."""
    found = {r.name: r for r in MatchRule.objects.all()}
    missing = [
        MatchRule(name=n, weight=r.weight, automatic=r.automatic, description=r.description)
        for n, r in RULES.items() if n not in found
    ]  # fmt: skip
    if missing:
        MatchRule.objects.bulk_create(missing, ignore_conflicts=True)
        found = {r.name: r for r in MatchRule.objects.all()}
    return found


def contested(claims: Iterable[tuple[str, str, Name]]) -> None:
    """Propose what became evident while something was taken over: a source gives an item a name that another bears.
    In the caller's transaction."""
    found = []
    for item, other, x in claims:
        if rule := rule_of(x.scheme, x.value):
            found.append(Evidence(item, other, rule, f"both are said to be {x.scheme} {x.value}"))
    propose(found)


def find(actor: Actor) -> dict[str, int]:
    """Look through the whole inventory; propose pairs, and merge those that an automatic rule proves. How many of each."""
    before = Duplicate.objects.filter(state=Duplicate.State.PROPOSED).count()
    with transaction.atomic():
        propose(evidence())
    merged = _merge_proven(actor)
    return {
        "proposed": Duplicate.objects.filter(state=Duplicate.State.PROPOSED).count() - before,
        "merged": merged,
    }


def evidence() -> Iterator[Evidence]:
    """Everything that speaks for two items being one."""
    yield from _same_column(Device, "serial", "serial")
    yield from _same_column(VirtualMachine, "uuid", "uuid")
    yield from _same_mac()
    yield from _short_names()
    yield from _near_names()
    yield from _listeners()


def propose(found: Iterable[Evidence]) -> None:
    """Keep pairs with all that speaks for them; what people have told apart stays so. Two that differ in what there is one
    of (a serial number) are not proposed."""
    pairs: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for e in found:
        if e.first != e.second:
            pairs[(min(e.first, e.second), max(e.first, e.second))][e.rule] = e.sentence
    known = rules()
    for part in chunks(pairs.items(), 200):
        _keep(dict(part), known)


def _keep(pairs: dict[tuple[str, str], dict[str, str]], known: dict[str, MatchRule]) -> None:
    ids = {i for pair in pairs for i in pair}
    there = {(d.first_id, d.second_id): d for d in Duplicate.objects.filter(first__in=ids, second__in=ids)}
    items = Item.objects.in_bulk(ids)
    names = _names(ids)
    made = []
    for pair, because in pairs.items():
        old = there.get(pair)
        if not items.keys() >= set(pair) or (old is not None and old.state != Duplicate.State.PROPOSED):
            continue
        if not _could_be(items[pair[0]], items[pair[1]]) or contradicts(names[pair[0]], names[pair[1]]):
            continue
        because = {**dict(old.because if old else ()), **because}
        if {"serial", "uuid"} <= because.keys():
            because["hardware"] = RULES["hardware"].description
        because = {r: s for r, s in because.items() if r in known and known[r].enabled}
        total = score(known[r].weight for r in because)
        if total >= PROPOSED_FROM:
            made.append(Duplicate(first_id=pair[0], second_id=pair[1], score=total, because=sorted(because.items()),
                                  found_at=old.found_at if old else timezone.now()))  # fmt: skip
    Duplicate.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["first", "second"], update_fields=["score", "because"]
    )


def _names(ids: Iterable[str]) -> dict[str, set[Name]]:
    out: dict[str, set[Name]] = defaultdict(set)
    rows = Identifier.objects.filter(item__in=list(ids), valid_to=None)
    for item, scheme, value in rows.values_list("item_id", "scheme", "value"):
        out[item].add(Name(scheme, value))
    return out


def _could_be(a: Item, b: Item) -> bool:
    """Whether two items of these kinds can be one thing."""
    if a.declared and b.declared:
        return a.declared == b.declared
    return a.kind == b.kind or {a.kind, b.kind} <= set(_LISTENING)


def _merge_proven(actor: Actor) -> int:
    automatic = {n for n, r in rules().items() if r.enabled and r.automatic}
    done = 0
    found = Duplicate.objects.filter(state=Duplicate.State.PROPOSED).select_related("first", "second")
    for pair in found if automatic else ():
        if automatic.isdisjoint(rule for rule, _ in pair.because):
            continue
        keep = stays(pair.first, pair.second)
        try:
            merge(actor, keep, pair.second if keep == pair.first else pair.first, pair.because)
        except WatchkeeperError:
            continue  # it stays proposed, for people to see why it cannot be
        done += 1
    return done


# --- what speaks for it ---------------------------------------------------------------------------------------------
def _pairs(ids: list[str]) -> Iterator[tuple[str, str]]:
    """Each with the next: enough for people to see all of them."""
    return pairwise(ids)


def _same_column(model: type[Item], column: str, rule: str) -> Iterator[Evidence]:
    rows = model._default_manager.exclude(**{column: ""}).annotate(value_=Lower(column)).values("value_")
    for row in rows.annotate(n=Count("pk")).filter(n__gt=1).order_by("value_")[:10_000]:
        ids = sorted(
            model._default_manager.filter(**{f"{column}__iexact": row["value_"]}).values_list("pk", flat=True)
        )
        for a, b in _pairs(ids[:_MOST_ALIKE]):
            yield Evidence(a, b, rule, f"both have the {rule} {row['value_']}")


def _same_mac() -> Iterator[Evidence]:
    """Machines with ports of one address."""
    rows = (
        Interface.objects.exclude(mac_address="")
        .values("mac_address")
        .annotate(n=Count("owner", distinct=True))
    )
    for row in rows.filter(n__gt=1).order_by("mac_address")[:10_000]:
        if rule_of("mac", row["mac_address"]):
            owners = Interface.objects.filter(mac_address=row["mac_address"]).values_list(
                "owner_id", flat=True
            )
            for a, b in _pairs(sorted(set(owners))[:_MOST_ALIKE]):
                yield Evidence(a, b, "mac", f"both have a port with the MAC address {row['mac_address']}")


def _short_names() -> Iterator[Evidence]:
    """A machine known by its host name alone, and the one machine whose full name begins so."""
    full: dict[str, set[str]] = defaultdict(set)
    rows = Identifier.objects.filter(scheme="fqdn", valid_to=None).values_list("value", "item_id")
    for value, item in rows.iterator(5000):
        short = short_form(Name("fqdn", value))
        assert short is not None
        full[short.value].add(item)
    for part in chunks(full):
        found = Identifier.objects.filter(scheme="hostname", value__in=part, valid_to=None)
        for value, item in found.values_list("value", "item_id"):
            if len(full[value]) == 1 and item not in full[value]:
                [other] = full[value]
                yield Evidence(
                    item, other, "host name", f"one is called {value}, the other's full name begins with it"
                )


def _near_names() -> Iterator[Evidence]:
    alike: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    rows = Item.objects.filter(kind__in=_NAMED).order_by("pk").values_list("pk", "kind", "name")
    for pk, kind, name in rows.iterator(5000):
        if word := normal(name, kind):
            alike[kind, word].append((pk, name))
    for some in alike.values():
        if 1 < len(some) <= _MOST_ALIKE:
            for (a, one), (b, two) in pairwise(some):
                yield Evidence(
                    a,
                    b,
                    "near name",
                    f"they are called {one} and {two}" if one != two else f"both are called {one}",
                )


def _listeners() -> Iterator[Evidence]:
    """What listens where a client called, and the service that answered: a relation says so."""
    rows = Relation.objects.filter(kind=RelationKind.MEMBER_OF, origin="spans", valid_to=None)
    rows = rows.filter(source__kind__in=_LISTENING, target__kind="service", source__declared="")
    found = list(rows.values_list("source_id", "source__name", "target_id", "target__name"))
    several = Counter(t for _, _, t, _ in found)
    for source, listener, target, service in found:
        if several[target] == 1:  # a service of many instances is not one of them
            yield Evidence(source, target, "listener", f"calls to {listener} are answered by {service}")
