"""Text messages and calls. A provider is a file with a class like `Telephone`, and a line in `PROVIDERS`."""

from __future__ import annotations

from typing import Protocol

from watchkeeper.domains.oncall.paging.own_models import TelephoneProvider
from watchkeeper.domains.oncall.paging.twilio import Twilio
from watchkeeper.kernel import outbox


class Telephone(Protocol):
    """What a provider can do. Both return its name for what was sent, and raise TryAgain, GiveUp or Unreachable;
    `told` is the address at which it may say how it went, "" for none."""

    def text(self, to: str, body: str, told: str) -> str:
        """Send a text message to a number with its country code."""
        ...

    def call(self, to: str, twiml: str, told: str) -> str:
        """Call a number and say what these instructions say."""
        ...


PROVIDERS = {TelephoneProvider.Kind.TWILIO.value: Twilio}


def telephone() -> Telephone:
    """The provider that is in use: the first that is on. Raises TryAgain when there is none."""
    found = TelephoneProvider.objects.filter(enabled=True).order_by("pk").first()
    if found is None:
        raise outbox.TryAgain("no telephone provider is set up: Administration, Telephone")
    return PROVIDERS[found.kind](found.url, found.account, found.token, found.sender)
