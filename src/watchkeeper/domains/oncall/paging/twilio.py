"""Twilio's REST interface of 2010-04-01, which others (SignalWire, for one) offer as well: https://www.twilio.com/docs/api"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from watchkeeper import __version__
from watchkeeper.domains.outgoing import outbound
from watchkeeper.kernel import outbox


@dataclass(frozen=True)
class Twilio:
    """An account: its id and token, and the number that is seen as the sender."""

    url: str
    account: str
    token: str
    sender: str

    def text(self, to: str, body: str, told: str) -> str:
        """Messages.json; the message's sid."""
        return self._post("Messages", {"To": to, "Body": body}, told)

    def call(self, to: str, twiml: str, told: str) -> str:
        """Calls.json; the call's sid."""
        return self._post("Calls", {"To": to, "Twiml": twiml}, told)

    def _post(self, what: str, fields: dict[str, str], told: str) -> str:
        fields = {"From": self.sender, **fields, **({"StatusCallback": told} if told else {})}
        pair = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": f"Watchkeeper/{__version__}",
        }
        address = f"{self.url.rstrip('/')}/2010-04-01/Accounts/{quote(self.account)}/{what}.json"
        answer = outbound.post(address, urlencode(fields).encode(), headers)
        found = _read(answer.body)
        if 200 <= answer.status < 300:
            return str(found.get("sid", ""))[:100]
        said = f"{answer.status} {found.get('message', '')}".strip()[:400]
        final = 400 <= answer.status < 500 and answer.status != 429
        raise (outbox.GiveUp if final else outbox.TryAgain)(said)


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
