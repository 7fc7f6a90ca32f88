"""Identity providers as django-allauth takes them, and as the sign-in page shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchkeeper.domains.federation.models import IdentityProvider, Protocol

#: how allauth calls the protocols
KINDS = {Protocol.OIDC: "openid_connect", Protocol.SAML: "saml"}


@dataclass(frozen=True)
class Offer:
    """A button of the sign-in page."""

    name: str
    url: str


def offered() -> list[Offer]:
    """The providers that people can be sent to. (Directories are asked with the password of the form.)"""
    found = IdentityProvider.objects.filter(enabled=True, protocol__in=KINDS).order_by("name")
    return [
        Offer(name, f"/sign-in/with/{slug}/" if protocol == Protocol.OIDC else f"/sign-in/saml/{slug}/")
        for name, slug, protocol in found.values_list("name", "slug", "protocol")
    ]


def apps(provider: str = "", client_id: str = "") -> Iterator[Any]:
    """Unsaved SocialApps: allauth's own table of them, which would keep secrets in the clear, stays empty."""
    from allauth.socialaccount.models import SocialApp

    found = IdentityProvider.objects.filter(enabled=True, protocol__in=KINDS)
    for one in found:
        app = SocialApp(
            provider=KINDS[Protocol(one.protocol)],
            provider_id=one.slug,
            name=one.name,
            client_id=one.client_id if one.protocol == Protocol.OIDC else one.slug,
            secret=one.client_secret or "",
            settings=_oidc(one) if one.protocol == Protocol.OIDC else _saml(one),
        )
        if provider in ("", app.provider, app.provider_id) and client_id in ("", app.client_id):
            yield app


def _oidc(one: IdentityProvider) -> dict[str, Any]:
    # PKCE binds the code to the browser that asked for it, as the state does; some providers demand it.
    return {"server_url": one.issuer.rstrip("/"), "oauth_pkce_enabled": True, "scope": one.scopes.split()}


def _saml(one: IdentityProvider) -> dict[str, Any]:
    return {
        "idp": {"entity_id": one.entity_id, "sso_url": one.sso_url, "x509cert": one.certificate},
        "username_claim": one.username_claim,
        "attribute_mapping": {},  # what is said is read in `arriving`
        # An answer that nobody asked for could sign a victim in as somebody else.
        "advanced": {
            "reject_idp_initiated_sso": True,
            "strict": True,
            "reject_deprecated_algorithm": True,
            "allow_single_label_domains": True,
        },
    }
