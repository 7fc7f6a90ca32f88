"""A certificate of an authority as somebody pasted it: PEM that the TLS library can load."""

from __future__ import annotations

import ssl


def wrong_certificate(pem: str) -> str:
    """What is wrong with it; "" when nothing is, or nothing was given."""
    try:
        ssl.create_default_context(cadata=pem or None)
    except (ssl.SSLError, ValueError, TypeError):  # TypeError: letters outside ASCII
        return "certificates in PEM are needed, each between BEGIN CERTIFICATE and END CERTIFICATE"
    return ""
