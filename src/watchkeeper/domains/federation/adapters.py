"""How django-allauth asks us: who may sign in, where secrets are, what a page is called. Its own pages for signing
up, e-mail addresses and connected accounts are not mounted."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from watchkeeper.domains import access, identity
from watchkeeper.domains.federation import providers
from watchkeeper.domains.federation.confirming import confirmed
from watchkeeper.domains.federation.elsewhere import directories
from watchkeeper.domains.federation.models import IdentityProvider
from watchkeeper.domains.federation.second_factor import MISSING, NAMES, required_of
from watchkeeper.domains.identity.signing_in import BACKEND
from watchkeeper.kernel.acting import address_of
from watchkeeper.kernel.secrets import seal, unseal
from watchkeeper.model.errors import Unauthorised, WatchkeeperError


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The steps of a sign-in, and its end."""

    def get_login_stages(self) -> list[str]:
        """A second factor, for those who have one."""
        return ["watchkeeper.domains.federation.stages.SecondFactor"]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:  # noqa: ARG002
        """Raises Unauthorised, in the words for any other failure."""
        raise Unauthorised("That name and password do not belong together.")

    def login(self, request: HttpRequest, user: Any) -> None:
        """Everything was proven: the session begins, with a new key."""
        from allauth.account.internal.flows.login import get_authentication_records

        user.backend = BACKEND
        records = get_authentication_records(request, user)
        how = " and ".join(dict.fromkeys(filter(None, map(_named, records)))) or "password"
        request.signed_in_with = how  # type: ignore[attr-defined]
        missing = bool(required_of(user)) and not (
            any(r["method"] == "mfa" for r in records) or vouched(records)
        )
        login(request, user)
        if missing:
            request.session[MISSING] = True

    def post_login(self, request: HttpRequest, user: Any, **given: Any) -> HttpResponse:  # noqa: ARG002
        """To where they wanted, or their role's home."""
        wanted = given.get("redirect_url") or ""
        if not self.is_safe_url(wanted) or wanted == "/":
            wanted = access.home_of(user)
        return HttpResponseRedirect(wanted)

    def is_safe_url(self, url: str | None) -> bool:
        """Only within this console: allauth would also go to other names of this machine."""
        here = {self.request.get_host()} if self.request else set()
        return url_has_allowed_host_and_scheme(url, allowed_hosts=here)

    def reauthenticate(self, user: Any, password: str) -> bool:
        """By the same check as a sign-in, so that guesses count towards the lock-out."""
        try:
            found = identity.check_password(user.username, password, address_of(self.request), directories())
        except WatchkeeperError:
            return False
        return bool(found.pk == user.pk)

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:  # noqa: ARG002
        """Unless it was only just proven."""
        return not confirmed(self.request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """As everywhere."""
        return address_of(request)


def vouched(records: list[dict[str, Any]]) -> bool:
    """Whether a provider signed them in whose sign-in has a second factor of its own."""
    slugs = [r.get("provider") for r in records if r["method"] == "socialaccount"]
    return bool(slugs) and IdentityProvider.objects.filter(slug__in=slugs, second_factor=True).exists()


def _named(record: dict[str, Any]) -> str:
    if record["method"] == "mfa":
        return NAMES.get(record.get("type", ""), "")
    return str(record.get("provider") or record["method"])


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Providers are our records; who comes from them is `arriving`'s to decide."""

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:  # noqa: ARG002
        """From our records, secrets unsealed."""
        return list(providers.apps(provider or "", client_id or ""))

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises NotLetIn."""
        from watchkeeper.domains.federation.arriving import Arrival, welcome

        one = IdentityProvider.objects.get(slug=sociallogin.account.provider, enabled=True)
        said = dict(sociallogin.account.extra_data)
        token, asked = said.pop("id_token", {}), said.pop("userinfo", {})
        if token and asked and token.get("sub") != asked.get("sub"):  # OpenID Connect Core 5.3.2
            self.on_authentication_error(
                request, sociallogin.provider, exception="userinfo is about somebody else"
            )
        said = {**token, **asked, **said}
        # An address that the provider asserts in SAML is as good as its word; in OIDC it says whether it checked `email`.
        checked = one.protocol == "saml" or one.addresses_checked or (
            one.email_claim == "email" and said.get("email_verified") in (True, "true")
        )  # fmt: skip
        try:
            user = welcome(Arrival(one, str(sociallogin.account.uid), said, checked), address_of(request))
        except WatchkeeperError as error:
            identity.failed(str(sociallogin.account.uid), address_of(request), f"{one.slug}: {error.detail}")
            raise
        sociallogin.user = user
        sociallogin.account = SocialAccount.objects.get(
            user=user, provider=one.slug, uid=sociallogin.account.uid
        )

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
                                extra_context: Any = None) -> None:  # fmt: skip
        """Raises Unauthorised. What exactly was wrong is in the audit trail, not on the page."""
        why = str(exception or (extra_context or {}).get("saml_last_error_reason") or error or "")
        name = provider.app.name
        identity.failed("", address_of(request), f"{provider.app.provider_id}: {why}"[:500])
        if str(getattr(error, "value", error)) == "cancelled":
            raise Unauthorised(f"You cancelled the sign-in at {name}.")
        raise Unauthorised(f"The sign-in by {name} did not come about. Try again; if it fails again, an administrator "
                           "finds the reason in the audit trail.")  # fmt: skip

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        """Accounts are made in `arriving` alone."""
        return False

    def get_requests_session(self) -> Any:
        """Requests go to addresses that outbound allows, and nowhere by a redirect."""
        from watchkeeper.domains.federation.asking import session

        return session()


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed, like any other."""

    def encrypt(self, text: str) -> str:
        """With the installation's key."""
        return seal(text, settings.SECRET_KEY)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises Unreadable."""
        return unseal(encrypted_text, settings.SECRET_KEY)

    def get_totp_issuer(self) -> str:
        """How authenticator apps call us."""
        return "Watchkeeper"

    def get_totp_label(self, user: Any) -> str:
        """And the account."""
        return str(user.username)

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """How passkeys are listed on a device."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "display_name": user.called, "name": user.username}

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """The last one stays with whoever needs one."""
        others = authenticator.user.authenticator_set.exclude(pk=authenticator.pk)
        return others.exclude(type="recovery_codes").exists() or not required_of(authenticator.user)
