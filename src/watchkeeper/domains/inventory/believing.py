"""How much each source is believed, as it is declared now."""

from __future__ import annotations

from watchkeeper.domains.inventory.models import Precedence, Source
from watchkeeper.domains.inventory.precedence import Ranks


def ranks(new: Source | None = None) -> Ranks:
    """How much each source is believed, as declared now; `new` may be one that is not saved yet."""
    exceptions = {
        (s, kind, attribute): rank
        for s, kind, attribute, rank in Precedence.objects.values_list(
            "source_id", "kind", "attribute", "rank"
        )
    }
    known = dict(Source.objects.values_list("pk", "rank"))
    return Ranks(known | ({new.pk: new.rank} if new else {}), exceptions)
