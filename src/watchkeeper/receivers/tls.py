"""The certificate that doors show: read from files, and read again when these are renewed."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_LOOK = 10.0  # seconds between two looks at the files
_log = logging.getLogger(__name__)


class Certificate:
    """PEM files: a certificate with its chain, its key, and the authorities of clients' certificates, which are then
    required. `protocols` are offered to clients that ask for one (ALPN). Raises OSError (ssl.SSLError among them) when
    they cannot be used. Any thread may use it."""

    def __init__(
        self, chain: Path, key: Path, clients: Path | None = None, monotonic: Callable[[], float] = time.monotonic,
        protocols: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._chain, self._key, self._clients, self._protocols = chain, key, clients, protocols
        self._monotonic = monotonic
        self._written, self._looked = self._times(), monotonic()
        self._context = self._read()

    def context(self) -> ssl.SSLContext:
        """What a connection begins with now. Files that cannot be used leave it as it was."""
        now = self._monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            try:
                written = self._times()
                if written != self._written:
                    self._context, self._written = self._read(), written
                    _log.info("the certificate %s was read again", self._chain)
            except OSError as error:
                _log.warning("the certificate %s cannot be read again: %s", self._chain, error)
        return self._context

    def following(self) -> ssl.SSLContext:
        """For a listener that takes one context: every handshake goes on with what the files are then."""
        context = self._read()

        def turn(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self.context()

        context.sni_callback = turn
        return context

    def _times(self) -> list[int]:
        return [p.stat().st_mtime_ns for p in (self._chain, self._key, self._clients) if p is not None]

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._chain, self._key, password=_no_password)
        if self._clients is not None:
            context.load_verify_locations(self._clients)
            context.verify_mode = ssl.CERT_REQUIRED
        if self._protocols:
            context.set_alpn_protocols(list(self._protocols))
        return context


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted; give one that is not")
