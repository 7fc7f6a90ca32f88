"""Which item of the inventory a series is about, by the names that its labels carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from watchkeeper.domains.inventory.models import Identifier, Prefix

_HOST = ("host.name", "host_name", "nodename", "k8s.node.name", "node", "instance")
_SERVICE = ("service.name", "service_name", "service")
_TOGETHER = 500


class Names:
    """Names of items, looked up once for all series of a round."""

    def __init__(self, labels: Iterable[Mapping[str, str]]) -> None:
        told = list(labels)
        wanted = sorted({value for one in told for _, value in _named(one)})
        self._known: dict[tuple[str, str], str] = {}
        for i in range(0, len(wanted), _TOGETHER):
            found = Identifier.objects.filter(valid_to=None, value__in=wanted[i : i + _TOGETHER])
            self._known |= {(x.scheme, x.value): x.item_id for x in found}
        networks = {one["subnet"] for one in told if one.get("subnet")}
        there = Prefix.objects.filter(prefix__in=networks).values_list("prefix", "vrf__name", "pk")
        self._networks = {(prefix, vrf or ""): pk for prefix, vrf, pk in there}

    def item(self, labels: Mapping[str, str]) -> str | None:
        """The id of the item, or None."""
        if network := self._networks.get((labels.get("subnet", ""), labels.get("vrf", ""))):
            return network
        return next((self._known[n] for n in _named(labels) if n in self._known), None)


def _named(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Scheme and value of identifiers that these labels may mean."""
    out = []
    for name in _HOST:
        if value := labels.get(name, "").strip().lower():
            host = value.rpartition(":")[0] if name == "instance" and ":" in value else value
            out += [("instance", value)] if name == "instance" else []
            out += [
                ("hostname", host),
                ("fqdn", host),
                ("hostname", host.partition(".")[0]),
                ("address", host),
            ]
    out += [("service.name", labels[n].strip().lower()) for n in _SERVICE if labels.get(n)]
    return out
