"""Secrets: tokens that are kept as a hash, and text sealed at rest under the key of this installation."""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import lru_cache

from watchkeeper.model.errors import WatchkeeperError


class Unreadable(WatchkeeperError):
    """A sealed text was sealed with another installation's key, or was altered."""

    reason = "sealed_with_another_key"


def new_secret(prefix: str) -> str:
    """A random secret of 256 bits, its prefix saying what it is for.

    >>> new_secret("wkt").startswith("wkt_"), len(new_secret("wkt"))
    (True, 47)
    """
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def fingerprint(secret: str) -> str:
    """SHA-256 of a secret, in hex. Enough for 256 random bits, and fast; never for passwords."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def seal(text: str, key: str) -> str:
    """Encrypt and authenticate a text under the installation's key."""
    from cryptography.fernet import Fernet

    return Fernet(_derived(key)).encrypt(text.encode()).decode()


def unseal(sealed: str, key: str) -> str:
    """What `seal` was given. Raises Unreadable."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(_derived(key)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable(
            "a secret in the records cannot be read with this installation's secret key"
        ) from error


@lru_cache(maxsize=4)
def _derived(key: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"watchkeeper sealed text")
    return base64.urlsafe_b64encode(hkdf.derive(key.encode()))
