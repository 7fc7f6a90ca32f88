"""How passwords are hashed."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 32 MiB and three passes on one core, above OWASP's minimum (19 MiB, two passes). Django's own
    100 MiB on eight threads would let a few sign-ins at once take a small machine's memory."""

    time_cost = 3
    memory_cost = 32 * 1024
    parallelism = 1
