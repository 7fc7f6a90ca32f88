"""Mails to accounts of the service desk, on disk before they are accepted: a file an account, moved to its place when it is
whole, from where the desk takes it in."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from watchkeeper.model.declared import MailAddresses

LARGEST = 64 * 1024 * 1024  # bytes of such a mail


class Spool:
    """Of this folder, which is made when the first mail comes."""

    def __init__(self, folder: Path, addresses: MailAddresses) -> None:
        self._folder, self._addresses = folder, addresses

    @property
    def open(self) -> bool:
        """Whether there is any account whose mails come here."""
        return bool(self._addresses.mail_addresses())

    def account(self, recipient: str) -> int | None:
        """The account of an address: its own, or KEY+desk@… for the account desk@…; None for any other."""
        known = self._addresses.mail_addresses()
        own = known.get(recipient.lower())
        if own is not None or "+" not in recipient:
            return own
        named = recipient.rpartition("@")[0].partition("+")[2].lower()
        found = [key for address, key in known.items() if address.rpartition("@")[0] == named]
        return found[0] if len(found) == 1 else None

    def keep(self, raw: bytes, accounts: Iterable[int]) -> None:
        """The mail is on disk for each account when this returns. Raises OSError; then it may be sent again: the desk knows
        a mail that it has."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for account in sorted(accounts):
            name = f"{account}.{time.time_ns():020d}.{secrets.token_hex(4)}"
            half = self._folder / f"{name}.part"
            with half.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            half.rename(self._folder / f"{name}.eml")
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
