"""A check of a host or of a service on it, as Nagios and its heirs see it: what Icinga and Checkmk tell."""

from __future__ import annotations

from collections.abc import Mapping

from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.receivers.events import Reported

_OVER = ("OK", "UP")
_SEVERITIES = {"CRITICAL": "critical", "CRIT": "critical", "DOWN": "critical", "UNREACHABLE": "critical",
               "UNREACH": "critical", "WARNING": "warning", "WARN": "warning", "UNKNOWN": "warning",
               "UNKN": "warning"}  # fmt: skip
HOST_CHECK = "Host is down"


def checked(
    *, host: str, check: str, state: str, output: str, address: str = "", site: str = "", when_ms: int = 0,
    url: str = "", annotations: Mapping[str, str],
) -> Reported:  # fmt: skip
    """The state of a check: its host and its name say which; without a name it is the host's own. The name is a label
    `check`, because it is no service that others would know. Raises Malformed without a host or with a state that is
    none."""
    state = state.strip().upper()
    if not host or (state not in _OVER and state not in _SEVERITIES):
        raise Malformed(
            f"a check has a host and a state such as OK, CRITICAL, UP or DOWN, not {state[:40]!r}"
        )
    over = state in _OVER
    return Reported(
        name=check or HOST_CHECK,
        labels={
            DEDUP_KEY: "!".join(filter(None, (site, host, check))),
            "host": host,
            "host_ip": address,
            "check": check,
            "site": site,
        },
        firing=not over,
        severity=_SEVERITIES.get(state, "info"),
        summary=output,
        starts_ms=0 if over else when_ms,
        ends_ms=when_ms if over else 0,
        annotations={**annotations, "state": state},
        url=url,
    )
