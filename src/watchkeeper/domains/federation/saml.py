"""What a SAML provider's metadata says. Reading it loads lxml, so that is done when it is needed."""

from __future__ import annotations

import base64
import re
from typing import Any

from watchkeeper.kernel.problems import Invalid


def of_metadata(text: str) -> dict[str, Any]:
    """`entity_id`, `sso_url` and `certificate` of a provider's metadata. Raises Invalid."""
    from lxml.etree import LxmlError
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser as Parser

    try:
        idp = Parser.parse(text).get("idp", {})
    except (LxmlError, ValueError, RuntimeError) as error:  # what is no XML, or has a document type
        raise Invalid(f"this is not the metadata of a SAML provider: {error}", "metadata") from error
    many = idp.get("x509certMulti", {}).get("signing", [])
    found = {
        "entity_id": idp.get("entityId", ""),
        "sso_url": idp.get("singleSignOnService", {}).get("url", ""),
        "certificate": idp.get("x509cert") or (many[0] if many else ""),
    }
    if missing := [name for name, value in found.items() if not value]:
        raise Invalid(f"it says no {missing[0].replace('_', ' ')}", "metadata")
    return found


def certificate_of(text: str) -> str:
    """A certificate as base64 in one line, from that or from PEM. Raises Invalid."""
    from cryptography.x509 import load_der_x509_certificate

    inner = re.sub(r"-----(BEGIN|END) CERTIFICATE-----|\s", "", text)
    try:
        load_der_x509_certificate(base64.b64decode(inner, validate=True))
    except ValueError as error:
        raise Invalid("this is not a certificate (PEM, or its base64)", "certificate") from error
    return inner
