"""How alerts are grouped, as people choose it: rules beside the learned method, and the parameters of that method, which
are tried on history before they are used. Analysis applies both; it learns of a change through the journal, and of all
there are at its start by `load(now_ms)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchkeeper.model.act import Act


def load(now_ms: int) -> list[Act]:
    """The rules that are on and the parameters in use, as the acts that tell of them."""
    from watchkeeper.domains.correlation.telling import load

    return load(now_ms)
