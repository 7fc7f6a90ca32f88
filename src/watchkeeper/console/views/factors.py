"""Second factors and confirming who one is: django-allauth's views in our pages."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.views import ReauthenticateView
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.generic import View

from watchkeeper.console.views.page import page, signed_in, trouble
from watchkeeper.domains import federation
from watchkeeper.domains.federation.second_factor import MISSING


class InConsole:
    """A view of allauth's whose page is one of the console's. `title` heads it."""

    template = ""
    title = ""
    request: HttpRequest

    def render_to_response(self, context: dict[str, Any], **_: Any) -> HttpResponse:
        """In our frame."""
        shown = {k: v for k, v in context.items() if k not in ("view", "user")}
        form = shown.get("form")
        wrong = bool(form is not None and form.is_bound and not form.is_valid())
        return page(self.request, self.template, status=400 if wrong else 200, title=self.title, **shown)


def _guarded(view: type[View]) -> Any:
    """For people who are signed in, and can prove that they are who they say."""

    @signed_in()
    def served(request: HttpRequest, **given: Any) -> HttpResponse:
        try:
            return _served(view, request, **given)
        except (PermissionDenied, ReauthenticationRequired) as error:
            ways = get_account_adapter(request).get_reauthentication_methods(request.user)
            if isinstance(error, ReauthenticationRequired) and ways:
                raise  # allauth's middleware asks
            told = "Nothing that you sign in with can be asked for again here. Sign out, sign in again, and retry."
            return trouble(request, 403, "Please sign in again", told)

    return served


def _served(view: type[View], request: HttpRequest, **given: Any) -> HttpResponse:
    """What allauth answers, unless the device's answer is none, or there were too many attempts."""
    if "credential" in request.POST and not _sound(request.POST["credential"]):
        return trouble(
            request, 400, "That did not work", "What the device answered cannot be read. Try again."
        )
    answer: HttpResponse = view.as_view()(request, **given)
    if answer.status_code == 429:
        return trouble(request, 429, "Too many attempts", "Wait a few minutes, then try again.")
    return answer


def _sound(text: str) -> bool:
    """Whether this has the shape of a credential (WebAuthn, PublicKeyCredential.toJSON)."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    names, inner = ("id", "rawId", "type"), found.get("response") if isinstance(found, dict) else None
    if not isinstance(inner, dict) or not all(isinstance(found.get(n), str) for n in names):
        return False
    proof = ("attestationObject",) if "attestationObject" in inner else ("authenticatorData", "signature")
    return all(isinstance(inner.get(n), str) for n in ("clientDataJSON", *proof))


class _SecondStep(InConsole, base.AuthenticateView):  # type: ignore[misc]
    template, title = "second_step.html", "Second step"


class _Security(InConsole, base.IndexView):  # type: ignore[misc]
    template, title = "security.html", "Second factors"

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        """With what is required."""
        found: dict[str, Any] = super().get_context_data(**given)
        user: Any = self.request.user
        found["required"] = federation.required_of(user)
        found["missing"] = bool(self.request.session.get(MISSING))
        found["factors"] = federation.factors_of(user)
        return found


class _Confirming(InConsole):
    """Proves it, and goes on to where it was asked for."""

    template, title = "confirm.html", "Confirm that it is you"

    def form_valid(self, form: Any) -> HttpResponse:
        """Noted in the session."""
        federation.confirm(self.request)
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return answer

    def get_default_success_url(self) -> str:
        """Where nobody has said where to."""
        return "/account/"


class _ByPassword(_Confirming, ReauthenticateView):  # type: ignore[misc]
    extra_context = {"by": "password"}


class _ByCode(_Confirming, base.ReauthenticateView):  # type: ignore[misc]
    extra_context = {"by": "code"}


class _ByPasskey(_Confirming, webauthn.ReauthenticateWebAuthnView):  # type: ignore[misc]
    extra_context = {"by": "passkey"}

    def form_invalid(self, form: Any) -> HttpResponse:
        """Again."""
        return self.render_to_response(self.get_context_data(form=form))


class _AddApp(InConsole, totp.ActivateTOTPView):  # type: ignore[misc]
    template, title = "add_app.html", "Add an authenticator app"


class _RemoveApp(InConsole, totp.DeactivateTOTPView):  # type: ignore[misc]
    template, title = "remove_factor.html", "Remove the authenticator app"


class _Codes(InConsole, recovery.ViewRecoveryCodesView):  # type: ignore[misc]
    template, title = "recovery_codes.html", "Recovery codes"


class _NewCodes(InConsole, recovery.GenerateRecoveryCodesView):  # type: ignore[misc]
    template, title = "new_codes.html", "New recovery codes"


class _AddPasskey(InConsole, webauthn.AddWebAuthnView):  # type: ignore[misc]
    template, title = "add_passkey.html", "Add a passkey"


class _RemovePasskey(InConsole, webauthn.RemoveWebAuthnView):  # type: ignore[misc]
    template, title = "remove_factor.html", "Remove the passkey"
    success_url = "/account/security/"

    def form_valid(self, form: Any) -> HttpResponse:
        """Unless it is the last one of somebody who needs one."""
        if not get_factor_adapter().can_delete_authenticator(self.get_object()):
            told = "Your role needs a second factor: add another one first."
            return trouble(self.request, 409, "That is your last one", told, back="/account/security/")
        answer: HttpResponse = super().form_valid(form)
        return answer


class _Passkey(webauthn.LoginWebAuthnView):  # type: ignore[misc]
    """Signing in with nothing but a passkey. GET gives the challenge, POST takes what the device made of it."""

    def form_invalid(self, form: Any) -> HttpResponse:  # noqa: ARG002
        """The sign-in page, which says so."""
        from watchkeeper.console.views.account import sign_in_page
        from watchkeeper.domains import identity
        from watchkeeper.kernel.acting import address_of

        identity.failed("", address_of(self.request), "a passkey that is not known")
        return sign_in_page(
            self.request, status=401, error="That passkey is not known here. Sign in another way."
        )


def second_step(request: HttpRequest) -> HttpResponse:
    """After the password: a code or a passkey."""
    return _served(_SecondStep, request)


def passkey(request: HttpRequest) -> HttpResponse:
    """Instead of the password."""
    if request.user.is_authenticated:
        return HttpResponseRedirect("/")
    return _served(_Passkey, request)


security = _guarded(_Security)
by_password = _guarded(_ByPassword)
by_code = _guarded(_ByCode)
by_passkey = _guarded(_ByPasskey)
add_app = _guarded(_AddApp)
remove_app = _guarded(_RemoveApp)
codes = _guarded(_Codes)
new_codes = _guarded(_NewCodes)
add_passkey = _guarded(_AddPasskey)
remove_passkey = _guarded(_RemovePasskey)
