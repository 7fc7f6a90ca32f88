"""Identity providers, what their groups count for, which roles need a second factor, and what SCIM says of
users and teams beside their own records."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from watchkeeper.kernel.fields import SealedField


class Protocol(models.TextChoices):
    """How a provider is asked."""

    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML"
    LDAP = "ldap", "LDAP"


class OfProtocol(models.Manager[Any]):
    """The providers of one protocol."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self._protocol = protocol

    def get_queryset(self) -> models.QuerySet[Any]:
        """Theirs alone."""
        return super().get_queryset().filter(protocol=self._protocol)


class IdentityProvider(models.Model):
    """Somebody who vouches for people. `slug` is part of its addresses here, so it stays. `*_claim` name what it
    says of a person: a claim, an attribute of SAML or of LDAP."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    protocol = models.CharField(max_length=4, choices=Protocol)
    enabled = models.BooleanField(default=True)
    create_accounts = models.BooleanField(default=False)
    link_by_email = models.BooleanField(default=False)
    addresses_checked = models.BooleanField(default=False)  # of OIDC, which says so of each person otherwise
    second_factor = models.BooleanField(default=False)
    username_claim = models.CharField(max_length=200)
    name_claim = models.CharField(max_length=200)
    email_claim = models.CharField(max_length=200)
    groups_claim = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    # OpenID Connect
    issuer = models.CharField(max_length=500, blank=True, default="")
    client_id = models.CharField(max_length=200, blank=True, default="")
    client_secret = SealedField(blank=True, default="")
    scopes = models.CharField(max_length=200, blank=True, default="openid profile email")
    # SAML
    entity_id = models.CharField(max_length=500, blank=True, default="")
    sso_url = models.CharField(max_length=500, blank=True, default="")
    certificate = models.TextField(blank=True, default="")  # also LDAP: who signed the server's
    # LDAP
    server = models.CharField(max_length=300, blank=True, default="")
    start_tls = models.BooleanField(default=True)
    bind_dn = models.CharField(max_length=300, blank=True, default="")
    bind_password = SealedField(blank=True, default="")
    user_base = models.CharField(max_length=300, blank=True, default="")
    user_filter = models.CharField(max_length=300, blank=True, default="")
    group_base = models.CharField(max_length=300, blank=True, default="")
    group_type = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class OidcProvider(IdentityProvider):
    """One that speaks OpenID Connect."""

    objects: ClassVar[Any] = OfProtocol(Protocol.OIDC)

    class Meta:
        proxy = True
        verbose_name = "OIDC provider"


class SamlProvider(IdentityProvider):
    """One that speaks SAML 2."""

    objects: ClassVar[Any] = OfProtocol(Protocol.SAML)

    class Meta:
        proxy = True
        verbose_name = "SAML provider"


class LdapDirectory(IdentityProvider):
    """One that speaks LDAP: OpenLDAP, Active Directory."""

    objects: ClassVar[Any] = OfProtocol(Protocol.LDAP)

    class Meta:
        proxy = True
        verbose_name = "LDAP server"


class GroupMapping(models.Model):
    """Whoever a provider says is in a group is a member of the team, or has the role, for as long as it says so."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="mappings")
    group = models.CharField(max_length=300)
    team = models.ForeignKey("access.Team", null=True, blank=True, on_delete=models.CASCADE)
    role = models.ForeignKey("access.Role", null=True, blank=True, on_delete=models.CASCADE)

    class Meta:
        ordering: ClassVar = ["provider", "group"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="mapping_has_one_target",
                condition=Q(team=None, role__isnull=False) | Q(team__isnull=False, role=None),
            ),
            models.UniqueConstraint(
                name="mapping_once", fields=["provider", "group", "team", "role"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group} of {self.provider} → {self.team or self.role}"


class SecondFactorRule(models.Model):
    """Whoever has this role needs a second factor to do anything in the console."""

    role = models.OneToOneField("access.Role", on_delete=models.CASCADE, related_name="second_factor_rule")

    class Meta:
        ordering: ClassVar = ["role"]
        verbose_name = "second factor rule"

    def __str__(self) -> str:
        return f"{self.role} needs a second factor"


class Provisioned(models.Model):
    """What SCIM keeps of a user or a team beside their own record, such as the id that the directory gave it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    team = models.OneToOneField("access.Team", null=True, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=300, blank=True, default="", db_index=True)
    document = models.JSONField(default=dict)  # what SCIM knows of a user beyond the user's own record
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(
        null=True, default=None
    )  # removed there; the user stays here, switched off

    def __str__(self) -> str:
        return f"{self.external_id} of {self.user or self.team}"
