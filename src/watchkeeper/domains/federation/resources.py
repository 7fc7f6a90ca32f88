"""Identity providers, what their groups count for, linked identities and second-factor rules, declared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount
from rest_framework import serializers

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Role
from watchkeeper.domains.federation.models import (
    GroupMapping,
    IdentityProvider,
    LdapDirectory,
    OidcProvider,
    Protocol,
    SamlProvider,
    SecondFactorRule,
)
from watchkeeper.domains.federation.saml import certificate_of, of_metadata
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

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
    client_secret = serializers.CharField(max_length=500, write_only=True, required=False)
    scopes = serializers.CharField(max_length=200, default="openid profile email")
    redirect_uri = serializers.SerializerMethodField(
        label="Redirect URI", help_text="enter this at the provider"
    )

    class Meta:
        model = OidcProvider
        fields = ("id", "slug", "issuer", "client_id", "client_secret", "scopes", "redirect_uri", *_COMMON)
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
    bind_password = serializers.CharField(max_length=500, write_only=True, required=False)
    user_base = serializers.CharField(
        max_length=300, help_text="where people are: ou=people,dc=example,dc=org"
    )
    user_filter = serializers.CharField(
        max_length=300, default="(uid=%(user)s)",
        help_text="(sAMAccountName=%(user)s) finds people of Active Directory",
    )  # fmt: skip
    group_type = serializers.ChoiceField(
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


def _make(protocol: str) -> Any:
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


class MappingSerializer(RecordSerializer):
    """One group to one team or one role."""

    provider_name = serializers.CharField(source="provider.name", read_only=True)
    team_name = serializers.CharField(source="team.name", read_only=True, default=None)
    role_name = serializers.CharField(source="role.name", read_only=True, default=None)

    class Meta:
        model = GroupMapping
        fields = ("id", "provider", "provider_name", "group", "team", "team_name", "role", "role_name")
        extra_kwargs = {"group": {"help_text": "as the provider says it: a name, an id, or a directory's DN"}}
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if (attrs.get("team") is None) == (attrs.get("role") is None):
            raise serializers.ValidationError({"team": "a team or a role: exactly one of them"})
        known = GroupMapping.objects.filter(
            **{n: attrs.get(n) for n in ("provider", "group", "team", "role")}
        )
        if known.exists():
            raise serializers.ValidationError({"group": "this group counts for it already"})
        return attrs


def _map(actor: Actor, data: dict[str, Any]) -> GroupMapping:
    _only_administrators(actor, data.get("role"), "create", "group-mappings")
    return GroupMapping.objects.create(**data)


def _only_administrators(actor: Actor, role: Role | None, act: str, kind: str) -> None:
    if (
        role is not None
        and role.name == "administrator"
        and actor.person
        and not actor.person.is_administrator
    ):
        raise Forbidden(act, kind, ("Only an administrator makes administrators.",))


registry.add(
    Resource(
        model=GroupMapping,
        path="group-mappings",
        name="group mapping",
        description="What an identity provider's groups count for here: membership of a team, or a role. It is "
        "given at each sign-in, and taken back when the provider no longer says so.",
        fields=MappingSerializer.Meta.fields,
        serializer=MappingSerializer,
        columns=(Column("group", link=True), Column("provider__name", "Of"), Column("team__name", "Team"),
                 Column("role__name", "Role")),
        filters={"provider": ["exact"], "group": ["exact", "icontains"], "team": ["exact"], "role": ["exact"]},
        search=("group",),
        ordering=("provider", "group"),
        create_only=("provider", "group", "team", "role"),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("provider", "team", "role"),
        create=_map,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip


class LinkSerializer(RecordSerializer):
    """One identity elsewhere."""

    user_name = serializers.CharField(source="user.username", read_only=True)
    provider = serializers.CharField(max_length=50, help_text="the short name of the provider")
    uid = serializers.CharField(
        max_length=190, help_text="its lasting id of the person: sub, NameID, entryUUID"
    )

    class Meta:
        model = SocialAccount
        fields = ("id", "user", "user_name", "provider", "uid", "last_login")
        read_only_fields = ("id", "last_login")
        validators: list[Any] = []

    def validate_provider(self, value: str) -> str:
        """Raises ValidationError."""
        if not IdentityProvider.objects.filter(slug=value).exists():
            raise serializers.ValidationError(f"there is no identity provider {value!r}")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if SocialAccount.objects.filter(provider=attrs["provider"], uid=attrs["uid"]).exists():
            raise serializers.ValidationError({"uid": "this identity is linked to a user already"})
        if attrs["user"].is_service:
            raise serializers.ValidationError({"user": "a service account cannot sign in"})
        return attrs


def _link(actor: Actor, data: dict[str, Any]) -> SocialAccount:
    if data["user"].is_administrator and actor.person and not actor.person.is_administrator:
        raise Forbidden("create", "linked-identities", ("Only an administrator links an administrator.",))
    return SocialAccount.objects.create(**data, extra_data={})


def _unlink(_: Actor, link: SocialAccount) -> None:
    identity.end_sessions(link.user)
    link.delete()


registry.add(
    Resource(
        model=SocialAccount,
        path="linked-identities",
        name="linked identity",
        description="Which person of an identity provider is which user here.",
        fields=LinkSerializer.Meta.fields,
        serializer=LinkSerializer,
        title=lambda link: f"{link.user} at {link.provider}",
        columns=(Column("user__username", "User", link=True), Column("provider"), Column("uid", "Known there as"),
                 Column("last_login", "Last signed in", Show.TIME)),
        filters={"user": ["exact"], "provider": ["exact"], "uid": ["exact"]},
        search=("user__username", "uid"),
        ordering=("-id",),
        create_only=("user", "provider", "uid"),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("user"),
        create=_link,
        remove=_unlink,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip


class RuleSerializer(RecordSerializer):
    """One role."""

    role_name = serializers.CharField(source="role.name", read_only=True)

    class Meta:
        model = SecondFactorRule
        fields = ("id", "role", "role_name")


registry.add(
    Resource(
        model=SecondFactorRule,
        path="second-factor-rules",
        name="second factor rule",
        description="Whoever has one of these roles needs a second factor. From their next sign-in on, those who "
        "have none can do nothing but set one up.",
        fields=RuleSerializer.Meta.fields,
        serializer=RuleSerializer,
        columns=(Column("role__name", "Role", link=True),),
        filters={"role": ["exact"]},
        ordering=("role",),
        create_only=("role",),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("role"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)
