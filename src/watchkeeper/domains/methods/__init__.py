"""Methods: which version of a part of analysis decides, and which judges beside it in the shade; told to analysis as
acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchkeeper.model.act import Act


def load_versions() -> list[Act]:
    """What was chosen, as the acts that tell of it."""
    from watchkeeper.domains.methods import telling

    return telling.load()
