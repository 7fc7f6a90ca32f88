"""The key of this installation, under which secrets are sealed at rest and sessions and forms are signed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def installation_key(data: Path) -> str:
    """The secret key: WATCHKEEPER_SECRET_KEY, or the file `secret-key` in the data folder, made when missing.

    Raises OSError when the file can be neither read nor made.
    """
    given = os.environ.get("WATCHKEEPER_SECRET_KEY", "")
    if given:
        return given
    path = data / "secret-key"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = data / f".secret-key.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as f:
            f.write(secrets.token_urlsafe(48))
            f.flush()
            os.fsync(f.fileno())
        # Two processes may start at once: the first link wins, and both read the same file.
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text().strip()
