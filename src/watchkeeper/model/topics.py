"""Topics of MQTT as people write them for a subscription: `site/{room}/{sensor}` is the filter `site/+/+`, and gives the
labels `room` and `sensor` (MQTT 3.1.1, section 4.7)."""

from __future__ import annotations

import re

_LABEL = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_.]*)\}")
_MOST = 65_535  # bytes


class Topic:
    """One topic. `filter` is what a broker is asked for. Raises ValueError for what is none."""

    def __init__(self, template: str) -> None:
        levels = template.split("/")
        if not template or "\x00" in template or len(template.encode()) > _MOST:
            raise ValueError("a topic has 1 to 65535 bytes")
        for at, level in enumerate(levels):
            if _LABEL.fullmatch(level) or level == "+" or (level == "#" and at == len(levels) - 1):
                continue
            if any(c in level for c in "{}+#"):
                raise ValueError(f"{level!r}: a level is text, + or {{label}}, and # the last of all")
        self._levels = levels
        self.labels = tuple(m[1] for level in levels if (m := _LABEL.fullmatch(level)))
        self.filter = "/".join("+" if _LABEL.fullmatch(level) else level for level in levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """The labels that a topic of a message gives; None when it is another.

        >>> Topic("home/{room}/t").match("home/attic/t"), Topic("home/#").match("garden")
        ({'room': 'attic'}, None)
        """
        parts = topic.split("/")
        wanted = self._levels
        if topic.startswith("$") and wanted[0] in ("+", "#"):
            return None
        if wanted[-1] == "#":
            wanted = wanted[:-1]
            parts = parts[: len(wanted)] if len(parts) >= len(wanted) else []
        if len(parts) != len(wanted):
            return None
        labels = {}
        for level, part in zip(wanted, parts, strict=True):
            if named := _LABEL.fullmatch(level):
                labels[named[1]] = part
            elif level not in ("+", part):
                return None
        return labels
