"""How allauth reads a SAML provider's answer: attributes under their short names, and a person's lasting id."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.saml.provider import SAMLProvider

from watchkeeper.domains.federation.rules import first, in_plain_names

_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"


class Provider(SAMLProvider):  # type: ignore[misc]
    """In the place of allauth's; see settings.SOCIALACCOUNT_PROVIDERS."""

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """The attributes."""
        return in_plain_names(data.get_attributes())

    def extract_uid(self, data: Any) -> str:
        """The subject id; else the NameID, unless that is another one each time; else the user name."""
        said = self.extract_extra_data(data)
        lasting = "" if data.get_nameid_format() == _TRANSIENT else str(data.get_nameid() or "")
        return first(said, "subject-id") or lasting or first(said, self.app.settings["username_claim"])
