"""Identity providers, declared; what belongs to them is in belonging."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount
from rest_framework import serializers

from watchkeeper.domains.federation import belonging  # noqa: F401  (declares)
from watchkeeper.domains.federation.models import (
    GroupMapping,
    IdentityProvider,
    LdapDirectory,
    OidcProvider,
    Protocol,
    SamlProvider,
)
from watchkeeper.domains.federation.saml import certificate_of, of_metadata
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer

_COMMON = ("name", "enabled", "create_accounts", "link_by_email", "second_factor", "username_claim", "name_claim",
           "email_claim", "groups_claim")  # fmt: skip
_HELP: dict[str, dict[str, Any]] = {
    "slug": {
        "label": "Short name",
        "help_text": "part of its addresses here: keycloak gives /sign-in/with/keycloak/",
    },
    "name": {"help_text": "as the sign-in page calls it"},
    "create_accounts": {
        "help_text": "make an account for whoever it vouches for; else somebody has to make it first"
    },
    "link_by_email": {
        "help_text": "believe it which account an e-mail address belongs to, administrators' as well"
    },
    "addresses_checked": {
        "help_text": "people cannot choose their e-mail addresses there: they count without email_verified"
    },
    "second_factor": {
        "label": "Asks for a second factor",
        "help_text": "its sign-in asks for a second factor itself, so that we need not",
    },
    "username_claim": {"label": "User name is said in"},
    "name_claim": {"label": "Full name is said in"},
    "email_claim": {"label": "E-mail address is said in"},
    "groups_claim": {
        "label": "Groups are said in",
        "help_text": "where the person's groups are said, such as groups or realm_access.roles",
    },
}
_TEXTAREA = {"base_template": "textarea.html", "rows": 6}


def _claims(**defaults: str) -> dict[str, dict[str, Any]]:
    return {f"{n}_claim": {**_HELP.get(f"{n}_claim", {}), "default": d} for n, d in defaults.items()}


def secure(value: str) -> str:
    """An address that passwords and codes may go to. Raises ValidationError."""
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise serializers.ValidationError("an address that begins with https:// is needed")
    return value


class OidcSerializer(RecordSerializer):
    """The secret can be sent and is never shown."""

    issuer = serializers.CharField(
        max_length=500, validators=[secure], help_text="such as https://login.example.org/realms/main"
    )
    client_id = serializers.CharField(max_length=200, label="Client ID")
    client_secret = serializers.CharField(
        max_length=500, write_only=True, required=False, style={"input": "secret"}
    )
    scopes = serializers.CharField(max_length=200, default="openid profile email")
    redirect_uri = serializers.SerializerMethodField(
        label="Redirect URI", help_text="enter this at the provider"
    )

    class Meta:
        model = OidcProvider
        fields = ("id", "slug", "issuer", "client_id", "client_secret", "scopes", "redirect_uri", "addresses_checked",
                  *_COMMON)  # fmt: skip
        extra_kwargs = {
            **_HELP,
            **_claims(username="preferred_username", name="name", email="email", groups="groups"),
        }

    def get_redirect_uri(self, one: OidcProvider) -> str:
        """Where it sends people back to."""
        return _here(f"/sign-in/with/{one.slug}/callback/")


class SamlSerializer(RecordSerializer):
    """What a provider's metadata says can be pasted as a whole."""

    metadata = serializers.CharField(
        max_length=200_000, write_only=True, required=False, style=_TEXTAREA, trim_whitespace=True,
        help_text="the provider's metadata (XML); it fills the three fields below",
    )  # fmt: skip
    entity_id = serializers.CharField(max_length=500, label="Entity ID", required=False)
    sso_url = serializers.CharField(
        max_length=500, label="Sign-in address", required=False, validators=[secure]
    )
    certificate = serializers.CharField(max_length=20_000, required=False, style=_TEXTAREA)
    our_metadata = serializers.SerializerMethodField(help_text="give this address to the provider")

    class Meta:
        model = SamlProvider
        fields = ("id", "slug", "metadata", "entity_id", "sso_url", "certificate", "our_metadata", *_COMMON)
        extra_kwargs = {
            **_HELP,
            **_claims(username="uid", name="displayName", email="mail", groups="memberOf"),
        }

    def get_our_metadata(self, one: SamlProvider) -> str:
        """What we are, for the provider."""
        return _here(f"/sign-in/saml/{one.slug}/metadata/")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        if metadata := attrs.pop("metadata", ""):
            attrs.update(of_metadata(metadata))
        for name in ("entity_id", "sso_url", "certificate"):
            if not attrs.get(name, getattr(self.instance, name, "")):
                raise serializers.ValidationError(
                    {name: "it is needed; paste the provider's metadata, or enter it"}
                )
        if "certificate" in attrs:
            attrs["certificate"] = certificate_of(attrs["certificate"])
        return attrs


class LdapSerializer(RecordSerializer):
    """The password can be sent and is never shown."""

    server = serializers.CharField(
        max_length=300, help_text="ldaps://dc1.example.org, or ldap:// with StartTLS"
    )
    certificate = serializers.CharField(
        max_length=50_000, required=False, allow_blank=True, style=_TEXTAREA,
        help_text="the authority that signed the server's certificate (PEM); empty: those of this system",
    )  # fmt: skip
    bind_password = serializers.CharField(
        max_length=500, write_only=True, required=False, style={"input": "secret"}
    )
    user_base = serializers.CharField(
        max_length=300, help_text="where people are: ou=people,dc=example,dc=org"
    )
    user_filter = serializers.CharField(
        max_length=300, default="(uid=%(user)s)",
        help_text="(sAMAccountName=%(user)s) finds people of Active Directory",
    )  # fmt: skip
    group_type = Choice(
        choices=(("member", "groups list members (groupOfNames, Active Directory)"),
                 ("nested", "the same, groups within groups (Active Directory)"), ("posix", "posixGroup")),
        default="member",
    )  # fmt: skip

    class Meta:
        model = LdapDirectory
        fields = ("id", "slug", "server", "start_tls", "certificate", "bind_dn", "bind_password", "user_base",
                  "user_filter", "group_base", "group_type",
                  *(n for n in _COMMON if n not in ("groups_claim", "second_factor")))  # fmt: skip
        extra_kwargs = {
            **_HELP,
            **_claims(username="uid", name="cn", email="mail"),
            "bind_dn": {"help_text": "an account that may search; empty: nobody's"},
            "group_base": {"help_text": "where groups are; empty: groups are not looked at"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""

        def given(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        scheme = urlsplit(str(given("server"))).scheme
        if scheme not in ("ldap", "ldaps"):
            raise serializers.ValidationError({"server": "write ldaps://host, or ldap://host with StartTLS"})
        if scheme == "ldap" and given("start_tls") is False:
            raise serializers.ValidationError(
                {"start_tls": "passwords would go over the network in the clear"}
            )
        if str(given("user_filter")).count("%(user)s") != 1:
            raise serializers.ValidationError({"user_filter": "%(user)s has to stand in it once"})
        return attrs


def _here(path: str) -> str:
    from django.conf import settings

    return f"{settings.PUBLIC_URL}{path}"


def _make(protocol: Protocol) -> Any:
    def make(_: Actor, data: dict[str, Any]) -> Any:
        model = {Protocol.OIDC: OidcProvider, Protocol.SAML: SamlProvider, Protocol.LDAP: LdapDirectory}[
            protocol
        ]
        return model.objects.create(protocol=protocol, **data)

    return make


def _gone(_: Actor, one: IdentityProvider) -> None:
    SocialAccount.objects.filter(provider=one.slug).delete()
    one.delete()


def _declare(model: Any, protocol: str, path: str, name: str, description: str, serializer: Any,
             column: Column) -> None:  # fmt: skip
    fields = serializer.Meta.fields
    shown_only = ("id", "redirect_uri", "our_metadata")
    registry.add(
        Resource(
            model=model,
            path=path,
            name=name,
            description=description,
            fields=fields,
            serializer=serializer,
            columns=(
                Column("name", link=True),
                column,
                Column("enabled", "On", Show.YES),
                Column("create_accounts", "Makes accounts", Show.YES),
            ),
            filters={"name": ["exact"], "slug": ["exact"], "enabled": ["exact"]},
            search=("name", "slug"),
            ordering=("name",),
            writable=tuple(f for f in fields if f not in (*shown_only, "slug")),
            create_only=("slug",),
            allow=frozenset({"create", "change", "remove"}),
            create=_make(protocol),
            remove=_gone,
            read_scope=Scope.ADMIN,
            write_scope=Scope.ADMIN,
            related={"group-mappings": lambda one: GroupMapping.objects.filter(provider=one.pk)},
        )
    )


_declare(OidcProvider, Protocol.OIDC, "oidc-providers", "OIDC provider",
         "People sign in by OpenID Connect: Keycloak, Microsoft Entra, Google, Okta and others.",
         OidcSerializer, Column("issuer"))  # fmt: skip
_declare(SamlProvider, Protocol.SAML, "saml-providers", "SAML provider",
         "People sign in by SAML 2.", SamlSerializer, Column("entity_id", "Entity id"))  # fmt: skip
_declare(LdapDirectory, Protocol.LDAP, "ldap-servers", "LDAP server",
         "People sign in with the name and password of a directory: OpenLDAP, Active Directory.",
         LdapSerializer, Column("server"))  # fmt: skip
