"""What agents do with tickets from day to day: the actions of the sub-packages, which declare their kinds as well."""

from __future__ import annotations

from watchkeeper.domains.desk.assigning import resources as assigning
from watchkeeper.domains.desk.checking import resources as checking
from watchkeeper.domains.desk.joining import merging, splitting, unmerging
from watchkeeper.domains.desk.macros import resources as macros
from watchkeeper.domains.desk.prefilling import resources as prefilling
from watchkeeper.domains.desk.recurring import resources as recurring
from watchkeeper.domains.desk.timing import resources as timing

ACTIONS = (
    *assigning.ACTIONS, *macros.ACTIONS, *merging.ACTIONS, *unmerging.ACTIONS, *splitting.ACTIONS, *checking.ACTIONS,
    *timing.ACTIONS,
)  # fmt: skip
__all__ = ["ACTIONS", "prefilling", "recurring"]
