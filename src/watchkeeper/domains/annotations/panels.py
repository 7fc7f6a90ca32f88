"""What somebody wants to find again, on the page that they begin with."""

from __future__ import annotations

from watchkeeper.domains.annotations.bookmarks import Bookmarked, bookmarks_of
from watchkeeper.kernel.panels import EVERYONE, Line, Panel, panels


def _line(b: Bookmarked) -> Line:
    return Line(b.title, b.url, b.kind)


panels.add(Panel("bookmarks", "Your bookmarks", {EVERYONE: 88}, bookmarks_of, _line, "", "/bookmarks/"))
